//! Background agents: what each does, what it still needs, and its switch.

use std::collections::BTreeMap;

use egui::{Align, Label, Layout, ScrollArea, Ui};
use rspa_core::model::BackgroundAgent;

use super::push;
use crate::commands::UiCommand;
use crate::commands::pages::schedules::SchedulesCommand;
use crate::design::{Type, UiExt};
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{Button, TextField, card, column_header, section_title, states, toggle};

/// What is typed of the needs: by kind and name. A kind is there once its switch was used.
pub type Needs = BTreeMap<String, BTreeMap<String, String>>;

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, needs: &mut Needs) {
    let tokens = ui.tokens();
    column_header(ui, tr("schedules.background"), |_| {});
    let slot = &cx.state.pages.schedules.background;
    let Some(all) = slot.get() else {
        match slot.error() {
            Some(error) => {
                if states::error(ui, error) {
                    push(cx, SchedulesCommand::Refresh);
                }
            }
            None => states::loading(ui, tr("schedules.loading")),
        }
        return;
    };
    ScrollArea::vertical().id_salt("background").auto_shrink(false).show(ui, |ui| {
        padded(ui, tokens.space.l, tokens.space.l, |ui| {
            ui.add(Label::new(tokens.rich(Type::Secondary, tr("schedules.background_detail"))).wrap());
            ui.add_space(tokens.space.s);
            for one in all {
                card(ui, |ui| agent(ui, cx, one, needs));
                ui.add_space(tokens.space.s);
            }
        });
    });
}

fn agent(ui: &mut Ui, cx: &mut Cx<'_>, one: &BackgroundAgent, needs: &mut Needs) {
    let tokens = ui.tokens();
    ui.take_available_width();
    let asks = !one.needs.is_empty() && !one.on;
    ui.horizontal(|ui| {
        section_title(ui, &one.name);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let mut on = one.on || (asks && needs.contains_key(&one.kind));
            if toggle(ui, &mut on, &tr_with("schedules.switch_named", &[("name", &one.name)])).changed() {
                match (asks, on) {
                    (true, true) => {
                        let given = one.needs.iter().map(|need| (need.name.clone(), need.default.clone()));
                        needs.insert(one.kind.clone(), given.collect());
                    }
                    (true, false) => drop(needs.remove(&one.kind)),
                    (false, _) => switch(cx, one, on, BTreeMap::new()),
                }
            }
        });
    });
    ui.add(Label::new(tokens.rich(Type::Secondary, &one.description)).wrap());
    if let Some(schedule) = one.schedule {
        if ui.link(tokens.rich(Type::Secondary, tr("schedules.show"))).clicked() {
            cx.commands.push(UiCommand::OpenSchedule(schedule));
        }
        needs.remove(&one.kind);
        return;
    }
    let Some(values) = needs.get_mut(&one.kind).filter(|_| asks) else { return };
    ui.add_space(tokens.space.s);
    for need in &one.needs {
        let value = values.entry(need.name.clone()).or_default();
        ui.label(tokens.rich(Type::Label, &need.label));
        let hint = if need.is_path { tr("schedules.path_hint") } else { "" };
        ui.push_id((&one.kind, &need.name), |ui| TextField::new(value, &need.label).hint(hint).show(ui));
        ui.add_space(tokens.space.xs);
    }
    let begin = Button::new(tr("schedules.begin")).primary().small();
    let given = values.clone();
    if ui.add(begin).clicked() {
        switch(cx, one, true, given);
    }
}

fn switch(cx: &mut Cx<'_>, one: &BackgroundAgent, on: bool, values: BTreeMap<String, String>) {
    let values = values.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
    push(cx, SchedulesCommand::Switch { kind: one.kind.clone(), on, values });
}
