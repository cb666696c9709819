//! Collects a document's lines with its headings, tables and pages, within a limit of bytes.

use crate::{DocumentKind, Extracted, Heading, Lines};

/// Longest heading kept, in characters.
pub const TITLE_CHARS: usize = 120;

/// Lines are numbered from 1.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
    /// Whole lines written.
    lines: u32,
    headings: Vec<Heading>,
    blocks: Vec<(u32, u32)>,
    tables: Vec<(u32, u32)>,
    pages: Vec<u32>,
    table: Option<u32>,
    limit: usize,
    full: bool,
}

impl Writer {
    /// Takes at most this many bytes of text.
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Text was left out because the limit was reached.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// The number of the line that is written next.
    pub fn line_number(&self) -> u32 {
        self.lines + 1
    }

    /// Room left, in bytes.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.text.len())
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Writes a line, or several when the text holds line ends.
    pub fn line(&mut self, text: &str) {
        for line in text.split(['\n', '\r', '\u{B}', '\u{C}']) {
            if line.len() + 1 > self.room() {
                self.full = true;
                return;
            }
            self.text.push_str(line.trim_end());
            self.text.push('\n');
            self.lines += 1;
        }
    }

    /// A blank line, unless one stands there already.
    pub fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") && self.room() > 0 {
            self.text.push('\n');
            self.lines += 1;
        }
    }

    /// A line that is a heading, with white around it.
    pub fn heading(&mut self, level: u8, title: &str) {
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        if title.is_empty() || self.full {
            return;
        }
        self.blank();
        self.note_heading(level, &title);
        self.line(&title);
        self.blank();
    }

    /// Says that the line written next is a heading.
    pub fn note_heading(&mut self, level: u8, title: &str) {
        let title: String = title.chars().take(TITLE_CHARS).collect();
        self.headings.push(Heading { line: self.line_number(), level: level.clamp(1, 9), title });
    }

    /// A page (slide, sheet) begins with the next line.
    pub fn page(&mut self) {
        self.pages.push(self.line_number());
    }

    pub fn begin_table(&mut self) {
        self.table.get_or_insert(self.lines + 1);
    }

    pub fn end_table(&mut self) {
        if let Some(first) = self.table.take()
            && first <= self.lines
        {
            self.blocks.push((first, self.lines));
            self.tables.push((first, self.lines));
        }
    }

    /// Appends what another reader made of a part, its headings below `level`.
    pub fn append(&mut self, part: &Extracted, level: u8) {
        let before = self.lines;
        for (_, line) in part.lines.iter() {
            self.line(line);
        }
        let written = self.lines;
        let inside =
            |&(first, last): &(u32, u32)| (before + last <= written).then_some((before + first, before + last));
        self.headings.extend(part.headings.iter().filter(|heading| before + heading.line <= written).map(|heading| {
            Heading {
                line: before + heading.line,
                level: heading.level.saturating_add(level).min(9),
                title: heading.title.clone(),
            }
        }));
        self.blocks.extend(part.blocks.iter().filter_map(inside));
        self.tables.extend(part.tables.iter().filter_map(inside));
    }

    /// The document, with a doubt when it was cut.
    pub fn finish(mut self, kind: DocumentKind) -> Extracted {
        self.end_table();
        let kept = self.text.trim_end().len();
        self.text.truncate(kept);
        let mut extracted = Extracted::plain(kind, Lines::new(self.text));
        let last = extracted.lines.count();
        extracted.headings = self.headings;
        extracted.headings.retain(|heading| heading.line <= last);
        extracted.blocks = self.blocks;
        extracted.tables = self.tables;
        extracted.pages = self.pages.into_iter().map(|page| page.min(last.max(1))).collect();
        if self.full {
            extracted.doubt(0.5, "Only its first part was read, because it is very long.");
        }
        extracted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structure_keeps_its_lines() {
        let mut writer = Writer::new(1_000);
        writer.page();
        writer.heading(1, " A  title ");
        writer.begin_table();
        writer.line("a | b");
        writer.line("c | d");
        writer.end_table();
        writer.page();
        writer.line("end");
        let read = writer.finish(DocumentKind::Text);
        assert_eq!(read.headings, [Heading { line: 1, level: 1, title: "A title".to_owned() }]);
        assert_eq!((read.tables.as_slice(), read.pages.as_slice()), ([(3, 4)].as_slice(), [1, 5].as_slice()));
        assert_eq!(read.lines.line(5), "end");
    }

    #[test]
    fn what_is_too_long_is_cut_and_said() {
        let mut writer = Writer::new(10);
        writer.line("12345");
        writer.line("1234567");
        let read = writer.finish(DocumentKind::Text);
        assert_eq!((read.lines.text(), read.confidence), ("12345\n".trim(), 0.5));
    }
}
