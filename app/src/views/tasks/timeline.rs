//! What happened to a task, moment by moment.

use egui::{Align2, Sense, Stroke, Ui, vec2};
use rspa_core::model::TaskDetail;

use super::words;
use crate::design::{Icon, Type, UiExt};
use crate::text::{moment, tr, tr_known};
use crate::widgets::{Tone, list, speak_as};

const ROW: f32 = 28.0;
/// Moments that are shown: the newest.
const MOST: usize = 500;

pub fn ui(ui: &mut Ui, detail: &TaskDetail) {
    let tokens = ui.tokens();
    if detail.timeline.is_empty() {
        ui.label(tokens.rich(Type::Secondary, tr("tasks.timeline.none")));
        return;
    }
    let left_out = detail.timeline.len().saturating_sub(MOST);
    let shown = &detail.timeline[left_out..];
    for (place, happened) in shown.iter().enumerate() {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
        let (icon, tone) = look(&happened.kind);
        let name = tr_known(&format!("tasks.moment.{}", happened.kind))
            .map_or_else(|| words::short(&happened.kind, 40), str::to_owned);
        let text = match words::short(&happened.detail, 400) {
            detail if detail.is_empty() => name,
            detail => format!("{name} · {detail}"),
        };
        let time = moment(happened.at);
        speak_as(ui, &response, egui::Role::ListItem, &format!("{time}: {text}"));
        let middle = rect.center().y;
        let ink = if tone == Tone::Neutral { tokens.color.text_3 } else { tone.ink(tokens) };
        let x = rect.left() + 8.0;
        if place + 1 < shown.len() {
            let stroke = Stroke::new(1.0, tokens.color.line);
            ui.painter().vline(x, (middle + 9.0)..=(middle + ROW - 9.0), stroke);
        }
        ui.painter().text(egui::pos2(x, middle), Align2::CENTER_CENTER, icon.code(), Icon::font(14.0), ink);
        let at = rect.left() + 28.0;
        list::line(ui, at, at + 150.0, middle, &time, Type::Secondary, tokens.color.text_3);
        list::line(ui, at + 160.0, rect.right(), middle, &text, Type::Body, tokens.color.text);
    }
}

fn look(kind: &str) -> (Icon, Tone) {
    match kind {
        "created" => (Icon::PlusCircle, Tone::Neutral),
        "queued" => (Icon::Tray, Tone::Neutral),
        "assigned" => (Icon::Robot, Tone::Neutral),
        "started" => (Icon::PlayCircle, Tone::Accent),
        "retried" => (Icon::ArrowClockwise, Tone::Warn),
        "waits" => (Icon::Hourglass, Tone::Warn),
        "completed" => (Icon::CheckCircle, Tone::Ok),
        "failed" => (Icon::XCircle, Tone::Bad),
        "cancelled" => (Icon::MinusCircle, Tone::Neutral),
        "moved" => (Icon::ArrowsLeftRight, Tone::Neutral),
        _ => (Icon::PencilSimple, Tone::Neutral),
    }
}
