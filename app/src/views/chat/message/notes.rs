//! Lines of an answer that are no text of it: what it waits for, why it failed.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, CornerRadius, Id, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use rspa_core::api::ApiError;
use rspa_core::model::Message;

use crate::design::{Icon, Tokens, Type};
use crate::state::AppState;
use crate::text::{number, tr, tr_with};
use crate::widgets::progress_bar;

/// A line of text that a screen reader finds.
pub fn label(ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, text: &str, color: Color32) -> Rect {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), tokens.font(Type::Secondary), color);
    let place = Rect::from_min_size(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley.size());
    let response = ui.interact(place, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().galley(place.min, galley, color);
    place
}

/// A line with an icon in front of it.
pub fn remark(ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, icon: Icon, text: &str, ink: Color32) {
    let at = pos2(rect.left(), rect.center().y);
    let font = Icon::font(tokens.size.icon);
    let left = ui.painter().text(at, egui::Align2::LEFT_CENTER, icon.code(), font, ink);
    let rest = Rect::from_min_max(pos2(left.right() + tokens.space.xs, rect.top()), rect.max);
    label(ui, tokens, id, rest, text, ink);
}

pub fn preparing(ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, state: &AppState, message: &Message) {
    let reading = state.chats.reading.get(&message.id);
    let text = match reading {
        Some((_, 0)) => tr("chat.waits").to_owned(),
        Some((done, total)) => {
            tr_with("chat.reading", &[("done", &number(u64::from(*done))), ("total", &number(u64::from(*total)))])
        }
        None if message.passages.is_empty() => tr("chat.preparing").to_owned(),
        None => tr("chat.starting_model").to_owned(),
    };
    let line = Rect::from_min_size(rect.min, vec2(rect.width(), tokens.line_height(Type::Body)));
    label(ui, tokens, id.with("preparing"), line, &text, tokens.color.text_2);
    if let Some((done, total)) = reading.filter(|(_, total)| *total > 0) {
        let below = Rect::from_min_max(pos2(rect.left(), line.bottom() + tokens.space.xs), rect.max);
        ui.scope_builder(UiBuilder::new().id_salt(id.with("bar")).max_rect(below), |ui| {
            let fraction = *done as f32 / *total as f32;
            progress_bar(ui, &text, Some(fraction), tokens.size.list.min(rect.width()));
        });
    }
}

type Galley = std::sync::Arc<egui::Galley>;

pub fn failure(ui: &Ui, tokens: &Tokens, error: &ApiError, width: f32) -> (Galley, Galley) {
    let width = width - 2.0 * tokens.space.m - tokens.size.icon - tokens.space.s;
    let galley = |text: &str, kind, color| {
        let mut job = LayoutJob::simple(text.to_owned(), tokens.font(kind), color, width);
        job.wrap = TextWrapping { max_width: width, max_rows: 12, ..TextWrapping::default() };
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    (
        galley(&error.message, Type::Strong, tokens.color.bad),
        galley(&error.advice, Type::Secondary, tokens.color.text_2),
    )
}

pub fn failed(ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, error: &ApiError) {
    let (title, advice) = failure(ui, tokens, error, rect.width());
    let response = ui.interact(rect, id.with("failed"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, format!("{} {}", error.message, error.advice)));
    ui.painter().rect_filled(rect, CornerRadius::same(tokens.radius.card), tokens.color.bad_soft);
    let at = rect.min + vec2(tokens.space.m, tokens.space.m);
    let icon = Icon::font(tokens.size.icon);
    ui.painter().text(at, egui::Align2::LEFT_TOP, Icon::WarningCircle.code(), icon, tokens.color.bad);
    let at = at + vec2(tokens.size.icon + tokens.space.s, 0.0);
    let below = at + vec2(0.0, title.size().y + tokens.space.xs);
    ui.painter().galley(at, title, tokens.color.bad);
    ui.painter().galley(below, advice, tokens.color.text_2);
}
