//! Notices a model that goes round in circles: small ones repeat a sentence until their room is used up.

/// Shorter pieces repeat in honest text: rulers, lists of zeros.
const SHORTEST: usize = 16;
const LONGEST: usize = 400;
/// So many words make a piece of language.
const WORDS: usize = 3;

/// When the text ends with three times the same piece of language: how long it is with the piece once, in bytes.
pub fn without_copies(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let end = bytes.len();
    (SHORTEST..=LONGEST.min(end / 3)).find_map(|length| {
        let (last, before) = (end - length, end - 2 * length);
        let same = bytes[last..] == bytes[before..last] && bytes[before..last] == bytes[before - length..before];
        let piece = same.then(|| text.get(before..last)).flatten()?;
        (piece.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count() >= WORDS)
            .then_some(before)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_comes_three_times_is_kept_once() {
        let sentence = "It is kept by the server. ";
        let text = format!("The ledger is a book. {}", sentence.repeat(3));
        let end = without_copies(&text).unwrap();
        assert_eq!(&text[..end], format!("The ledger is a book. {sentence}"));
        let cut_anywhere = format!("{text}It is ke");
        assert!(without_copies(&cut_anywhere).is_some());
    }

    #[test]
    fn honest_repetition_is_left_alone() {
        for text in [
            "It is kept by the server. It is kept by the server. ",
            &"-".repeat(200),
            &"| 0 | 0 | 0 | 0 |\n".repeat(20),
            "",
            &"naïve café ünder ".repeat(2),
        ] {
            assert_eq!(without_copies(text), None, "{text}");
        }
    }

    #[test]
    fn text_of_other_alphabets_is_cut_between_characters() {
        let text = "Это очень важный факт. ".repeat(3);
        let end = without_copies(&text).unwrap();
        assert!(text.is_char_boundary(end));
    }
}
