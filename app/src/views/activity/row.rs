//! A row of the list: the day where it begins, the time, what happened.

use egui::{Align2, Color32, Id, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{Activity, ActivityId};

use crate::design::{Icon, Type, UiExt};
use crate::text::{clock, day_heading};
use crate::views::Cx;
use crate::widgets::activity;
use crate::widgets::list::line;

pub const HEIGHT: f32 = 32.0;
/// Width of the column of days.
const DAYS: f32 = 96.0;

/// Where a row stands.
pub struct Place<'a> {
    pub cx: &'a Cx<'a>,
    /// The newer one above it.
    pub before: Option<&'a Activity>,
    /// The first row in view.
    pub top: bool,
}

/// A row that has not come yet is empty.
pub fn ui(ui: &mut Ui, place: &Place<'_>, one: Option<&Activity>, chosen: Option<ActivityId>) -> Response {
    let tokens = ui.tokens();
    let (rect, empty) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let Some(one) = one else { return empty };
    // Its own, so that it keeps the keyboard when the details open beside the list.
    let response = ui.interact(rect, Id::unique(("activity", one.id)), Sense::click());
    if response.gained_focus() {
        ui.scroll_to_rect(rect, None);
    }
    let selected = chosen == Some(one.id);
    let kind = activity::words(&one.kind);
    let label = if one.title.is_empty() { kind.clone() } else { format!("{kind}: {}", one.title) };
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, ui.is_enabled(), selected, &label));
    let now = place.cx.state.now;
    let today = day_heading(one.at, now);
    let new_day = place.before.is_none_or(|before| day_heading(before.at, now) != today);
    let row = egui::Rect::from_min_max(pos2(rect.left() + DAYS, rect.top()), rect.right_bottom());
    let fill = match (selected, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(row, 0.0, fill);
    let across = if new_day { rect.x_range() } else { row.x_range() };
    if !place.top {
        ui.painter().hline(across, rect.top() + 0.5, Stroke::new(1.0, tokens.color.line));
    }
    if response.has_focus() {
        let stroke = Stroke::new(2.0, tokens.color.accent);
        ui.painter().rect_stroke(row.shrink(1.0), tokens.radius.small, stroke, egui::StrokeKind::Inside);
    }
    let middle = rect.center().y;
    if new_day || place.top {
        let left = rect.left() + tokens.space.l;
        line(ui, left, row.left() - tokens.space.xs, middle, &today, Type::Label, tokens.color.text_2);
    }
    let at = pos2(row.left() + tokens.space.s, middle);
    let font = tokens.font(Type::Label);
    let time = ui.painter().text(at, Align2::LEFT_CENTER, clock(one.at), font, tokens.color.text_3);
    let ink = activity::tone(&one.kind).ink(tokens);
    let at = pos2(time.right() + tokens.space.m, middle);
    ui.painter().text(at, Align2::LEFT_CENTER, activity::icon(&one.kind).code(), Icon::font(tokens.size.icon), ink);
    let left = at.x + tokens.size.icon + tokens.space.s;
    let right = row.right() - tokens.space.l;
    // The kind at the right, as far as there is room for it.
    let kind_left = left + (right - left) * 0.7;
    let words = one.agent.as_ref().map_or(kind.clone(), |agent| format!("{agent} · {kind}"));
    let end = line(ui, kind_left, right, middle, &words, Type::Label, tokens.color.text_3).left();
    line(ui, left, end - tokens.space.m, middle, &activity::title(&one.title), Type::Body, tokens.color.text);
    response
}
