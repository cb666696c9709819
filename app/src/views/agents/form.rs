//! The form that makes and changes an agent: type cards with their defaults, fields that are checked while they are
//! typed, tools, folders, budget.

mod fields;
mod tools;

use std::collections::BTreeSet;

use egui::{Align, Layout, Ui};
use rspa_core::agents::validate::{self, Fault, Ground};
use rspa_core::model::{AgentDraft, AgentId, AgentType, AllowedFolder};

use super::{look, push};
use crate::commands::PickPurpose;
use crate::commands::UiCommand;
use crate::commands::pages::agents::AgentsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::agents::{AgentsState, Editing};
use crate::text::{path, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, IconButton, Tone, choice, page_body, page_header, section_title, states, toggle};

pub struct Form {
    number: u64,
    editing: Editing,
    /// None until the agent or the types are known.
    draft: Option<AgentDraft>,
    typed: fields::Typed,
    /// What the person looked at and left: faults of it are shown.
    touched: BTreeSet<&'static str>,
    tried: bool,
    focus: bool,
    /// The number of the folder that was picked and taken last.
    taken: u64,
}

impl Form {
    /// The form of before while it is for the same opening, else a new one.
    pub fn kept(before: Option<Self>, editing: Editing, page: &AgentsState) -> Option<Self> {
        before.filter(|form| form.number == page.form).or_else(|| {
            Some(Self {
                number: page.form,
                editing,
                draft: None,
                typed: fields::Typed::default(),
                touched: BTreeSet::new(),
                tried: false,
                focus: true,
                taken: 0,
            })
        })
    }

