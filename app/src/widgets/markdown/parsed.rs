//! A Markdown text with its blocks, which grows while an answer streams: only the last block is parsed again.

use std::sync::Arc;

use super::block::Block;
use super::parse::{Segment, plain, segments};

#[derive(Clone, Debug, Default)]
pub struct Parsed {
    text: String,
    blocks: Vec<Arc<Block>>,
    /// No later text can change what stands before this byte.
    settled: usize,
    /// Blocks before `settled`.
    settled_blocks: usize,
}

impl Parsed {
    pub fn new(text: &str) -> Self {
        let mut parsed = Self::default();
        parsed.append(text);
        parsed
    }

    /// Not Markdown: all of it is one paragraph as it stands.
    pub fn plain(text: &str) -> Self {
        let blocks = plain(text).into_iter().map(Arc::new).collect();
        Self { text: text.to_owned(), blocks, ..Self::default() }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// Makes this the parse of `text`, reusing what is still true. Returns the index of the first block that may differ.
    pub fn update(&mut self, text: &str) -> usize {
        match text.strip_prefix(self.text.as_str()) {
            Some("") => self.blocks.len(),
            Some(more) => self.append(more),
            None => {
                *self = Self::new(text);
                0
            }
        }
    }

    /// Adds to the end. Returns the index of the first block that may differ.
    pub fn append(&mut self, more: &str) -> usize {
        let first = self.settled_blocks;
        self.text.push_str(more);
        self.blocks.truncate(self.settled_blocks);
        let tail = &self.text[self.settled..];
        let now = segments(tail, self.settled);

        // A line is only certain once it is whole: `#` may still become `#tag`, which joins the paragraph before it.
        let whole_lines = tail.rfind('\n').map_or(0, |at| at + 1);
        let settled = if whole_lines == tail.len() {
            last_start(&now)
        } else if more.contains('\n') {
            last_start(&segments(&tail[..whole_lines], self.settled))
        } else {
            None
        };
        if let Some(settled) = settled {
            let closed = now.iter().take_while(|segment| segment.start < settled);
            self.settled_blocks += closed.map(|segment| segment.blocks.len()).sum::<usize>();
            self.settled = settled;
        }
        self.blocks.extend(now.into_iter().flat_map(|segment| segment.blocks).map(Arc::new));
        first
    }
}

/// Where the last block begins: all before it is closed.
fn last_start(segments: &[Segment]) -> Option<usize> {
    segments.iter().rev().find(|segment| segment.closes_earlier).map(|segment| segment.start)
}
