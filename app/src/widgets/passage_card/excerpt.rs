//! A short extract of a passage around the words of a question, with the words marked.

use std::ops::Range;

/// Common words that mark nothing.
const COMMON: &[&str] = &[
    "about", "and", "are", "can", "did", "does", "for", "from", "has", "have", "how", "into", "its", "not", "our",
    "that", "the", "their", "then", "there", "this", "was", "were", "what", "when", "where", "which", "who", "why",
    "will", "with", "you", "your",
];

/// The words of a question that are worth marking, in lower case.
pub fn words(question: &str) -> Vec<String> {
    let mut words: Vec<String> = question
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 2)
        .map(str::to_lowercase)
        .filter(|word| !COMMON.contains(&word.as_str()))
        .collect();
    words.sort();
    words.dedup();
    words
}

/// At most `length` characters of `text` in one line, from shortly before the first word on, and the marked bytes.
pub fn excerpt(text: &str, words: &[String], length: usize) -> (String, Vec<Range<usize>>) {
    // A passage is bounded, but its bound is not ours.
    let flat = text.split_whitespace().take(2000).collect::<Vec<_>>().join(" ");
    let found = matches(&flat, words);
    let lead = length / 5;
    let start = found.first().map_or(0, |first| {
        let before: Vec<usize> = flat[..first.start].char_indices().map(|(at, _)| at).collect();
        if before.len() <= lead {
            return 0;
        }
        let from = before.get(before.len() - lead).copied().unwrap_or(first.start);
        flat[from..first.start].find(' ').map_or(from, |space| from + space + 1)
    });
    let mut out = String::new();
    if start > 0 {
        out.push('…');
    }
    let shift = out.len();
    let end = flat[start..].char_indices().nth(length).map_or(flat.len(), |(at, _)| start + at);
    out.push_str(&flat[start..end]);
    let marks = found
        .into_iter()
        .filter(|range| range.start >= start && range.end <= end)
        .map(|range| range.start - start + shift..range.end - start + shift)
        .collect();
    if end < flat.len() {
        out.push('…');
    }
    (out, marks)
}

/// Whole words of `text` that begin like one of `words`.
fn matches(text: &str, words: &[String]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let ends = text.char_indices().chain([(text.len(), ' ')]);
    for (at, c) in ends {
        match (start, c.is_alphanumeric()) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let word = text[from..at].to_lowercase();
                if words.iter().any(|wanted| alike(&word, wanted)) {
                    found.push(from..at);
                }
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// The same word, or one with another ending.
fn alike(word: &str, wanted: &str) -> bool {
    let (short, long) = if word.len() < wanted.len() { (word, wanted) } else { (wanted, word) };
    long.starts_with(short) && (short.len() == long.len() || (short.len() >= 4 && long.len() - short.len() <= 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, question: &str, length: usize) -> String {
        let (mut out, marks) = excerpt(text, &words(question), length);
        for range in marks.into_iter().rev() {
            out.insert(range.end, ']');
            out.insert(range.start, '[');
        }
        out
    }

    #[test]
    fn words_of_the_question_are_marked() {
        assert_eq!(
            shown("The lease\n expired; leases are short.", "What is a lease?", 80),
            "The [lease] expired; [leases] are short."
        );
        assert_eq!(shown("Nothing here", "lease", 80), "Nothing here");
    }

    #[test]
    fn a_long_text_begins_shortly_before_the_first_word() {
        let text = format!("{} Schlüssel und mehr {}", "wort ".repeat(50), "danach ".repeat(50));
        let out = shown(&text, "Schlüssel", 40);
        assert!(out.starts_with('…') && out.ends_with('…') && out.contains("[Schlüssel]"), "{out}");
    }

    proptest::proptest! {
        #[test]
        fn marks_are_sound_for_any_text(text in "[a-d Ää漢İ\\n]{0,120}", question in "[a-d Ää漢İ]{0,20}", length in 1usize..60) {
            let (out, marks) = excerpt(&text, &words(&question), length);
            for range in marks {
                proptest::prop_assert!(out.get(range).is_some());
            }
        }
    }
}
