//! Shows a Markdown text: keeps its parse, its text layouts and heights, and draws only the blocks in view.

use std::ops::Range;

use egui::{Align, CornerRadius, Id, Rect, Role, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use rspa_core::model::SentenceSupport;

use super::block::{Alignment, Block, Content, Inline, Marker};
use super::cite::{Marks, marks};
use super::layout::{Setting, TextJob, text_job};
use super::parsed::Parsed;
use super::{MarkdownEvent, code_block, text};
use crate::design::{Tokens, Type, UiExt};

/// More rows of a table are counted, not drawn.
const TABLE_ROWS: usize = 300;
/// A column is squeezed to this width at most: a table that needs more scrolls sideways.
const NARROWEST: f32 = 88.0;

/// What was laid out for one block.
struct Laid {
    /// Without the gap above it.
    height: f32,
    body: Body,
}

enum Body {
    Text(TextJob),
    Code(code_block::CodeBlock),
    Table(Table),
    Rule,
}

struct Table {
    /// Left edges of the columns, then the right edge of the last.
    edges: Vec<f32>,
    /// Top of each row, then the bottom of the last.
    tops: Vec<f32>,
    cells: Vec<Vec<TextJob>>,
    alignments: Vec<Align>,
    left_out: usize,
}

impl Table {
    fn width(&self) -> f32 {
        self.edges.last().copied().unwrap_or_default()
    }
}

/// A shown text and what is known of its look. One per message, kept between frames.
#[derive(Default)]
pub struct MarkdownView {
    parsed: Parsed,
    laid: Vec<Laid>,
    sentences: Vec<SentenceSupport>,
    key: Option<(u32, u32, bool, bool)>,
    height: f32,
    natural: f32,
    plain: bool,
}

impl MarkdownView {
    /// Shows the text as it was typed, without Markdown.
    pub fn plain() -> Self {
        Self { plain: true, ..Self::default() }
    }

    /// Brings the layout up to date and returns the height. Costs little while nothing changes.
    pub fn prepare(&mut self, ui: &Ui, source: &str, sentences: &[SentenceSupport], width: f32) -> f32 {
        let tokens = ui.tokens();
        let key = (width.to_bits(), ui.ctx().pixels_per_point().to_bits(), tokens.dark, tokens.high_contrast);
        let changed_text = self.parsed.text().len() != source.len() || self.parsed.text() != source;
        let changed_look = self.key != Some(key) || self.sentences != sentences;
        if !changed_text && !changed_look {
            return self.height;
        }
        let first = match (changed_text, self.plain) {
            (false, _) => self.parsed.blocks().len(),
            (true, false) => self.parsed.update(source),
            (true, true) => {
                self.parsed = Parsed::plain(source);
                0
            }
        };
        self.laid.truncate(if changed_look { 0 } else { first });
        if changed_look {
            self.key = Some(key);
            self.sentences = sentences.to_vec();
        }
        for index in self.laid.len()..self.parsed.blocks().len() {
            let laid = self.lay(ui, tokens, &self.parsed.blocks()[index], width);
            self.laid.push(laid);
        }
        if self.plain {
            let widths = self.laid.iter().map(|laid| match &laid.body {
                Body::Text(job) => text::galley(ui, job).size().x,
                _ => width,
            });
            self.natural = widths.fold(0.0, f32::max);
        }
        self.height = self.tops(tokens).last().map_or(0.0, |range| range.end);
        self.height
    }

    /// Width of the widest paragraph of a plain text, as wide as it was laid out.
    pub fn width(&self) -> f32 {
        self.natural
    }

    /// Draws the blocks that are in view, from the top left of `rect` on. `prepare` came before.
    pub fn show(&mut self, ui: &mut Ui, id: Id, rect: Rect) -> Vec<MarkdownEvent> {
        let tokens = ui.tokens();
        let mut events = Vec::new();
        let clip = ui.clip_rect();
        let blocks = self.parsed.blocks();
        for (index, range) in self.tops(tokens).enumerate() {
            let (top, bottom) = (rect.top() + range.start, rect.top() + range.end);
            if bottom < clip.top() || top > clip.bottom() {
                continue;
            }
            let block = &blocks[index];
            let left = rect.left() + inset(tokens, block);
            let area = Rect::from_min_max(pos2(left, top), pos2(rect.right(), bottom));
            quote_bars(ui, tokens, block, area);
            if let Some(marker) = block.marker {
                self.marker(ui, tokens, marker, area, id.with(("task", index)));
            }
            draw(ui, id.with(index), &self.laid[index].body, area, &mut events);
        }
        events
    }

    /// From where to where each block reaches, relative to the text's top.
    fn tops(&self, tokens: &Tokens) -> impl Iterator<Item = Range<f32>> {
        let blocks = self.parsed.blocks();
        let mut y = 0.0;
        self.laid.iter().enumerate().map(move |(index, laid)| {
            if index > 0 {
                y += gap(tokens, &blocks[index - 1], &blocks[index]);
            }
            let top = y;
            y += laid.height;
            top..y
        })
    }

    fn lay(&self, ui: &Ui, tokens: &Tokens, block: &Block, width: f32) -> Laid {
        let width = (width - inset(tokens, block)).max(tokens.size.chip);
        let color = if block.quote > 0 { tokens.color.text_2 } else { tokens.color.text };
        let setting = Setting { kind: Type::Body, color, strong: false, width, align: Align::LEFT };
        let body = match &block.content {
            Content::Paragraph(inline) => Body::Text(self.text(tokens, block, inline, setting)),
            Content::Heading(level, inline) => {
                let kind = match level {
                    1 => Type::Heading,
                    2 => Type::Title,
                    _ => Type::Body,
                };
                Body::Text(self.text(tokens, block, inline, Setting { kind, strong: true, ..setting }))
            }
            Content::Code { language, text } => Body::Code(code_block::CodeBlock::new(tokens, language, text)),
            Content::Table { alignments, rows } => {
                Body::Table(self.table(ui, tokens, block, alignments, rows, setting))
            }
            Content::Rule => Body::Rule,
        };
        let height = match &body {
            Body::Text(job) => text::galley(ui, job).size().y,
            Body::Code(code) => code.height(tokens),
            Body::Table(table) => {
                let note = if table.left_out > 0 { tokens.line_height(Type::Secondary) } else { 0.0 };
                table.tops.last().copied().unwrap_or_default() + note
            }
            Body::Rule => 1.0,
        };
        Laid { height, body }
    }

    fn text(&self, tokens: &Tokens, block: &Block, inline: &Inline, setting: Setting) -> TextJob {
        let marks = self.marks(inline, &block.source);
        text_job(tokens, inline, &marks, setting)
    }

    fn marks(&self, inline: &Inline, within: &Range<usize>) -> Marks {
        if self.sentences.is_empty() {
            Marks::default()
        } else {
            marks(self.parsed.text(), inline, within, &self.sentences)
        }
    }

    fn table(
        &self,
        ui: &Ui,
        tokens: &Tokens,
        _block: &Block,
        alignments: &[Alignment],
        rows: &[Vec<Inline>],
        setting: Setting,
    ) -> Table {
        let left_out = rows.len().saturating_sub(TABLE_ROWS);
        let rows = &rows[..rows.len() - left_out];
        let columns = alignments.len().max(1);
        let pad = tokens.space.s;
        let mut natural = vec![tokens.size.chip; columns];
        let job = |inline: &Inline, head: bool, width: f32, align: Align| {
            let marks = self.marks(inline, &inline.source());
            text_job(tokens, inline, &marks, Setting { strong: head, width, align, ..setting })
        };
        for (number, row) in rows.iter().enumerate() {
            for (column, inline) in row.iter().enumerate() {
                let width = text::galley(ui, &job(inline, number == 0, f32::INFINITY, Align::LEFT)).size().x;
                natural[column] = natural[column].max(width.ceil());
            }
        }
        let free = (setting.width - pad * 2.0 * columns as f32).max(columns as f32 * tokens.size.chip);
        let widths = fit(&natural, free);
        let mut edges = vec![0.0];
        for width in &widths {
            edges.push(edges[edges.len() - 1] + width + 2.0 * pad);
        }
        let alignments: Vec<Align> = alignments
            .iter()
            .map(|alignment| match alignment {
                Alignment::Left => Align::LEFT,
                Alignment::Center => Align::Center,
                Alignment::Right => Align::RIGHT,
            })
            .collect();
        let mut tops = vec![0.0];
        let mut cells = Vec::with_capacity(rows.len());
        for (number, row) in rows.iter().enumerate() {
            let row: Vec<TextJob> = row
                .iter()
                .enumerate()
                .map(|(column, inline)| job(inline, number == 0, widths[column], alignments[column]))
                .collect();
            let height = row.iter().map(|job| text::galley(ui, job).size().y).fold(0.0, f32::max);
            tops.push(tops[tops.len() - 1] + height + tokens.space.s);
            cells.push(row);
        }
        Table { edges, tops, cells, alignments, left_out }
    }

    fn marker(&self, ui: &mut Ui, tokens: &Tokens, marker: Marker, area: Rect, id: Id) {
        let line = tokens.line_height(Type::Body);
        let right = pos2(area.left() - tokens.space.s, area.top() + line / 2.0);
        let ink = tokens.color.text_2;
        match marker {
            Marker::Bullet => {
                ui.painter().circle_filled(right - vec2(tokens.space.xs, 0.0), tokens.space.xs / 2.0, ink);
            }
            Marker::Number(number) => {
                let font = tokens.font(Type::Body);
                ui.painter().text(right, egui::Align2::RIGHT_CENTER, format!("{number}."), font, ink);
            }
            Marker::Task { done } => {
                let side = tokens.space.m;
                let rect = Rect::from_center_size(right - vec2(side / 2.0, 0.0), vec2(side, side));
                let response = ui.interact(rect, id, Sense::hover());
                response.widget_info(|| {
                    WidgetInfo::selected(Role::CheckBox, false, done, crate::text::tr("markdown.task"))
                });
                let radius = CornerRadius::same(tokens.radius.small);
                ui.painter().rect_stroke(rect, radius, Stroke::new(1.0, tokens.color.line_strong), StrokeKind::Inside);
                if done {
                    let icon = crate::design::Icon::Check;
                    let font = crate::design::Icon::font(side);
                    let middle = rect.center();
                    ui.painter().text(middle, egui::Align2::CENTER_CENTER, icon.code(), font, tokens.color.ok);
                }
            }
        }
    }
}

fn draw(ui: &mut Ui, id: Id, body: &Body, area: Rect, events: &mut Vec<MarkdownEvent>) {
    let tokens = ui.tokens();
    match body {
        Body::Text(job) => {
            text::show(ui, id, area.min, job, events);
        }
        Body::Code(code) => code.show(ui, id, area, events),
        Body::Rule => {
            ui.painter().hline(area.x_range(), area.top(), Stroke::new(1.0, tokens.color.line));
        }
        Body::Table(table) if table.width() <= area.width() + 1.0 => draw_table(ui, tokens, id, table, area, events),
        Body::Table(table) => {
            ui.scope_builder(UiBuilder::new().id_salt(id.with("table")).max_rect(area), |ui| {
                let scroll = egui::ScrollArea::horizontal().id_salt(id.with("scroll")).auto_shrink(false);
                scroll.show(ui, |ui| {
                    let (area, _) = ui.allocate_exact_size(vec2(table.width(), area.height()), Sense::hover());
                    draw_table(ui, tokens, id, table, area, events);
                });
            });
        }
    }
}

fn draw_table(ui: &mut Ui, tokens: &Tokens, id: Id, table: &Table, area: Rect, events: &mut Vec<MarkdownEvent>) {
    let clip = ui.clip_rect();
    let right = area.left() + table.edges.last().copied().unwrap_or_default();
    let x = area.left()..=right.min(area.right());
    let line = Stroke::new(1.0, tokens.color.line);
    for (number, row) in table.cells.iter().enumerate() {
        let (top, bottom) = (area.top() + table.tops[number], area.top() + table.tops[number + 1]);
        if bottom < clip.top() || top > clip.bottom() {
            continue;
        }
        for (column, job) in row.iter().enumerate() {
            let left = area.left() + table.edges[column] + tokens.space.s;
            let right = area.left() + table.edges[column + 1] - tokens.space.s;
            let x = match table.alignments[column] {
                Align::Min => left,
                Align::Center => (left + right) / 2.0,
                Align::Max => right,
            };
            text::show(ui, id.with((number, column)), pos2(x, top + tokens.space.xs), job, events);
        }
        ui.painter().hline(x.clone(), bottom - 0.5, line);
    }
    if table.left_out > 0 {
        let note = crate::text::tr_count("markdown.table_more", table.left_out as u64);
        let at = pos2(area.left(), area.bottom());
        ui.painter().text(at, egui::Align2::LEFT_BOTTOM, note, tokens.font(Type::Secondary), tokens.color.text_2);
    }
}

fn quote_bars(ui: &Ui, tokens: &Tokens, block: &Block, area: Rect) {
    for level in 0..block.quote {
        let x = area.left() - f32::from(level) * tokens.space.m - tokens.space.m + 1.0;
        let bar = Rect::from_min_size(pos2(x, area.top()), vec2(2.0, area.height()));
        ui.painter().rect_filled(bar, 1.0, tokens.color.line_strong);
    }
}

/// How far a block stands in from the left.
fn inset(tokens: &Tokens, block: &Block) -> f32 {
    f32::from(block.indent) * tokens.space.xl + f32::from(block.quote) * tokens.space.m
}

/// Space between two blocks.
fn gap(tokens: &Tokens, above: &Block, below: &Block) -> f32 {
    let space = &tokens.space;
    match (&above.content, &below.content) {
        (_, Content::Heading(..)) => space.l,
        (Content::Heading(..), _) => space.s,
        _ if below.marker.is_some() && below.indent > 0 && above.indent > 0 => space.xs,
        _ if below.indent > 0 && above.indent == 0 => space.s,
        _ if above.quote > 0 && below.quote > 0 => space.s,
        _ => space.m,
    }
}

/// Column widths that fit: narrow columns keep what they need, wide ones share the rest, but none gets too narrow to read.
fn fit(natural: &[f32], free: f32) -> Vec<f32> {
    if natural.iter().sum::<f32>() <= free {
        return natural.to_vec();
    }
    let mut widths = vec![0.0; natural.len()];
    let mut open: Vec<usize> = (0..natural.len()).collect();
    open.sort_by(|&a, &b| natural[a].total_cmp(&natural[b]));
    let mut rest = free;
    let mut left = open.len();
    for column in open {
        widths[column] = natural[column].min((rest / left as f32).max(NARROWEST));
        rest -= widths[column];
        left -= 1;
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn narrow_columns_keep_their_width() {
        assert_eq!(fit(&[50.0, 60.0], 200.0), [50.0, 60.0]);
        assert_eq!(fit(&[500.0, 40.0, 700.0], 240.0), [100.0, 40.0, 100.0]);
        // Where that is too narrow to read, the table is wider than its room.
        assert_eq!(fit(&[500.0, 500.0, 30.0], 120.0), [88.0, 88.0, 30.0]);
    }
}
