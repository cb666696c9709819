//! Turns the parser's events into the flat list of blocks.

use std::ops::Range;
use std::sync::Arc;

use pulldown_cmark::{Alignment as ParserAlignment, CodeBlockKind, Event, Tag, TagEnd};

use super::block::{Alignment, Block, Content, Inline, Marker, Run, RunStyle};

/// Deeper nesting is shown at this depth: hostile text nests thousands of levels.
const DEEPEST: usize = 12;

struct List {
    next: Option<u64>,
}

enum Open {
    Inline(u8),
    Code(String),
    Html,
}

struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<Inline>>,
    source: Range<usize>,
}

pub(super) struct Builder {
    base: usize,
    blocks: Vec<Block>,
    lists: Vec<List>,
    quotes: usize,
    marker: Option<Marker>,
    open: Option<Open>,
    source: Range<usize>,
    inline: Inline,
    strong: usize,
    emphasis: usize,
    strikethrough: usize,
    links: Vec<Arc<str>>,
    table: Option<Table>,
}

impl Builder {
    /// `base` is added to all source offsets.
    pub fn new(base: usize) -> Self {
        Self {
            base,
            blocks: Vec::new(),
            lists: Vec::new(),
            quotes: 0,
            marker: None,
            open: None,
            source: 0..0,
            inline: Inline::default(),
            strong: 0,
            emphasis: 0,
            strikethrough: 0,
            links: Vec::new(),
            table: None,
        }
    }

