//! Letters that PDF files draw in parts or backwards: accents over letters, and scripts that run from right to left.

/// Accents that fonts draw as letters of their own, each with the bases and the letters that come of them.
const COMPOSED: &[(&[char], &str, &str)] = &[
    (&['´', '\u{301}'], "aeiouyAEIOUYcnszCNSZlrLR", "áéíóúýÁÉÍÓÚÝćńśźĆŃŚŹĺŕĹŔ"),
    (&['`', '\u{300}'], "aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
    (&['¨', '\u{308}'], "aeiouyAEIOUY", "äëïöüÿÄËÏÖÜŸ"),
    (&['ˆ', '^', '\u{302}'], "aeiouAEIOUcgsCGS", "âêîôûÂÊÎÔÛĉĝŝĈĜŜ"),
    (&['˜', '~', '\u{303}'], "anoANO", "ãñõÃÑÕ"),
    (&['¸', '\u{327}'], "cCsStT", "çÇşŞţŢ"),
    (&['ˇ', '\u{30C}'], "cdenrstzCDENRSTZ", "čďěňřšťžČĎĚŇŘŠŤŽ"),
    (&['˚', '°', '\u{30A}'], "aAuU", "åÅůŮ"),
    (&['˘', '\u{306}'], "agAG", "ăğĂĞ"),
    (&['˝', '\u{30B}'], "ouOU", "őűŐŰ"),
    (&['¯', '\u{304}'], "aeiouAEIOU", "āēīōūĀĒĪŌŪ"),
    (&['˙', '\u{307}'], "zZI", "żŻİ"),
    (&['˛', '\u{328}'], "aeAE", "ąęĄĘ"),
];

/// Whether a letter is an accent that may belong to the letter beside it.
pub fn is_accent(letter: char) -> bool {
    COMPOSED.iter().any(|(accents, _, _)| accents.contains(&letter))
}

fn compose(accent: char, base: char) -> Option<char> {
    let base = match base {
        'ı' => 'i',
        other => other,
    };
    let (_, bases, letters) = COMPOSED.iter().find(|(accents, _, _)| accents.contains(&accent))?;
    let index = bases.chars().position(|known| known == base)?;
    letters.chars().nth(index)
}

/// Appends a letter; one that lies over the letter before becomes one letter with its accent.
pub fn push(text: &mut String, letter: char, over: bool) {
    let combining = matches!(letter, '\u{300}'..='\u{36F}');
    if (over || combining)
        && let Some(before) = text.chars().next_back()
        && let Some(both) = compose(before, letter).or_else(|| compose(letter, before))
    {
        text.pop();
        text.push(both);
        return;
    }
    text.push(letter);
}

fn runs_left(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}

/// Letters stand on a page from left to right; in Hebrew and Arabic they are read the other way, but for numbers
/// and foreign words in between.
pub fn in_reading_order(line: &str) -> String {
    let (mut left, mut letters) = (0_usize, 0_usize);
    for letter in line.chars().filter(|letter| letter.is_alphabetic()) {
        letters += 1;
        left += usize::from(runs_left(letter));
    }
    if left * 2 <= letters || left == 0 {
        return line.to_owned();
    }
    let mut turned = String::with_capacity(line.len());
    let mut kept: Vec<char> = Vec::new();
    let letters: Vec<char> = line.chars().rev().collect();
    for letter in letters {
        let foreign = letter.is_alphanumeric() && !runs_left(letter);
        if foreign || (!kept.is_empty() && matches!(letter, '.' | ',' | '-' | '/' | ':')) {
            kept.push(letter);
            continue;
        }
        turned.extend(kept.drain(..).rev());
        turned.push(match letter {
            '(' => ')',
            ')' => '(',
            '[' => ']',
            ']' => '[',
            other => other,
        });
    }
    turned.extend(kept.drain(..).rev());
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_join_their_letters() {
        let mut text = "f".to_owned();
        push(&mut text, '¨', false);
        push(&mut text, 'u', true);
        push(&mut text, 'r', false);
        assert_eq!(text, "für");
        assert_eq!(COMPOSED.iter().find(|(_, bases, letters)| bases.chars().count() != letters.chars().count()), None);
    }

    #[test]
    fn hebrew_is_turned_and_numbers_are_not() {
        assert_eq!(in_reading_order("12 םולש"), "שלום 12");
        assert_eq!(in_reading_order("plain"), "plain");
    }
}
