//! One agent: its head with what can be done, and its tabs.

use egui::{Align, Layout, Ui};
use rspa_core::model::{Agent, TaskDraft};

use super::{facts, happened, history, look, memory, overview, push};
use crate::commands::pages::agents::AgentsCommand;
use crate::commands::pages::tasks::TasksCommand;
use crate::commands::{PickPurpose, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::agents::Editing;
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{Button, Chip, IconButton, TextField, Tone, hairline, menu, states};

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Overview,
    Tasks,
    Activity,
    Memory,
    Settings,
}

const TABS: [(Tab, &str); 5] = [
    (Tab::Overview, "agents.tab.overview"),
    (Tab::Tasks, "agents.tab.tasks"),
    (Tab::Activity, "agents.tab.activity"),
    (Tab::Memory, "agents.tab.memory"),
    (Tab::Settings, "agents.tab.settings"),
];

#[derive(Default)]
pub struct Detail {
    tab: Tab,
    memory: memory::Memory,
    /// What is typed for a new task; none while nothing is.
    task: Option<String>,
}

impl Detail {
    /// `back`: the list is not beside it; `settings`: what the agent is and may do is not beside it.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, agent: &Agent, back: bool, settings: bool) {
        let tokens = ui.tokens();
        self.head(ui, cx, agent, back);
        self.new_task(ui, cx, agent);
        padded(ui, tokens.space.l, tokens.space.s, |ui| {
            ui.horizontal(|ui| {
                for (tab, key) in TABS.iter().filter(|(tab, _)| settings || *tab != Tab::Settings) {
                    if ui.add(Button::new(tr(key)).quiet().small().selected(self.tab == *tab)).clicked() {
                        self.tab = *tab;
                    }
                }
            });
        });
        hairline(ui);
        if self.tab == Tab::Settings && !settings {
            self.tab = Tab::Overview;
        }
        match self.tab {
            Tab::Overview => overview::ui(ui, cx, agent),
            Tab::Tasks => history::ui(ui, cx),
            Tab::Activity => happened::ui(ui, cx, agent),
            Tab::Memory => self.memory.ui(ui, cx, agent),
            Tab::Settings => crate::widgets::page_body(ui, 720.0, |ui| facts::ui(ui, cx, agent)),
        }
    }

    fn head(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, agent: &Agent, back: bool) {
        let tokens = ui.tokens();
        padded(ui, tokens.space.l, tokens.space.m, |ui| {
            ui.horizontal(|ui| {
                if back && ui.add(IconButton::new(Icon::ArrowLeft, tr("agents.back"))).clicked() {
                    push(cx, AgentsCommand::Select(None));
                }
                ui.label(look::avatar(&agent.settings.avatar).rich(24.0).color(tokens.color.accent));
                let name = look::short(&agent.settings.name, 80);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    self.deeds(ui, cx, agent);
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let heading = egui::Label::new(tokens.rich(Type::Heading, &name)).truncate();
                        let response = ui.add(heading);
                        crate::widgets::speak_as(ui, &response, egui::Role::Heading, &name);
                    });
                });
            });
            ui.horizontal(|ui| {
                status(ui, cx, agent);
                if agent.sample {
                    ui.add(Chip::new(tr("agents.sample")).tone(Tone::Warn)).on_hover_text(tr("agents.sample_tip"));
                }
                if !agent.status_detail.is_empty() {
                    let detail = look::short(&agent.status_detail, 200);
                    ui.add(egui::Label::new(tokens.rich(Type::Secondary, &detail)).truncate()).on_hover_text(detail);
                }
            });
            let about = look::short(&agent.settings.description, 200);
            if !about.is_empty() {
                ui.add(egui::Label::new(tokens.rich(Type::Secondary, about)).wrap());
            }
        });
    }

    fn deeds(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, agent: &Agent) {
        let id = agent.id;
        if ui.add(IconButton::new(Icon::Trash, tr("agents.delete"))).clicked() {
            push(cx, AgentsCommand::Delete(id));
        }
        if ui.add(IconButton::new(Icon::Export, tr("agents.export"))).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::AgentExport(id)));
        }
        if ui.add(IconButton::new(Icon::Copy, tr("agents.duplicate"))).clicked() {
            push(cx, AgentsCommand::Duplicate(id));
        }
        if ui.add(IconButton::new(Icon::PencilSimple, tr("agents.edit"))).clicked() {
            push(cx, AgentsCommand::Edit(Editing::Change(id)));
        }
        let button = Button::new(tr("agents.new_task")).icon(Icon::Plus).primary();
        if ui.add(button).clicked() {
            self.task = self.task.take().xor(Some(String::new()));
        }
    }

    fn new_task(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, agent: &Agent) {
        let tokens = ui.tokens();
        let Some(typed) = &mut self.task else { return };
        let mut send = false;
        let mut close = false;
        padded(ui, tokens.space.l, tokens.space.xs, |ui| {
            if agent.status != rspa_core::model::AgentStatus::Active {
                let words = tr_with("agents.task_waits", &[("status", &look::status(agent.status))]);
                states::banner(ui, Tone::Warn, Icon::Info, &words);
            }
            ui.horizontal(|ui| {
                let width = ui.available_width() - 150.0;
                let id = egui::Id::unique(("new task of", agent.id));
                let field = TextField::new(typed, tr("agents.task_field")).hint(tr("agents.task_hint"));
                let response = field.id(id).width(width).show(ui);
                if typed.is_empty() && !response.lost_focus() && ui.memory(|memory| memory.focused()).is_none() {
                    response.request_focus();
                }
                let enter = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
                close = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Escape));
                let ready = !typed.trim().is_empty();
                let button = Button::new(tr("agents.task_send")).icon(Icon::PaperPlaneRight).enabled(ready);
                send = (ui.add(button).clicked() || enter) && ready;
            });
        });
        if send {
            // The first line names it; all of it is what is to be done.
            let words = typed.trim().to_owned();
            let mut draft = TaskDraft::new(Some(agent.id), look::short(&words, 120));
            if words != draft.title {
                draft.description = words;
            }
            cx.commands.push(UiCommand::Tasks(TasksCommand::Create(Box::new(draft))));
            close = true;
            self.tab = Tab::Tasks;
        }
        if close {
            self.task = None;
        }
    }
}

/// The status, with a menu to set another one.
fn status(ui: &mut Ui, cx: &mut Cx<'_>, agent: &Agent) {
    let tokens = ui.tokens();
    crate::widgets::dot(ui, look::status_tone(agent.status));
    let name = tr_with("agents.status_is", &[("status", &look::status(agent.status))]);
    let words = look::status(agent.status);
    let response = ui.add(Button::new(words).icon(Icon::CaretDown).small()).on_hover_text(&name);
    menu(&response).show(|ui| {
        for status in look::STATUSES {
            let label = egui::RichText::new(look::status(status)).font(tokens.font(Type::Body));
            if ui.selectable_label(status == agent.status, label).clicked() && status != agent.status {
                push(cx, AgentsCommand::SetStatus { id: agent.id, status });
            }
        }
    });
}