    pub fn push(&mut self, event: Event<'_>, at: Range<usize>) {
        let at = self.base + at.start..self.base + at.end;
        match event {
            Event::Start(tag) => self.start(tag, at),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text, at, false),
            Event::Code(text) => self.text(&text, at, true),
            Event::InlineMath(text) => self.text(&format!("${text}$"), at, true),
            Event::DisplayMath(text) => self.text(&format!("$${text}$$"), at, true),
            Event::Html(text) | Event::InlineHtml(text) => self.text(&text, at, false),
            Event::FootnoteReference(text) => self.text(&format!("[{text}]"), at, false),
            Event::SoftBreak => self.text(" ", at, false),
            Event::HardBreak => self.text("\n", at, false),
            Event::Rule => {
                self.flush();
                self.block(at, Content::Rule);
            }
            Event::TaskListMarker(done) => self.marker = Some(Marker::Task { done }),
        }
    }

    pub fn finish(mut self) -> Vec<Block> {
        self.flush();
        self.blocks
    }

    fn start(&mut self, tag: Tag<'_>, at: Range<usize>) {
        match tag {
            Tag::Paragraph => self.begin(Open::Inline(0), at),
            Tag::Heading { level, .. } => self.begin(Open::Inline(level as u8), at),
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split([' ', ',', '{']).next().unwrap_or_default().chars().take(32).collect()
                    }
                    CodeBlockKind::Indented => String::new(),
                };
                self.begin(Open::Code(language), at);
            }
            Tag::HtmlBlock => self.begin(Open::Html, at),
            Tag::BlockQuote(_) => {
                self.flush();
                self.quotes += 1;
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(List { next: first });
            }
            Tag::Item => {
                self.flush();
                self.marker = Some(match self.lists.last_mut() {
                    Some(List { next: Some(number) }) => {
                        let marker = Marker::Number(*number);
                        *number = number.saturating_add(1);
                        marker
                    }
                    _ => Marker::Bullet,
                });
                // Of an item without text, only where it begins is certain: its end depends on what comes after.
                self.source = at.start..at.end.min(at.start + 1);
            }
            Tag::Table(alignments) => {
                self.flush();
                let alignments = alignments
                    .into_iter()
                    .map(|alignment| match alignment {
                        ParserAlignment::Center => Alignment::Center,
                        ParserAlignment::Right => Alignment::Right,
                        ParserAlignment::Left | ParserAlignment::None => Alignment::Left,
                    })
                    .collect();
                self.table = Some(Table { alignments, rows: Vec::new(), source: at });
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::TableCell => self.inline = Inline::default(),
            Tag::Strong => self.strong += 1,
            Tag::Emphasis => self.emphasis += 1,
            Tag::Strikethrough => self.strikethrough += 1,
            Tag::Link { dest_url, .. } => self.links.push(Arc::from(&*dest_url)),
            Tag::Image { dest_url, .. } => {
                self.links.push(Arc::from(&*dest_url));
                self.text("image: ", at.start..at.start, false);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::HtmlBlock => self.flush(),
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::Item => {
                self.flush();
                if self.marker.is_some() {
                    // An item without any text still shows its marker.
                    let source = self.source.clone();
                    self.block(source, Content::Paragraph(Inline::default()));
                }
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.inline);
                if let Some(row) = self.table.as_mut().and_then(|table| table.rows.last_mut()) {
                    row.push(cell);
                }
            }
            TagEnd::Table => {
                if let Some(Table { alignments, mut rows, source }) = self.table.take() {
                    for row in &mut rows {
                        row.resize_with(alignments.len(), Inline::default);
                    }
                    self.block(source, Content::Table { alignments, rows });
                }
            }
            TagEnd::Strong => self.strong = self.strong.saturating_sub(1),
            TagEnd::Emphasis => self.emphasis = self.emphasis.saturating_sub(1),
            TagEnd::Strikethrough => self.strikethrough = self.strikethrough.saturating_sub(1),
            TagEnd::Link | TagEnd::Image => {
                self.links.pop();
            }
            _ => {}
        }
    }

    fn begin(&mut self, open: Open, at: Range<usize>) {
        self.flush();
        self.inline = Inline::default();
        self.source = at;
        self.open = Some(open);
    }

    fn text(&mut self, text: &str, source: Range<usize>, code: bool) {
        if text.is_empty() {
            return;
        }
        if self.open.is_none() && self.table.is_none() {
            // The text of a tight list item comes without a paragraph around it.
            self.inline = Inline::default();
            self.source = source.clone();
            self.open = Some(Open::Inline(0));
        }
        self.source.end = self.source.end.max(source.end);
        let style = RunStyle {
            strong: self.strong > 0,
            emphasis: self.emphasis > 0,
            strikethrough: self.strikethrough > 0,
            code,
        };
        let start = self.inline.text.len();
        self.inline.text.push_str(text);
        let range = start..self.inline.text.len();
        let link = self.links.last().cloned();
        if let Some(last) = self.inline.runs.last_mut()
            && last.style == style
            && last.link == link
            && last.source.end == source.start
            && last.range.len() == last.source.len()
            && range.len() == source.len()
        {
            last.range.end = range.end;
            last.source.end = source.end;
            return;
        }
        self.inline.runs.push(Run { range, source, style, link });
    }

    /// Ends the open block.
    fn flush(&mut self) {
        let Some(open) = self.open.take() else { return };
        let inline = std::mem::take(&mut self.inline);
        let source = self.source.clone();
        match open {
            Open::Inline(0) => self.block(source, Content::Paragraph(inline)),
            Open::Inline(level) => self.block(source, Content::Heading(level, inline)),
            Open::Html => {
                let mut inline = inline;
                trim_end(&mut inline);
                self.block(source, Content::Paragraph(inline));
            }
            Open::Code(language) => {
                let mut text = inline.text;
                if text.ends_with('\n') {
                    text.pop();
                }
                self.block(source, Content::Code { language, text });
            }
        }
    }

    fn block(&mut self, source: Range<usize>, content: Content) {
        self.blocks.push(Block {
            source,
            indent: self.lists.len().min(DEEPEST) as u8,
            quote: self.quotes.min(DEEPEST) as u8,
            marker: self.marker.take(),
            content,
        });
    }
}

fn trim_end(inline: &mut Inline) {
    let length = inline.text.trim_end().len();
    inline.text.truncate(length);
    inline.runs.retain(|run| run.range.start < length);
    if let Some(run) = inline.runs.last_mut() {
        let cut = run.range.end.saturating_sub(length);
        run.range.end -= cut;
        run.source.end = run.source.end.saturating_sub(cut).max(run.source.start);
    }
}