    fn begin(&mut self, page: &AgentsState) {
        if self.draft.is_some() {
            return;
        }
        let draft = match self.editing {
            Editing::Change(id) => page.agent(id).map(|agent| agent.settings.clone()),
            Editing::New => page.types.get().and_then(|list| list.types.first()).map(|kind| of_type(kind, "")),
        };
        if let Some(draft) = draft {
            self.typed = fields::Typed::of(&draft);
            self.draft = Some(draft);
        }
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let page = &cx.state.pages.agents;
        self.begin(page);
        let title = match self.editing {
            Editing::New => tr("agents.form.new").to_owned(),
            Editing::Change(id) => {
                let name = page.agent(id).map(|agent| look::short(&agent.settings.name, 60)).unwrap_or_default();
                tr_with("agents.form.change", &[("name", &name)])
            }
        };
        let faults = self.faults(page);
        let wrong = faults.iter().any(|fault| !fault.warning);
        let saving = page.saving;
        let mut save = false;
        page_header(ui, &title, |ui| {
            let words = if self.editing == Editing::New { tr("agents.form.make") } else { tr("agents.save") };
            let enabled = self.draft.is_some() && !saving;
            save = ui.add(Button::new(words).icon(Icon::Check).primary().enabled(enabled)).clicked();
            if ui.add(Button::new(tr("common.cancel"))).clicked() {
                push(cx, AgentsCommand::CloseForm);
            }
        });
        if self.draft.is_none() {
            match cx.state.pages.agents.types.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        push(cx, AgentsCommand::Refresh);
                    }
                }
                None => states::loading(ui, tr("agents.form.loading")),
            }
            return;
        }
        if save {
            self.tried = true;
            if !wrong {
                self.save(cx);
            }
        }
        page_body(ui, 760.0, |ui| self.body(ui, cx, &faults));
    }

    fn save(&self, cx: &mut Cx<'_>) {
        let Some(draft) = &self.draft else { return };
        let draft = Box::new(validate::tidy(self.typed.applied(draft)));
        push(
            cx,
            match self.editing {
                Editing::New => AgentsCommand::Create(draft),
                Editing::Change(id) => AgentsCommand::Update { id, draft },
            },
        );
    }

    /// What is wrong with what is typed now.
    fn faults(&self, page: &AgentsState) -> Vec<Fault> {
        let Some(draft) = &self.draft else { return Vec::new() };
        let mut faults = self.typed.faults();
        let numbers: Vec<&str> = faults.iter().map(|fault| fault.field).collect();
        let mut found = validate::faults(&self.typed.applied(draft), &Ground::default());
        found.retain(|fault| !numbers.contains(&fault.field));
        faults.extend(found);
        let own: Option<AgentId> = match self.editing {
            Editing::Change(id) => Some(id),
            Editing::New => None,
        };
        let name = draft.name.trim().to_lowercase();
        let others = page.list.get().map_or(&[][..], Vec::as_slice);
        if others.iter().any(|agent| Some(agent.id) != own && agent.settings.name.to_lowercase() == name) {
            let words = tr("agents.form.name_taken").to_owned();
            faults.push(Fault { field: "name", words, warning: false });
        }
        faults
    }

    /// The words below a field, once the person has been there.
    fn told(&self, ui: &mut Ui, faults: &[Fault], field: &'static str) {
        let tokens = ui.tokens();
        for fault in faults.iter().filter(|fault| fault.field == field) {
            if !(fault.warning || self.tried || self.touched.contains(field)) {
                continue;
            }
            let tone = if fault.warning { Tone::Warn } else { Tone::Bad };
            let words = crate::text::sentence(&fault.words).into_owned();
            let label = egui::Label::new(tokens.rich(Type::Secondary, &words).color(tone.ink(tokens))).wrap();
            let response = ui.add(label);
            crate::widgets::speak_as(ui, &response, egui::Role::Alert, &words);
        }
    }

    fn is_wrong(&self, faults: &[Fault], field: &'static str) -> bool {
        (self.tried || self.touched.contains(field))
            && faults.iter().any(|fault| fault.field == field && !fault.warning)
    }

    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, faults: &[Fault]) {
        let tokens = ui.tokens();
        if self.tried && faults.iter().any(|fault| !fault.warning) {
            states::banner(ui, Tone::Bad, Icon::WarningCircle, tr("agents.form.faults"));
            ui.add_space(tokens.space.s);
        }
        if self.editing == Editing::New {
            self.types(ui, cx);
            ui.add_space(tokens.space.m);
        }
        self.about(ui, faults);
        ui.add_space(tokens.space.m);
        self.model(ui, cx, faults);
        ui.add_space(tokens.space.m);
        section_title(ui, tr("agents.field.tools"));
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("agents.form.tools_detail"))).wrap());
        ui.add_space(tokens.space.xs);
        if let Some(draft) = &mut self.draft {
            tools::ui(ui, cx, &mut draft.tools);
        }
        self.told(ui, faults, "tools");
        ui.add_space(tokens.space.m);
        self.folders(ui, cx, faults);
        ui.add_space(tokens.space.m);
        self.limits(ui, faults);
        ui.add_space(tokens.space.l);
    }

    /// Cards of all types; choosing one takes its defaults, but keeps the name that was typed.
    fn types(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let tokens = ui.tokens();
        section_title(ui, tr("agents.field.type"));
        let Some(list) = cx.state.pages.agents.types.get() else { return };
        let cards: Vec<(String, String)> =
            list.types.iter().map(|kind| (look::short(&kind.name, 40), look::short(&kind.description, 160))).collect();
        let cards: Vec<(&str, &str)> = cards.iter().map(|(name, words)| (name.as_str(), words.as_str())).collect();
        let chosen = self.draft.as_ref().and_then(|draft| list.types.iter().position(|kind| kind.id == draft.kind));
        for (row, some) in cards.chunks(4).enumerate() {
            let here = chosen.and_then(|at| at.checked_sub(row * 4)).filter(|at| *at < some.len());
            // The last row has places as wide as the others.
            let places = if cards.len() > 4 { 4 } else { some.len() };
            let gaps = tokens.space.s * (places - 1) as f32;
            let own = (ui.available_width() - gaps) / places as f32 * some.len() as f32
                + tokens.space.s * (some.len() - 1) as f32;
            let picked = ui.scope(|ui| {
                ui.set_max_width(own);
                choice(ui, some, here)
            });
            if let Some(at) = picked.inner {
                self.take_type(&list.types[row * 4 + at]);
            }
            ui.add_space(tokens.space.s);
        }
        for problem in list.problems.iter().take(5) {
            let words = format!("{}: {}", path(&problem.path), problem.why);
            states::banner(ui, Tone::Warn, Icon::Warning, &words);
            ui.add_space(tokens.space.xs);
        }
        let words = tr_with("agents.form.types_folder", &[("folder", &path(&list.folder))]);
        ui.add(egui::Label::new(tokens.rich(Type::Label, words)).wrap());
    }

    fn take_type(&mut self, kind: &AgentType) {
        let before = self.draft.take();
        let name = before.as_ref().map(|draft| draft.name.clone()).unwrap_or_default();
        let mut draft = of_type(kind, &name);
        if let Some(before) = before {
            draft.folders = before.folders;
        }
        self.typed = fields::Typed::of(&draft);
        self.draft = Some(draft);
    }

    fn folders(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, faults: &[Fault]) {
        let tokens = ui.tokens();
        let picked = cx.state.pages.agents.picked.clone().filter(|(number, _)| *number > self.taken);
        let Some(draft) = &mut self.draft else { return };
        if let Some((number, path)) = picked {
            self.taken = number;
            if !draft.folders.iter().any(|folder| folder.path == path) {
                draft.folders.push(AllowedFolder { path, write: false });
            }
        }
        section_title(ui, tr("agents.field.folders"));
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("agents.form.folders_detail"))).wrap());
        let mut gone = None;
        for (at, folder) in draft.folders.iter_mut().enumerate() {
            ui.horizontal(|ui| {
                ui.label(Icon::Folder.rich(tokens.size.icon).color(tokens.color.text_2));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let shown = path(&folder.path);
                    let remove = tr_with("agents.form.remove_folder", &[("path", &shown)]);
                    if ui.add(IconButton::new(Icon::X, remove).small()).clicked() {
                        gone = Some(at);
                    }
                    toggle(ui, &mut folder.write, &tr_with("agents.form.may_write", &[("path", &shown)]));
                    ui.label(tokens.rich(Type::Secondary, tr("agents.form.write")));
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.add(egui::Label::new(tokens.rich(Type::Body, shown)).truncate());
                    });
                });
            });
        }
        if let Some(at) = gone {
            draft.folders.remove(at);
        }
        if ui.add(Button::new(tr("agents.form.add_folder")).icon(Icon::FolderPlus).small()).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::AgentFolder));
        }
        self.told(ui, faults, "folders");
    }
}

/// What a new agent of this type begins with.
fn of_type(kind: &AgentType, name: &str) -> AgentDraft {
    AgentDraft { name: name.to_owned(), description: String::new(), ..kind.defaults.clone() }
}
