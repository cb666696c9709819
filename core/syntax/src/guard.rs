//! Sources that the hand-written scanners of some grammars do not survive: they keep their state in a buffer of 1024
//! bytes and abort the program, or write beyond it, when it is full. Such sources are refused before.

use std::collections::HashSet;

use crate::Language;

/// Different indentations that a Python file may have: each open one takes two bytes, open strings up to 255.
const MOST_INDENTATIONS: usize = 300;
/// Lines that only hold blanks and a backslash: they add up to indentations that stand on no line.
const MOST_CONTINUED: usize = 20;

/// Whether the scanner of this grammar can keep its state for every part of the source.
pub fn is_safe(language: Language, source: &str) -> bool {
    match language {
        Language::Python => {
            let mut widths = HashSet::new();
            let mut continued = 0;
            for line in source.split(['\n', '\r', '\u{c}']) {
                let rest = line.trim_start_matches([' ', '\t']);
                let blanks = &line[..line.len() - rest.len()];
                widths.insert(blanks.len() + 7 * blanks.matches('\t').count());
                continued += usize::from(rest == "\\");
                if widths.len() > MOST_INDENTATIONS || continued > MOST_CONTINUED {
                    return false;
                }
            }
            true
        }
        // The length of a heredoc's word is kept in one byte, and the check for room is two bytes short.
        Language::Ruby => !source.as_bytes().windows(4).any(|at| {
            let word = if matches!(at[2], b'~' | b'-') { at[3] } else { at[2] };
            at.starts_with(b"<<") && (word.is_ascii_alphabetic() || !word.is_ascii() || b"_\"'`".contains(&word))
        }),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_scanner_cannot_hold_is_refused() {
        let stairs = |depth: usize| (0..depth).map(|deep| format!("{}if x:\n", " ".repeat(deep))).collect::<String>();
        assert!(is_safe(Language::Python, &stairs(100)));
        assert!(!is_safe(Language::Python, &stairs(600)));
        assert!(!is_safe(Language::Python, &"  \\\n".repeat(600)));
        assert!(is_safe(Language::Ruby, "class << self\n  list << 1 << x\nend\n"));
        assert!(!is_safe(Language::Ruby, "call(<<~TEXT)\n  a\nTEXT\n"));
        assert!(!is_safe(Language::Ruby, "call(<<'A')\nA\n"));
    }
}
