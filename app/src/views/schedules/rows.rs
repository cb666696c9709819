//! The list: name and timing in words, who does it, when it runs next, and its switch. Only what is seen is drawn.

use egui::{Align, Layout, Rect, Role, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use rspa_core::model::{Schedule, ScheduleId, Timing};

use super::{push, until};
use crate::commands::pages::schedules::SchedulesCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{since, tr, tr_with};
use crate::views::Cx;
use crate::widgets::list::line;
use crate::widgets::{focus_ring, toggle};

/// Points that the switch takes.
const SWITCH: f32 = 48.0;
/// Points of the column of times.
const TIMES: f32 = 150.0;

/// The one that was clicked.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, list: &[Schedule]) -> Option<ScheduleId> {
    let height = ui.tokens().size.row_two_lines;
    let mut clicked = None;
    let scroll = ScrollArea::vertical().id_salt("schedules").auto_shrink(false);
    scroll.show_rows(ui, height, list.len(), |ui, range| {
        for schedule in &list[range] {
            if row(ui, cx, schedule) {
                clicked = Some(schedule.id);
            }
        }
    });
    clicked
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, one: &Schedule) -> bool {
    let tokens = ui.tokens();
    let size = vec2(ui.available_width(), tokens.size.row_two_lines);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let name = &one.settings.name;
    let place = Rect::from_min_max(pos2(rect.left() + tokens.space.l + SWITCH, rect.top()), rect.max);
    let response = ui.interact(place, ui.scope_id().with(("schedule", one.id)), Sense::click());
    let chosen = cx.state.pages.schedules.chosen == Some(one.id);
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, chosen, name));
    let fill = match (chosen, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, 0.0, fill);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    if response.has_focus() {
        focus_ring(ui, place.shrink(2.0));
    }
    let (first, second) = (rect.top() + 18.0, rect.top() + 38.0);
    let right = rect.right() - tokens.space.l;
    let times = (right - TIMES).max(place.left() + 120.0);
    let ink = if one.settings.enabled { tokens.color.text } else { tokens.color.text_2 };
    line(ui, place.left(), times - tokens.space.m, first, name, Type::Strong, ink);
    match &one.problem {
        Some(problem) => {
            line(ui, place.left(), times - tokens.space.m, second, problem, Type::Secondary, tokens.color.warn)
        }
        None => {
            line(ui, place.left(), times - tokens.space.m, second, &one.words, Type::Secondary, tokens.color.text_2)
        }
    };
    line(ui, times, right, first, &next(one, cx), Type::Secondary, tokens.color.text);
    let who = if one.agent_name.is_empty() { tr("schedules.yours") } else { &one.agent_name };
    let last = match one.last_run {
        Some(at) => tr_with("schedules.ran", &[("when", &since(at, cx.state.now))]),
        None => tr("schedules.never").to_owned(),
    };
    line(ui, times, right, second, &format!("{who} · {last}"), Type::Label, tokens.color.text_3);
    let switch = Rect::from_min_max(pos2(rect.left() + tokens.space.l, rect.top()), pos2(place.left(), rect.bottom()));
    let builder = UiBuilder::new().id_salt(one.id).max_rect(switch).layout(Layout::left_to_right(Align::Center));
    ui.scope_builder(builder, |ui| {
        let mut on = one.settings.enabled;
        if toggle(ui, &mut on, &tr_with("schedules.switch_named", &[("name", name)])).changed() {
            push(cx, SchedulesCommand::Enable { id: one.id, enabled: on });
        }
    });
    response.clicked()
}

/// When it runs next, in a few words.
pub fn next(one: &Schedule, cx: &Cx<'_>) -> String {
    match one.next_run {
        Some(at) => until(at, cx.state.now),
        None if !one.settings.enabled => tr("schedules.off").to_owned(),
        None if matches!(one.settings.timing, Timing::When { .. }) => tr("schedules.waits").to_owned(),
        None => tr("schedules.over").to_owned(),
    }
}

/// What stands before a timing.
pub fn icon(timing: &Timing) -> Icon {
    match timing {
        Timing::When { .. } => Icon::Flag,
        Timing::Every { .. } => Icon::Timer,
        _ => Icon::Clock,
    }
}
