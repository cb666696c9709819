//! A passage cut into units (sentences, lines of code, table rows) with their lines: what a quote is made of.

use std::collections::HashSet;
use std::ops::Range;

use crate::answering::sentences;
use crate::answering::words::{self, Token, TokenKind};
use crate::model::{DocumentKind, Passage};

/// A quote has at most this many lines, unless one sentence alone is longer.
pub const QUOTE_LINES: u32 = 3;

#[derive(Debug)]
pub struct Unit {
    /// In the passage's text.
    pub range: Range<usize>,
    /// Line numbers of the document, from 1, inclusive.
    pub first_line: u32,
    pub last_line: u32,
    pub tokens: Vec<Token>,
    /// Stems of the tokens, and of the words inside identifiers.
    pub stems: HashSet<String>,
}

/// The units of a passage in order; blank lines belong to none.
pub fn units(passage: &Passage) -> Vec<Unit> {
    let text = passage.text.as_str();
    let lines = sentences::lines(text);
    let mut ranges = Vec::new();
    if passage.kind == DocumentKind::Code {
        ranges.extend(lines.iter().cloned());
    } else {
        for sentence in sentences::split(text) {
            if sentence.code {
                ranges.extend(
                    lines.iter().filter(|l| l.start < sentence.range.end && l.end > sentence.range.start).cloned(),
                );
            } else {
                ranges.push(sentence.range);
            }
        }
    }
    let line_of = |at: usize| {
        let index = lines.partition_point(|line| line.start <= at).saturating_sub(1);
        u32::try_from(index).unwrap_or(u32::MAX).saturating_add(passage.start_line).min(passage.end_line)
    };
    ranges
        .into_iter()
        .filter(|range| !text[range.clone()].trim().is_empty())
        .map(|range| {
            let tokens = words::tokens(&text[range.clone()]);
            let mut stems: HashSet<String> = tokens.iter().map(|token| token.stem.clone()).collect();
            for identifier in tokens.iter().filter(|token| token.kind == TokenKind::Identifier) {
                stems.extend(words::parts(&identifier.text));
            }
            Unit {
                first_line: line_of(range.start),
                last_line: line_of(range.end.saturating_sub(1)),
                tokens,
                stems,
                range,
            }
        })
        .collect()
}

/// Windows of one to three neighbouring units that fit a quote.
pub fn windows(units: &[Unit]) -> impl Iterator<Item = Range<usize>> + '_ {
    (0..units.len()).flat_map(move |first| {
        (first + 1..=(first + 3).min(units.len()))
            .filter(move |end| end - first == 1 || units[end - 1].last_line - units[first].first_line < QUOTE_LINES)
            .map(move |end| first..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answering::cite::tests::passage;

    #[test]
    fn units_know_their_lines() {
        let found =
            passage(7, "# Backups\n\nThey run at night. They are\nkept 30 days.\n\n```sh\nrun it\n\nthen that\n```\n");
        let lines: Vec<(u32, u32)> = units(&found).iter().map(|u| (u.first_line, u.last_line)).collect();
        assert_eq!(lines, [(7, 7), (9, 9), (9, 10), (12, 12), (13, 13), (15, 15), (16, 16)]);
        for window in windows(&units(&found)) {
            assert!(window.len() <= 3);
        }
    }
}
