//! What a Markdown text consists of: a flat list of blocks, each with runs of styled text that know their source bytes.

use std::ops::Range;
use std::sync::Arc;

/// One block on its own line or lines. Nesting is flattened to an indent, so that a list of blocks can be virtual.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Bytes of the whole text that this block was made from.
    pub source: Range<usize>,
    /// How many lists it stands in.
    pub indent: u8,
    /// How many quotes it stands in.
    pub quote: u8,
    /// Set on the first block of a list item.
    pub marker: Option<Marker>,
    pub content: Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    Bullet,
    Number(u64),
    Task { done: bool },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Paragraph(Inline),
    /// Level 1 to 6.
    Heading(u8, Inline),
    Code {
        /// As written after the fence; empty when none.
        language: String,
        /// Without the last line break.
        text: String,
    },
    Table {
        alignments: Vec<Alignment>,
        /// The first row is the header. Rows have as many cells as the header.
        rows: Vec<Vec<Inline>>,
    },
    Rule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    Left,
    Center,
    Right,
}

/// Text with styles; what a paragraph, a heading or a table cell holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inline {
    pub text: String,
    /// In order, without gaps, covering `text`.
    pub runs: Vec<Run>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Bytes of the inline's text.
    pub range: Range<usize>,
    /// Bytes of the whole Markdown text.
    pub source: Range<usize>,
    pub style: RunStyle,
    /// Where a link or an image points; never opened or loaded by itself.
    pub link: Option<Arc<str>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RunStyle {
    pub strong: bool,
    pub emphasis: bool,
    pub strikethrough: bool,
    pub code: bool,
}

impl Inline {
    /// The byte of `text` that shows what stands at this byte of the source; the nearest end when it stands elsewhere.
    pub fn position_of(&self, source: usize) -> usize {
        let index = self.runs.partition_point(|run| run.source.end <= source);
        let Some(run) = self.runs.get(index) else { return self.text.len() };
        if source <= run.source.start {
            return run.range.start;
        }
        if run.range.len() != run.source.len() {
            return run.range.end;
        }
        let mut position = run.range.start + (source - run.source.start);
        while !self.text.is_char_boundary(position) {
            position += 1;
        }
        position
    }

    /// Bytes of the source that this text shows.
    pub fn source(&self) -> Range<usize> {
        match (self.runs.first(), self.runs.last()) {
            (Some(first), Some(last)) => first.source.start..last.source.end,
            _ => 0..0,
        }
    }
}
