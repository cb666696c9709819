//! Choices as cards beside each other: a title and what it means; one of them is chosen.

use egui::{Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, text::LayoutJob, text::TextFormat, vec2};

use super::{cells, focus_ring};
use crate::design::{Tokens, Type, UiExt};

/// Draws the cards, as many beside each other as fit, all of one height. Returns the one that was clicked.
pub fn choice(ui: &mut Ui, options: &[(&str, &str)], chosen: Option<usize>) -> Option<usize> {
    let tokens = ui.tokens();
    let columns =
        if ui.available_width() > 180.0 * options.len() as f32 { options.len() } else { options.len().min(2) };
    let gap = tokens.space.s;
    let width = (ui.available_width() - gap * (columns as f32 - 1.0)) / columns as f32 - 2.0 * tokens.space.m;
    let height = |(title, detail): &(&str, &str)| {
        let layout = |job| ui.fonts_mut(|fonts| fonts.layout_job(job)).size().y;
        layout(job(tokens, title, Type::Strong, width)) + layout(job(tokens, detail, Type::Secondary, width))
    };
    let height = options.iter().map(height).fold(0.0, f32::max).ceil() + 2.0 * tokens.space.m;
    let mut clicked = None;
    for (row, some) in options.chunks(columns).enumerate() {
        if row > 0 {
            ui.add_space(gap);
        }
        cells(ui, columns, gap, |i, ui| {
            let index = row * columns + i;
            if let Some((title, detail)) = some.get(i)
                && card(ui, title, detail, chosen == Some(index), height)
            {
                clicked = Some(index);
            }
        });
    }
    clicked
}

fn card(ui: &mut Ui, title: &str, detail: &str, chosen: bool, height: f32) -> bool {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, title));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(detail));
    let (fill, edge) = match (chosen, response.hovered()) {
        (true, _) => (tokens.color.selection, tokens.color.accent),
        (false, true) => (tokens.color.bg3, tokens.color.line),
        (false, false) => (tokens.color.bg2, tokens.color.line),
    };
    ui.painter().rect(rect, tokens.radius.card, fill, Stroke::new(1.0, edge), StrokeKind::Inside);
    if response.has_focus() {
        focus_ring(ui, rect);
    }
    // Painted: the card speaks for itself.
    let inner = rect.shrink(tokens.space.m);
    let layout = |words, kind| ui.fonts_mut(|fonts| fonts.layout_job(job(tokens, words, kind, inner.width())));
    let head = layout(title, Type::Strong);
    let below = inner.min + vec2(0.0, head.size().y);
    ui.painter().galley(inner.min, head, tokens.color.text);
    ui.painter().galley(below, layout(detail, Type::Secondary), tokens.color.text_2);
    response.clicked()
}

fn job(tokens: &Tokens, words: &str, kind: Type, width: f32) -> LayoutJob {
    let color = if kind == Type::Strong { tokens.color.text } else { tokens.color.text_2 };
    let line_height = Some(tokens.line_height(kind));
    let format = TextFormat { line_height, ..TextFormat::simple(tokens.font(kind), color) };
    let mut job = LayoutJob::single_section(words.to_owned(), format);
    job.wrap.max_width = width;
    job
}
