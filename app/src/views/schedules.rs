//! Schedules: a list with switches; beside it the one that is chosen, the form, or the background agents.

mod background;
mod detail;
mod form;
mod rows;

use egui::Ui;
use rspa_core::model::Timestamp;

use self::form::Form;
use super::{Cx, View};
use crate::commands::UiCommand;
use crate::commands::pages::schedules::SchedulesCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{clock, tr, tr_count, tr_with};
use crate::widgets::column::{Columns, column};
use crate::widgets::{Button, page_header, states};

#[derive(Default)]
pub struct SchedulesView {
    form: Option<Form>,
    /// What background agents still need, as it is typed.
    needs: background::Needs,
}

impl View for SchedulesView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.spacing_mut().item_spacing.y = 0.0;
        let page = &cx.state.pages.schedules;
        if page.wants_form {
            self.form = Some(Form::new(page.saved));
            push(cx, SchedulesCommand::FormOpened);
        }
        if self.form.as_ref().is_some_and(|form| form.is_saved(page.saved)) {
            self.form = None;
        }
        let Some(list) = page.list.get() else {
            page_header(ui, tr("page.schedules"), |_| {});
            match page.list.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        push(cx, SchedulesCommand::Refresh);
                    }
                }
                None => {
                    // Opened as part of a layout that was kept: nobody has asked yet.
                    if page.list.is_untouched() {
                        push(cx, SchedulesCommand::Refresh);
                    }
                    states::loading(ui, tr("schedules.loading"));
                }
            }
            return;
        };
        let columns = Columns::new(ui.available_rect_before_wrap(), ui.tokens(), false, true);
        let beside = self.form.is_some() || page.chosen.is_some();
        // Where there is no room for both, what is chosen stands in the place of the list.
        let narrow = columns.inspector.is_none();
        if !narrow || !beside {
            column(ui, "schedules", columns.centre, !narrow, |ui| {
                page_header(ui, tr("page.schedules"), |ui| {
                    let tokens = ui.tokens();
                    if ui.add(Button::new(tr("schedules.new")).icon(Icon::Plus).primary()).clicked() {
                        self.form = Some(Form::new(page.saved));
                    }
                    if !list.is_empty() {
                        ui.add_space(tokens.space.s);
                        ui.label(tokens.rich(Type::Secondary, tr_count("schedules.count", list.len() as u64)));
                    }
                });
                if list.is_empty() {
                    states::empty(ui, Icon::Clock, tr("schedules.empty"), tr("schedules.empty_detail"), |_| {});
                } else if let Some(chosen) = rows::ui(ui, cx, list) {
                    self.form = None;
                    push(cx, SchedulesCommand::Choose(Some(chosen)));
                }
            });
        }
        if let Some(rect) = columns.inspector.or(beside.then_some(columns.centre)) {
            column(ui, "schedule", rect, false, |ui| self.side(ui, cx));
        }
    }
}

impl SchedulesView {
    fn side(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let page = &cx.state.pages.schedules;
        if let Some(form) = &mut self.form {
            if !form.ui(ui, cx) {
                self.form = None;
            }
            return;
        }
        let chosen = page.chosen.and_then(|id| page.list.get()?.iter().find(|one| one.id == id));
        match chosen {
            Some(schedule) => {
                if detail::ui(ui, cx, schedule) {
                    self.form = Some(Form::of(schedule, page.saved));
                }
            }
            None => background::ui(ui, cx, &mut self.needs),
        }
    }
}

fn push(cx: &mut Cx<'_>, command: SchedulesCommand) {
    cx.commands.push(UiCommand::Schedules(command));
}

fn zoned(at: Timestamp) -> Option<jiff::Zoned> {
    Some(jiff::Timestamp::from_millisecond(at.0).ok()?.to_zoned(jiff::tz::TimeZone::system()))
}

/// How long until then: now, in 5 min, in 3 h, tomorrow 07:00, Sat 21 Nov 07:00.
fn until(at: Timestamp, now: Timestamp) -> String {
    let minutes = (at.0 - now.0 + 59_999).div_euclid(60_000);
    let (Some(then), Some(today)) = (zoned(at), zoned(now)) else { return String::new() };
    let days = today.date().until(then.date()).map_or(0, |span| span.get_days());
    match (minutes, days) {
        (..=0, _) => tr("schedules.now").to_owned(),
        (..60, _) => tr_with("schedules.in_minutes", &[("n", &minutes)]),
        (_, ..=0) => tr_with("schedules.in_hours", &[("n", &(minutes / 60))]),
        (_, 1) => tr_with("schedules.tomorrow", &[("time", &clock(at))]),
        _ if then.year() == today.year() => then.strftime("%a %-d %b %H:%M").to_string(),
        _ => then.strftime("%-d %b %Y %H:%M").to_string(),
    }
}

#[cfg(test)]
mod tests;
