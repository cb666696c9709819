//! What filled the context: a stacked bar, a line for each part, and what no longer fitted.

use egui::{Align, Color32, Layout, Rect, Sense, Ui, vec2};
use rspa_core::model::{ContextKind, ContextUse, Message};

use crate::design::{Tokens, Type, UiExt};
use crate::state::AppState;
use crate::text::{number, tr, tr_count};
use crate::views::chat::composer::used;
use crate::widgets::hairline;

/// Turns that were left out, of which the beginning is shown.
const DROPPED: usize = 20;

/// Of an answer; from its figures alone where nobody noted more.
pub fn ui(ui: &mut Ui, state: &AppState, answer: &Message) {
    let tokens = ui.tokens();
    if let Some(context) = &answer.context {
        whole(ui, context);
        return;
    }
    let Some(stats) = &answer.stats else {
        ui.label(tokens.rich(Type::Secondary, tr("chat.context.not_yet")));
        ui.add_space(tokens.space.m);
        hairline(ui);
        ui.add_space(tokens.space.m);
        return;
    };
    let models = state.models.list.get().map_or(&[][..], |list| list.models.as_slice());
    let room = models.iter().find(|model| model.id.0 == stats.model).or_else(|| state.chat_model());
    let room = room.map(|model| model.info.context_length as u64);
    let (prompt, written) = (u64::from(stats.prompt_tokens), u64::from(stats.answer_tokens));
    let total = room.unwrap_or(prompt + written).max(prompt + written).max(1);
    let parts = [
        (tr("chat.context.read"), prompt, tokens.color.accent),
        (tr("chat.context.written"), written, tokens.color.warn),
    ];
    stack(ui, &parts.map(|(_, count, color)| (count, color)), total);
    ui.add_space(tokens.space.xs);
    for (name, count, color) in parts {
        legend(ui, name, &number(count), Some(color));
    }
    if let Some(room) = room {
        legend(ui, tr("chat.context.free"), &number(room.saturating_sub(prompt + written)), Some(tokens.color.bg3));
    }
    ui.add_space(tokens.space.s);
    hairline(ui);
    ui.add_space(tokens.space.m);
}

/// All that is known of how a context is filled.
pub fn whole(ui: &mut Ui, context: &ContextUse) {
    let tokens = ui.tokens();
    let limit = u64::from(context.limit);
    let parts: Vec<_> = context
        .parts
        .iter()
        .filter(|part| part.tokens > 0)
        .map(|part| (part, u64::from(part.tokens), color(tokens, part.kind)))
        .collect();
    let sum: u64 = parts.iter().map(|(_, count, _)| count).sum();
    let pieces: Vec<_> = parts.iter().map(|(_, count, color)| (*count, *color)).collect();
    stack(ui, &pieces, limit.max(sum).max(1));
    ui.add_space(tokens.space.xs);
    for (part, count, color) in parts {
        let title = name(part.kind);
        let title =
            if part.count > 1 { format!("{title} ({})", number(u64::from(part.count))) } else { title.to_owned() };
        legend(ui, &title, &number(count), Some(color));
    }
    legend(ui, tr("chat.context.free"), &number(limit.saturating_sub(sum)), Some(tokens.color.bg3));
    let note = crate::text::tr_with("chat.context.limit", &[("n", &number(used(context))), ("room", &number(limit))]);
    ui.label(tokens.rich(Type::Label, note));
    left_out(ui, context);
    ui.add_space(tokens.space.s);
    hairline(ui);
    ui.add_space(tokens.space.m);
}

/// Turns that did not fit, and the summary that stands for them.
fn left_out(ui: &mut Ui, context: &ContextUse) {
    let tokens = ui.tokens();
    if context.dropped.is_empty() && context.summary.is_empty() {
        return;
    }
    ui.add_space(tokens.space.s);
    if !context.dropped.is_empty() {
        let words = tr_count("chat.context.dropped", context.dropped.len() as u64);
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, words).color(tokens.color.warn)).wrap());
        for beginning in context.dropped.iter().take(DROPPED) {
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, format!("· {beginning}"))).truncate());
        }
        if context.dropped.len() > DROPPED {
            let more = tr_count("chat.context.dropped_more", (context.dropped.len() - DROPPED) as u64);
            ui.label(tokens.rich(Type::Label, more));
        }
    }
    if !context.summary.is_empty() {
        ui.add_space(tokens.space.xs);
        ui.label(tokens.rich(Type::Strong, tr("chat.context.summary_title")));
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, &context.summary)).wrap());
    }
}

fn name(kind: ContextKind) -> &'static str {
    match kind {
        ContextKind::System => tr("chat.context.system"),
        ContextKind::Tools => tr("chat.context.tools"),
        ContextKind::Summary => tr("chat.context.summary"),
        ContextKind::Attachments => tr("chat.context.attachments"),
        ContextKind::Passages => tr("chat.context.passages"),
        ContextKind::History => tr("chat.context.history"),
        ContextKind::Question => tr("chat.context.question"),
        ContextKind::Answer => tr("chat.context.answer"),
    }
}

/// Colours of the parts: told apart by the words beside them, never by colour alone.
fn color(tokens: &Tokens, kind: ContextKind) -> Color32 {
    let c = &tokens.color;
    match kind {
        ContextKind::System => c.text_3,
        ContextKind::Tools => c.warn,
        ContextKind::Summary => c.code_keyword,
        ContextKind::Attachments => c.code_type,
        ContextKind::Passages => c.accent,
        ContextKind::History => c.text_2,
        ContextKind::Question => c.ok,
        ContextKind::Answer => c.line_strong,
    }
}

/// Pieces of a bar, each as long as its share.
fn stack(ui: &mut Ui, pieces: &[(u64, Color32)], total: u64) {
    let tokens = ui.tokens();
    let (bar, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.space.s), Sense::hover());
    ui.painter().rect_filled(bar, 0.0, tokens.color.bg3);
    let mut left = bar.left();
    for (count, color) in pieces {
        let width = bar.width() * *count as f32 / total as f32;
        let piece = Rect::from_min_size(egui::pos2(left, bar.top()), vec2(width, bar.height()));
        ui.painter().rect_filled(piece, 0.0, *color);
        left += width;
    }
}

/// A dot in a colour, what it stands for, and the figure.
fn legend(ui: &mut Ui, name: &str, figure: &str, color: Option<egui::Color32>) {
    let tokens = ui.tokens();
    let size = vec2(ui.available_width(), tokens.size.control);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.label(tokens.rich(Type::Secondary, figure));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            if let Some(color) = color {
                let (dot, _) = ui.allocate_exact_size(vec2(tokens.space.s, tokens.space.s), Sense::hover());
                ui.painter().circle_filled(dot.center(), dot.width() / 2.0, color);
            }
            ui.label(tokens.rich(Type::Body, name));
        });
    });
}
