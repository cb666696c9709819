//! Agents: a list at the left, the one that is chosen in the centre, what it is and may do at the right; a form makes
//! and changes them.

mod detail;
mod facts;
mod form;
mod happened;
mod history;
mod list;
mod look;
mod memory;
mod overview;

use egui::Ui;
use rspa_core::model::Agent;

use super::{Cx, View};
use crate::commands::pages::agents::AgentsCommand;
use crate::commands::{Action, PickPurpose, UiCommand};
use crate::design::{Icon, UiExt};
use crate::text::tr;
use crate::widgets::column::{Columns, column};
use crate::widgets::{Button, states};

#[derive(Default)]
pub struct AgentsView {
    list: list::List,
    detail: detail::Detail,
    form: Option<form::Form>,
}

impl View for AgentsView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let page = &cx.state.pages.agents;
        self.form = match page.editing {
            Some(editing) => form::Form::kept(self.form.take(), editing, page),
            None => None,
        };
        let shown = page.chosen();
        let columns = Columns::new(ui.max_rect(), tokens, true, shown.is_some() && self.form.is_none());
        // Where there is room for one column only, the list stands there until something is chosen.
        let narrow = columns.list.is_none();
        let list_here = narrow && shown.is_none() && self.form.is_none();
        if let Some(rect) = columns.list.or(list_here.then_some(columns.centre)) {
            column(ui, "agents", rect, !list_here, |ui| self.list.ui(ui, cx));
        }
        if list_here {
            return;
        }
        column(ui, "agent", columns.centre, columns.inspector.is_some(), |ui| match (&mut self.form, shown) {
            (Some(form), _) => form.ui(ui, cx),
            (None, Some(agent)) => self.detail.ui(ui, cx, agent, narrow, columns.inspector.is_none()),
            (None, None) => nothing_chosen(ui, cx),
        });
        if let (Some(rect), Some(agent)) = (columns.inspector, shown) {
            column(ui, "agent facts", rect, false, |ui| {
                crate::widgets::column_header(ui, tr("agents.facts.title"), |_| {});
                egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    crate::widgets::column::padded(ui, tokens.space.l, tokens.space.m, |ui| facts::ui(ui, cx, agent));
                });
            });
        }
    }
}

fn nothing_chosen(ui: &mut Ui, cx: &mut Cx<'_>) {
    let none_yet = cx.state.pages.agents.list.get().is_some_and(Vec::is_empty);
    if !none_yet {
        return states::empty(ui, Icon::Robot, tr("agents.none_chosen"), tr("agents.none_chosen_detail"), |_| {});
    }
    states::empty(ui, Icon::Robot, tr("agents.none"), tr("agents.none_detail"), |ui| {
        if ui.add(Button::new(Action::NewAgent.name()).icon(Icon::Plus).primary()).clicked() {
            cx.commands.run(Action::NewAgent);
        }
        ui.add_space(ui.tokens().space.xs);
        if ui.add(Button::new(tr("agents.import")).icon(Icon::UploadSimple)).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::AgentImport));
        }
        ui.add_space(ui.tokens().space.xs);
        if ui.add(Button::new(tr("agents.add_sample")).icon(Icon::Package).quiet()).clicked() {
            push(cx, AgentsCommand::AddSample);
        }
    });
}

fn push(cx: &mut Cx<'_>, command: AgentsCommand) {
    cx.commands.push(UiCommand::Agents(command));
}

/// The type of an agent, where it is known.
fn type_name(cx: &Cx<'_>, agent: &Agent) -> String {
    let types = cx.state.pages.agents.types.get();
    let known = types.and_then(|list| list.types.iter().find(|kind| kind.id == agent.settings.kind));
    look::short(known.map_or(&agent.settings.kind, |kind| &kind.name), 60)
}

#[cfg(test)]
mod tests;
