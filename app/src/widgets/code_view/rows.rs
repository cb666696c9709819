//! Which row of the screen shows which piece of which line, also for lines that are not loaded.

use std::ops::Range;

use egui::text::LayoutJob;

use super::Lines;
use super::highlight::{Carry, Language, line};
use super::line_job;
use crate::design::Tokens;

/// Of a longer line only the beginning is shown where lines do not wrap.
const LONGEST_LINE: usize = 2000;

/// A piece of a line that fills one row.
struct Piece {
    line: u32,
    bytes: Range<usize>,
}

#[derive(Default)]
pub(super) struct Rows {
    /// Pointer, count and number of the first of the lines that this was made from, and the columns.
    key: Option<(usize, usize, u32, u32, u32, Option<usize>)>,
    first: u32,
    from: u32,
    to: u32,
    /// Rows of the loaded lines.
    pieces: Vec<Piece>,
    /// Index into `pieces` of each loaded line, then their number.
    starts: Vec<usize>,
    /// What is open at the beginning of each loaded line.
    carries: Vec<Carry>,
    longest: usize,
}

impl Rows {
    /// Makes the rows anew if the lines or the columns are others. True if they were.
    pub fn update(&mut self, lines: Lines<'_>, language: &Language, columns: Option<usize>) -> bool {
        let key = Some((lines.lines.as_ptr() as usize, lines.lines.len(), lines.first, lines.from, lines.to, columns));
        if self.key == key {
            return false;
        }
        *self = Self { key, first: lines.first, from: lines.from, to: lines.to, ..Self::default() };
        let mut carry = Carry::None;
        for (index, text) in lines.lines.iter().enumerate() {
            self.starts.push(self.pieces.len());
            self.carries.push(carry);
            carry = line(language, shortened(text), carry).1;
            let number = index as u32;
            match columns {
                Some(columns) => {
                    wrap(text, columns, |bytes| self.pieces.push(Piece { line: number, bytes }));
                }
                None => {
                    let text = shortened(text);
                    self.longest = self.longest.max(text.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum());
                    self.pieces.push(Piece { line: number, bytes: 0..text.len() });
                }
            }
        }
        self.starts.push(self.pieces.len());
        true
    }

    /// Lines before the loaded ones; each counts as one row.
    fn before(&self) -> usize {
        self.first.saturating_sub(self.from) as usize
    }

    fn loaded(&self) -> usize {
        self.carries.len()
    }

    pub fn total(&self) -> usize {
        if self.key.is_none() {
            return 0;
        }
        let lines = (self.to + 1).saturating_sub(self.from) as usize;
        let after = lines.saturating_sub(self.before() + self.loaded());
        self.before() + self.pieces.len() + after
    }

    /// Characters of the longest line.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The number of the line that a row shows.
    pub fn line(&self, row: usize) -> u32 {
        let before = self.before();
        if row < before {
            return self.from + row as u32;
        }
        match self.pieces.get(row - before) {
            Some(piece) => self.first + piece.line,
            None => (self.first + self.loaded() as u32 + (row - before - self.pieces.len()) as u32)
                .min(self.to.max(self.from)),
        }
    }

    /// The first row of a line.
    pub fn of_line(&self, line: u32) -> usize {
        if line < self.first {
            return line.saturating_sub(self.from) as usize;
        }
        let index = (line - self.first) as usize;
        match self.starts.get(index) {
            Some(start) => self.before() + start,
            None => self.before() + self.pieces.len() + index.saturating_sub(self.loaded()),
        }
    }

    /// The bytes of the line's text that stand in a row.
    pub fn range(&self, row: usize, text: &str) -> Range<usize> {
        let piece = row.checked_sub(self.before()).and_then(|index| self.pieces.get(index));
        piece.map_or(0..0, |piece| piece.bytes.clone()).start.min(text.len())
            ..piece.map_or(0, |piece| piece.bytes.end).min(text.len())
    }

    /// Adds a row's text in its colours.
    pub fn colored(
        &self,
        tokens: &Tokens,
        job: &mut LayoutJob,
        language: &Language,
        index: u32,
        text: &str,
        range: Range<usize>,
    ) {
        let carry = self.carries.get(index as usize).copied().unwrap_or_default();
        if range == (0..text.len()) {
            line_job::colored(tokens, job, language, text, carry);
            return;
        }
        let (pieces, _) = line(language, shortened(text), carry);
        let plain = (shortened(text).len()..text.len(), super::highlight::Token::Plain);
        for (piece, token) in pieces.into_iter().chain([plain]) {
            let (start, end) = (piece.start.max(range.start), piece.end.min(range.end));
            if start < end
                && let Some(part) = text.get(start..end)
            {
                line_job::append(tokens, job, &part.replace('\t', "    ").replace('\r', ""), token);
            }
        }
    }
}

/// The beginning of a very long line.
fn shortened(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_LINE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Cuts a line into rows of at most `columns` cells, at spaces where there are any. An empty line has one row.
fn wrap(text: &str, columns: usize, mut row: impl FnMut(Range<usize>)) {
    let mut start = 0;
    let mut cells = 0;
    let mut space = None;
    for (at, c) in text.char_indices() {
        let width = match c {
            '\t' => 4,
            _ if c < '\u{1100}' => 1,
            _ => 2,
        };
        if cells + width > columns {
            let cut = space.filter(|&cut| cut > start).unwrap_or(at);
            row(start..cut);
            cells = text[cut..at].chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum();
            start = cut;
            space = None;
        }
        cells += width;
        if c == ' ' {
            space = Some(at + 1);
        }
    }
    row(start..text.len());
}

#[cfg(test)]
mod tests {
    use super::wrap;

    fn wrapped(text: &str, columns: usize) -> Vec<&str> {
        let mut rows = Vec::new();
        wrap(text, columns, |range| rows.push(&text[range]));
        rows
    }

    #[test]
    fn lines_wrap_at_spaces_and_else_anywhere() {
        assert_eq!(wrapped("", 10), [""]);
        assert_eq!(wrapped("one two three", 8), ["one two ", "three"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("漢字漢字", 4), ["漢字", "漢字"]);
    }

    proptest::proptest! {
        #[test]
        fn rows_cover_the_line(text in "[a-c 漢\\t]{0,60}", columns in 4usize..12) {
            proptest::prop_assert_eq!(wrapped(&text, columns).concat(), text);
        }
    }
}
