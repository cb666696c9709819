//! A card for one found passage: its number, file and lines, and two lines of it with the words marked.

pub mod excerpt;

use std::ops::Range;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Color32, CornerRadius, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};
use rspa_core::model::Passage;

use super::citation::{heading, lines, name, place};
use crate::design::{Tokens, Type, UiExt};
use crate::text::short;

pub fn height(tokens: &Tokens) -> f32 {
    2.0 * tokens.space.s + 3.0 * tokens.line_height(Type::Secondary) + tokens.space.xs
}

/// Draws the card into `rect`. `words` come from [`excerpt::words`].
pub fn passage_card(ui: &mut Ui, rect: Rect, number: usize, passage: &Passage, words: &[String]) -> Response {
    let tokens = ui.tokens();
    let id = ui.scope_id().with(("passage", number, passage.id));
    let response = ui.interact(rect, id, Sense::click());
    let name = name(passage);
    let place = place(passage);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{number}. {name}, {place}")));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let c = &tokens.color;
    let (fill, line) = if response.hovered() { (c.bg3, c.line_strong) } else { (c.bg2, c.line) };
    ui.painter().rect(rect, CornerRadius::same(tokens.radius.card), fill, Stroke::new(1.0, line), StrokeKind::Inside);
    if response.has_focus() {
        super::focus_ring(ui, rect);
    }
    let inner = rect.shrink2(vec2(tokens.space.m, tokens.space.s));
    // A long name gives way before the lines, which say where to look.
    let mut place_job = LayoutJob::default();
    let lines = lines(passage);
    if !lines.is_empty() {
        append(tokens, &mut place_job, &format!("  {lines}"), Type::Body, c.text_3);
    }
    let place_width = ui.fonts_mut(|fonts| fonts.layout_job(place_job.clone())).size().x;
    let mut title = LayoutJob {
        wrap: TextWrapping::truncate_at_width((inner.width() - place_width).max(0.0)),
        ..LayoutJob::default()
    };
    append(tokens, &mut title, &format!("{number} · {name}"), Type::Strong, c.text);
    let at = inner.min;
    let title_width = paint(ui, title, at);
    if let Some(heading) = heading(passage) {
        let sign = if lines.is_empty() { "  " } else { " · " };
        append(tokens, &mut place_job, &format!("{sign}{}", short(heading, 200)), Type::Body, c.text_3);
    }
    place_job.wrap = TextWrapping::truncate_at_width(inner.width() - title_width);
    paint(ui, place_job, at + vec2(title_width, 0.0));

    let (text, marks) = excerpt::excerpt(&passage.text, words, 220);
    let mut job = marked(tokens, &text, &marks, c.text_2);
    job.wrap = TextWrapping { max_width: inner.width(), max_rows: 2, ..TextWrapping::default() };
    paint(ui, job, at + vec2(0.0, tokens.line_height(Type::Secondary) + tokens.space.xs));
    response.on_hover_text(format!("{}\n{place}", crate::text::path(&passage.path)))
}

/// Text in secondary size, with these bytes on the ground of a mark.
pub fn marked(tokens: &Tokens, text: &str, marks: &[Range<usize>], color: Color32) -> LayoutJob {
    let mut job = LayoutJob::default();
    let mut done = 0;
    for range in marks {
        if range.start < done || text.get(range.clone()).is_none() {
            continue;
        }
        append(tokens, &mut job, &text[done..range.start], Type::Secondary, color);
        let format =
            TextFormat { background: tokens.color.mark, ..format(tokens, Type::Secondary, tokens.color.accent) };
        job.append(&text[range.clone()], 0.0, format);
        done = range.end;
    }
    append(tokens, &mut job, &text[done..], Type::Secondary, color);
    job
}

pub fn append(tokens: &Tokens, job: &mut LayoutJob, text: &str, kind: Type, color: Color32) {
    if !text.is_empty() {
        job.append(text, 0.0, format(tokens, kind, color));
    }
}

fn format(tokens: &Tokens, kind: Type, color: Color32) -> TextFormat {
    TextFormat {
        font_id: egui::FontId::new(tokens.font(Type::Secondary).size, tokens.font(kind).family),
        line_height: Some(tokens.line_height(Type::Secondary)),
        color,
        ..TextFormat::default()
    }
}

/// Returns how wide it became.
fn paint(ui: &Ui, job: LayoutJob, at: egui::Pos2) -> f32 {
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let width = galley.size().x;
    ui.painter().galley(at, galley, Color32::PLACEHOLDER);
    width
}
