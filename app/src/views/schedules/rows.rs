//! The list: name and timing in words, who does it, when it runs next, and its switch. Only what is seen is drawn.

use egui::{Align, Layout, Rect, Role, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use rspa_core::model::{Schedule, ScheduleId, ScheduleOutcome, Timing};

use super::{push, until};
use crate::commands::pages::schedules::SchedulesCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{sentence, since, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::list::line;
use crate::widgets::{Tone, focus_ring, toggle};

/// Points that the switch takes.
const SWITCH: f32 = 48.0;
/// Points of the column of times.
const TIMES: f32 = 170.0;

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
            let who = if one.agent_name.is_empty() { tr("schedules.yours") } else { &one.agent_name };
            let words = format!("{} · {who}", one.words);
            line(ui, place.left(), times - tokens.space.m, second, &words, Type::Secondary, tokens.color.text_2)
        }
    };
    line(ui, times, right, first, &next(one, cx), Type::Secondary, tokens.color.text);
    let (tone, last) = outcome(one, cx);
    let ink = if tone == Tone::Neutral { tokens.color.text_3 } else { tone.ink(tokens) };
    line(ui, times, right, second, &last, Type::Label, ink);
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

/// What became of it the last time, in a few words.
fn outcome(one: &Schedule, cx: &Cx<'_>) -> (Tone, String) {
    let ran = || one.last_run.map(|at| tr_with("schedules.ran", &[("when", &since(at, cx.state.now))]));
    match &one.last_outcome {
        Some(ScheduleOutcome::Failed { why }) => (Tone::Bad, sentence(why).into_owned()),
        Some(ScheduleOutcome::Missed { times }) => (Tone::Warn, tr_count("schedules.missed_times", *times)),
        Some(ScheduleOutcome::Ran { late: true, .. }) => {
            (Tone::Warn, ran().map(|words| format!("{words}, {}", tr("schedules.late"))).unwrap_or_default())
        }
        _ => (Tone::Neutral, ran().unwrap_or_else(|| tr("schedules.never").to_owned())),
    }
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
