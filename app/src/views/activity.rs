//! What happened: filtered by kind, agent, time and words, by day, live, each with all that is known of it.

mod detail;
mod filter;
mod row;

use egui::{ScrollArea, Stroke, Ui};
use rspa_core::model::{Activity, ActivityId, Page as ListPage};

use super::{Cx, View};
use crate::commands::pages::activity::ActivityCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, UiExt};
use crate::state::Signal;
use crate::state::pages::activity::PAGE;
use crate::text::{clock, tr, tr_count};
use crate::widgets::column::{Columns, column};
use crate::widgets::{Button, page_header, states};

#[derive(Default)]
pub struct ActivityView {
    filter: filter::Filter,
    chosen: Option<ActivityId>,
    /// The first row that is asked for.
    offset: u64,
    /// The row that is looked for, by a line of its day's text.
    line: Option<String>,
}

impl View for ActivityView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        ui.spacing_mut().item_spacing.y = 0.0;
        for signal in &cx.state.signals {
            if let Signal::ShowDay(day, line) = signal
                && let Some(filter) = filter::Filter::of_day(day)
            {
                *self = Self { filter, line: line.clone(), ..Self::default() };
            }
        }
        let total = cx.state.pages.activity.list.get().map(|page| page.total);
        page_header(ui, tr("page.activity"), |ui| {
            if ui
                .add(Button::new(tr("activity.clean_up")).icon(Icon::Broom).tooltip(tr("activity.clean_up_tip")))
                .clicked()
            {
                cx.commands.push(UiCommand::Confirm(ask_clean_up()));
            }
            if let Some(total) = total {
                let tokens = ui.tokens();
                ui.add_space(tokens.space.s);
                ui.label(tokens.rich(crate::design::Type::Secondary, tr_count("activity.count", total)));
            }
        });
        if self.filter.ui(ui, cx.state) {
            self.offset = 0;
        }
        let free = ui.available_rect_before_wrap();
        let tokens = ui.tokens();
        ui.painter().hline(free.x_range(), free.top() - 0.5, Stroke::new(1.0, tokens.color.line));
        let page = cx.state.pages.activity.list.get();
        let chosen = self.chosen.and_then(|id| page.and_then(|page| page.items.iter().find(|one| one.id == id)));
        let columns = Columns::new(free, tokens, false, chosen.is_some());
        match (chosen, columns.inspector) {
            (Some(one), Some(rect)) => {
                column(ui, "activities", columns.centre, true, |ui| self.list(ui, cx));
                let mut close = false;
                column(ui, "activity", rect, false, |ui| close = detail::ui(ui, cx, one, false));
                self.chosen = self.chosen.filter(|_| !close);
            }
            // No room beside the list: in its place, with a way back.
            (Some(one), None) => {
                if detail::ui(ui, cx, one, true) {
                    self.chosen = None;
                }
            }
            (None, _) => self.list(ui, cx),
        }
        let wanted = (self.filter.made(cx.state.now), self.offset);
        if cx.state.pages.activity.wanted.as_ref() != Some(&wanted) {
            let (filter, offset) = wanted;
            cx.commands.push(UiCommand::Activity(ActivityCommand::List { filter, offset }));
        }
    }
}

impl ActivityView {
    fn list(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let slot = &cx.state.pages.activity.list;
        match slot.get() {
            Some(page) if page.total == 0 && self.filter.is_set() => {
                states::empty(ui, Icon::Funnel, tr("activity.no_match"), tr("activity.no_match_detail"), |ui| {
                    if ui.add(Button::new(tr("activity.clear_filter"))).clicked() {
                        self.filter = filter::Filter::default();
                        self.offset = 0;
                    }
                });
            }
            Some(page) if page.total == 0 => {
                states::empty(ui, Icon::Pulse, tr("activity.empty"), tr("activity.empty_detail"), |_| {});
            }
            Some(page) => self.rows(ui, cx, page),
            None => match slot.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.push(UiCommand::Activity(ActivityCommand::Refresh));
                    }
                }
                None => states::loading(ui, tr("activity.loading")),
            },
        }
    }

    /// Looks for the row that is wanted in the part of the list that is there, and chooses it; else the next part is asked for.
    fn find(&mut self, cx: &Cx<'_>, page: &ListPage<Activity>) -> Option<u64> {
        let line = self.line.as_deref()?;
        let state = &cx.state.pages.activity;
        let asked = state.wanted.as_ref().is_some_and(|(filter, offset)| {
            *filter == self.filter.made(cx.state.now) && *offset == self.offset && page.offset == self.offset
        });
        if !asked || state.list.is_waiting() {
            return None;
        }
        if let Some(at) = page.items.iter().position(|activity| tells(line, activity)) {
            self.chosen = Some(page.items[at].id);
            self.line = None;
            return Some(page.offset + at as u64);
        }
        let end = page.offset + page.items.len() as u64;
        if end < page.total && !page.items.is_empty() {
            self.offset = end;
        } else {
            self.line = None;
        }
        None
    }

    fn rows(&mut self, ui: &mut Ui, cx: &Cx<'_>, page: &ListPage<Activity>) {
        let mut scroll = ScrollArea::vertical().id_salt("activities").auto_shrink(false);
        if let Some(row) = self.find(cx, page) {
            let offset = row as f32 * row::HEIGHT - ui.available_height() / 3.0;
            scroll = scroll.vertical_scroll_offset(offset.max(0.0));
        }
        let shown =
            scroll.show_rows(ui, row::HEIGHT, usize::try_from(page.total).unwrap_or(usize::MAX), |ui, range| {
                let one =
                    |index: usize| (index as u64).checked_sub(page.offset).and_then(|at| page.items.get(at as usize));
                for index in range.clone() {
                    let before = index.checked_sub(1).and_then(one);
                    // The day stands at its first row, and at the first that is in view.
                    let place = row::Place { cx, before, top: index == range.start };
                    let response = row::ui(ui, &place, one(index), self.chosen);
                    let Some(activity) = one(index) else { continue };
                    if response.clicked() {
                        self.chosen = (self.chosen != Some(activity.id)).then_some(activity.id);
                    } else if response.gained_focus() && self.chosen.is_some() {
                        // The details follow the arrows.
                        self.chosen = Some(activity.id);
                    }
                }
                range
            });
        let rows = shown.inner.start as u64..shown.inner.end as u64;
        let there = rows.start >= page.offset && rows.end <= page.offset + page.items.len() as u64;
        // Rows that are on their way already are not asked for again.
        if !there && self.line.is_none() && !cx.state.pages.activity.list.is_waiting() {
            self.offset = rows.start.saturating_sub(u64::from(PAGE) / 2);
        }
    }
}

/// Whether a line of a day's text, `09:12 agent started: Digest`, speaks of this activity.
fn tells(line: &str, activity: &Activity) -> bool {
    let title: Vec<&str> = activity.title.split_whitespace().collect();
    let line: Vec<&str> = line.split_whitespace().collect();
    line.first() == Some(&clock(activity.at).as_str()) && line.ends_with(&title)
}

fn ask_clean_up() -> Confirmation {
    Confirmation {
        title: tr("activity.clean_up_title").to_owned(),
        consequence: tr("activity.clean_up_consequence").to_owned(),
        verb: tr("activity.clean_up").to_owned(),
        danger: true,
        then: Box::new(UiCommand::Activity(ActivityCommand::CleanUp)),
    }
}

#[cfg(test)]
mod tests;
