//! Parses Markdown with pulldown-cmark, each top-level block by itself, so that a block's look depends on no other.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser};

use super::block::{Block, Content, Inline, Run, RunStyle};
use super::build::Builder;

/// A longer paragraph is cut in pieces, so that no single text layout is huge.
const LONGEST_TEXT: usize = 8 * 1024;

pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_MATH
}

/// The blocks that one top-level piece of the text gave.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    /// First byte of the line where the piece begins, in the whole text.
    pub start: usize,
    /// False for what Markdown would hide (link definitions), which is shown as it is.
    pub closes_earlier: bool,
    pub blocks: Vec<Block>,
}

/// Parses `text`, which begins at byte `base` of the whole text.
pub(super) fn segments(text: &str, base: usize) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut done = 0;
    for range in top_level(text) {
        hidden(text, done..range.start, base, &mut segments);
        let mut blocks = Vec::new();
        let mut builder = Builder::new(base + range.start);
        for (event, at) in Parser::new_ext(&text[range.clone()], options()).into_offset_iter() {
            builder.push(event, at);
        }
        for block in builder.finish() {
            split_long(block, &mut blocks);
        }
        segments.push(Segment { start: base + range.start, closes_earlier: true, blocks });
        done = range.end;
    }
    hidden(text, done..text.len(), base, &mut segments);
    segments
}

/// Ranges of the top-level blocks, each from the first byte of its first line.
fn top_level(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut depth = 0usize;
    let mut reached = 0;
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        let opens = depth == 0 && !matches!(event, Event::End(_));
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if opens {
            let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1).max(reached);
            reached = range.end.max(line);
            ranges.push(line..reached);
        }
    }
    ranges
}

/// Text between blocks that is not blank: link definitions. A reader must see all that was written, line by line.
fn hidden(text: &str, range: Range<usize>, base: usize, segments: &mut Vec<Segment>) {
    let mut start = base + range.start;
    for line in text[range].split_inclusive('\n') {
        let trimmed = line.trim();
        if !trimmed.is_empty() {
            let blocks = paragraph(trimmed, start + (line.len() - line.trim_start().len()));
            segments.push(Segment { start, closes_earlier: false, blocks });
        }
        start += line.len();
    }
}

/// All of a text as it stands.
pub(super) fn plain(text: &str) -> Vec<Block> {
    let trimmed = text.trim_end();
    if trimmed.is_empty() { Vec::new() } else { paragraph(trimmed, 0) }
}

fn paragraph(text: &str, start: usize) -> Vec<Block> {
    let source = start..start + text.len();
    let run = Run { range: 0..text.len(), source: source.clone(), style: RunStyle::default(), link: None };
    let content = Content::Paragraph(Inline { text: text.to_owned(), runs: vec![run] });
    let mut blocks = Vec::new();
    split_long(Block { source, indent: 0, quote: 0, marker: None, content }, &mut blocks);
    blocks
}

/// Cuts a very long paragraph at spaces.
fn split_long(block: Block, out: &mut Vec<Block>) {
    let Content::Paragraph(mut rest) = block.content else {
        out.push(block);
        return;
    };
    let mut marker = block.marker;
    while rest.text.len() > LONGEST_TEXT {
        let mut limit = LONGEST_TEXT;
        while !rest.text.is_char_boundary(limit) {
            limit -= 1;
        }
        let at = rest.text[..limit].rfind([' ', '\n']).filter(|&at| at > LONGEST_TEXT / 2).map_or(limit, |at| at + 1);
        let (head, tail) = split_inline(rest, at);
        out.push(Block { source: head.source(), marker: marker.take(), content: Content::Paragraph(head), ..block });
        rest = tail;
    }
    let source = if marker == block.marker { block.source } else { rest.source() };
    out.push(Block { source, marker, content: Content::Paragraph(rest), ..block });
}

fn split_inline(mut inline: Inline, at: usize) -> (Inline, Inline) {
    let tail_text = inline.text.split_off(at);
    let mut tail = Inline { text: tail_text, runs: Vec::new() };
    let mut head_runs = Vec::new();
    for run in inline.runs {
        if run.range.end <= at {
            head_runs.push(run);
        } else if run.range.start >= at {
            tail.runs.push(Run { range: run.range.start - at..run.range.end - at, ..run });
        } else {
            let linear = run.range.len() == run.source.len();
            let cut = if linear { run.source.start + (at - run.range.start) } else { run.source.end };
            head_runs.push(Run { range: run.range.start..at, source: run.source.start..cut, ..run.clone() });
            tail.runs.push(Run { range: 0..run.range.end - at, source: cut..run.source.end, ..run });
        }
    }
    inline.runs = head_runs;
    (inline, tail)
}
