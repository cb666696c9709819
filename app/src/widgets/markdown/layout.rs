//! Text layout of one inline text: runs in their fonts, citation chips, and where links and marks lie.

use std::ops::Range;
use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align, Color32, FontId, Galley, Rect, Stroke};

use super::block::{Inline, RunStyle};
use super::cite::Marks;
use crate::design::{Tokens, Type};

/// What a citation chip shows before and after its number, so that a round ground fits behind it.
const CHIP_SIDE: &str = "\u{a0}\u{a0}";

/// An inline text ready for egui's layout. Ranges count characters of the job's text.
#[derive(Clone, Debug)]
pub(super) struct TextJob {
    pub job: LayoutJob,
    pub chips: Vec<(Range<usize>, u32)>,
    pub links: Vec<(Range<usize>, Arc<str>)>,
    pub unsupported: Vec<Range<usize>>,
}

/// How the text of a block is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Setting {
    pub kind: Type,
    pub color: Color32,
    pub strong: bool,
    pub width: f32,
    pub align: Align,
}

pub(super) fn text_job(tokens: &Tokens, inline: &Inline, marks: &Marks, setting: Setting) -> TextJob {
    let mut build = Build {
        tokens,
        setting,
        job: LayoutJob {
            wrap: TextWrapping { max_width: setting.width, ..TextWrapping::default() },
            halign: setting.align,
            ..LayoutJob::default()
        },
        characters: 0,
        chips: Vec::new(),
        links: Vec::new(),
    };
    let mut starts: Vec<Option<usize>> = vec![None; marks.unsupported.len()];
    let mut unsupported = Vec::new();
    let mut citations = marks.citations.iter().peekable();
    // Every place where something begins or ends cuts a run.
    for run in &inline.runs {
        let mut at = run.range.start;
        while at < run.range.end {
            let cuts = marks.unsupported.iter().flat_map(|range| [range.start, range.end]);
            let next = cuts
                .chain(citations.peek().map(|(position, _)| *position))
                .filter(|&cut| cut > at && cut < run.range.end)
                .min()
                .unwrap_or(run.range.end);
            for (start, range) in starts.iter_mut().zip(&marks.unsupported) {
                if start.is_none() && range.contains(&at) {
                    *start = Some(build.characters);
                }
            }
            build.text(&inline.text[at..next], run.style, run.link.as_ref());
            at = next;
            for (start, range) in starts.iter_mut().zip(&marks.unsupported) {
                if range.end == at
                    && let Some(start) = start.take()
                {
                    unsupported.push(start..build.characters);
                }
            }
            while let Some((_, list)) = citations.next_if(|(position, _)| *position <= at) {
                list.iter().for_each(|&citation| build.chip(citation));
            }
        }
    }
    citations.for_each(|(_, list)| list.iter().for_each(|&citation| build.chip(citation)));
    if build.job.sections.is_empty() {
        build.text(" ", RunStyle::default(), None);
    }
    TextJob { job: build.job, chips: build.chips, links: build.links, unsupported }
}

struct Build<'a> {
    tokens: &'a Tokens,
    setting: Setting,
    job: LayoutJob,
    characters: usize,
    chips: Vec<(Range<usize>, u32)>,
    links: Vec<(Range<usize>, Arc<str>)>,
}

impl Build<'_> {
    fn text(&mut self, text: &str, style: RunStyle, link: Option<&Arc<str>>) {
        let c = &self.tokens.color;
        let size = self.tokens.font(self.setting.kind).size;
        let family = match (style.code, style.strong || self.setting.strong) {
            (true, _) => self.tokens.font(Type::Code).family,
            (false, true) => self.tokens.font(Type::Title).family,
            (false, false) => self.tokens.font(Type::Body).family,
        };
        let size = if style.code { size - 1.0 } else { size };
        let line = |on: bool, color| if on { Stroke::new(1.0, color) } else { Stroke::NONE };
        let color = if link.is_some() { c.accent } else { self.setting.color };
        let format = TextFormat {
            font_id: FontId::new(size, family),
            line_height: Some(self.tokens.line_height(self.setting.kind)),
            color,
            italics: style.emphasis,
            strikethrough: line(style.strikethrough, color),
            ..TextFormat::default()
        };
        self.job.append(text, 0.0, format);
        let start = self.characters;
        self.characters += text.chars().count();
        if let Some(link) = link {
            match self.links.last_mut() {
                Some((range, last)) if range.end == start && last == link => range.end = self.characters,
                _ => self.links.push((start..self.characters, link.clone())),
            }
        }
    }

    fn chip(&mut self, citation: u32) {
        let number = u64::from(citation) + 1;
        let text = format!("{CHIP_SIDE}{number}{CHIP_SIDE}");
        let format = TextFormat {
            font_id: self.tokens.font(Type::Label),
            line_height: Some(self.tokens.line_height(self.setting.kind)),
            color: self.tokens.color.accent,
            valign: Align::Center,
            ..TextFormat::default()
        };
        self.job.append(&text, self.tokens.space.xs, format);
        let start = self.characters;
        self.characters += text.chars().count();
        self.chips.push((start..self.characters, citation));
    }
}

/// Rectangles, one per row, of a range of characters, relative to the galley.
pub(super) fn rects(galley: &Galley, range: &Range<usize>) -> Vec<Rect> {
    let mut rects = Vec::new();
    let mut first = 0;
    for row in &galley.rows {
        let count = row.glyphs.len();
        let (from, to) = (range.start.max(first), range.end.min(first + count));
        if from < to {
            let (left, right) = (&row.glyphs[from - first], &row.glyphs[to - first - 1]);
            rects.push(Rect::from_min_max(
                egui::pos2(row.pos.x + left.pos.x, row.pos.y),
                egui::pos2(row.pos.x + right.max_x(), row.pos.y + row.height()),
            ));
        }
        first += count + usize::from(row.ends_with_newline);
        if first >= range.end {
            break;
        }
    }
    rects
}
