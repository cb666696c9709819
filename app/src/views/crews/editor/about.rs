//! The panel of the crew itself: name, description, process, variables; members and manager where there is one.

use egui::{Align, Id, Key, Layout, ScrollArea, Ui};
use rspa_core::model::{AgentId, CrewProcess};

use super::draft::{Draft, Fault, NAME, WORDS};
use crate::commands::Action;
use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::views::crews::making::processes;
use crate::views::crews::{look, told};
use crate::widgets::column::padded;
use crate::widgets::{Button, IconButton, TextField, choice, column_header, select};

#[derive(Default)]
pub struct About {
    variable: String,
    left: Vec<&'static str>,
}

impl About {
    /// What was typed and not taken is let go.
    pub fn forget(&mut self) {
        self.variable.clear();
    }

    /// True when it is to be closed.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        draft: &mut Draft,
        faults: &[Fault],
        tried: bool,
        closable: bool,
    ) -> bool {
        let tokens = ui.tokens();
        let mut closed = false;
        column_header(ui, tr("crews.settings"), |ui| {
            if closable && ui.add(IconButton::new(Icon::X, tr("crews.settings_close"))).clicked() {
                closed = true;
            }
        });
        ScrollArea::vertical().id_salt("crew settings").auto_shrink(false).show(ui, |ui| {
            padded(ui, tokens.space.l, tokens.space.s, |ui| {
                self.fields(ui, draft, faults, tried);
                if draft.now.process == CrewProcess::Hierarchical {
                    team(ui, cx, draft);
                    self.tell(ui, faults, "members", tried);
                }
                self.variables(ui, draft);
                self.tell(ui, faults, "variables", true);
                ui.add_space(tokens.space.l);
            });
        });
        closed
    }

    fn tell(&self, ui: &mut Ui, faults: &[Fault], field: &'static str, tried: bool) {
        let shown = tried || self.left.contains(&field);
        for fault in faults.iter().filter(|fault| fault.step.is_none() && fault.field == field) {
            if fault.warning || shown {
                told(ui, &fault.words, fault.warning);
            }
        }
    }

    fn fields(&mut self, ui: &mut Ui, draft: &mut Draft, faults: &[Fault], tried: bool) {
        look::label(ui, tr("crews.field.name"));
        let wrong =
            (tried || self.left.contains(&"name")) && faults.iter().any(|f| f.step.is_none() && f.field == "name");
        let id = Id::unique("crew name");
        let response = TextField::new(&mut draft.now.name, tr("crews.field.name")).id(id).problem(wrong).show(ui);
        if response.gained_focus() {
            draft.remember();
        }
        if response.changed() {
            look::bound(&mut draft.now.name, NAME);
            draft.touched();
        }
        if response.lost_focus() {
            self.left.push("name");
        }
        self.tell(ui, faults, "name", tried);
        look::label(ui, tr("crews.field.description"));
        let id = Id::unique("crew description");
        let response = look::text_area(ui, id, tr("crews.field.description"), &mut draft.now.description, 3, 140.0);
        if response.gained_focus() {
            draft.remember();
        }
        if response.changed() {
            look::bound(&mut draft.now.description, WORDS);
            draft.touched();
        }
        look::label(ui, tr("crews.field.process"));
        let [one, other] = processes();
        let at = usize::from(draft.now.process == CrewProcess::Hierarchical);
        // Below each other: the panel is narrow.
        let mut picked = choice(ui, &[one], (at == 0).then_some(0)).map(|_| CrewProcess::Sequential);
        ui.add_space(ui.tokens().space.xs);
        picked = choice(ui, &[other], (at == 1).then_some(0)).map(|_| CrewProcess::Hierarchical).or(picked);
        if let Some(process) = picked.filter(|process| *process != draft.now.process) {
            draft.remember();
            draft.now.process = process;
            if process == CrewProcess::Hierarchical && draft.now.members.is_empty() {
                // Those who did the steps are its first members.
                let mut members: Vec<AgentId> = Vec::new();
                for id in draft.now.steps.iter().filter_map(|step| step.agent) {
                    if !members.contains(&id) {
                        members.push(id);
                    }
                }
                draft.now.members = members;
            }
            draft.touched();
        }
    }

    fn variables(&mut self, ui: &mut Ui, draft: &mut Draft) {
        let tokens = ui.tokens();
        look::label(ui, tr("crews.field.variables"));
        ui.add(egui::Label::new(tokens.rich(Type::Label, tr("crews.variables_detail"))).wrap());
        let mut gone = None;
        for (at, name) in draft.now.variables.iter().enumerate() {
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let shown = look::short(name, 40);
                    let remove = tr_with("crews.remove_variable", &[("name", &shown)]);
                    if ui.add(IconButton::new(Icon::X, remove).small()).clicked() {
                        gone = Some(at);
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.label(tokens.rich(Type::Code, format!("{{{shown}}}")));
                    });
                });
            });
        }
        if let Some(at) = gone {
            draft.remember();
            draft.now.variables.remove(at);
            draft.touched();
        }
        ui.horizontal(|ui| {
            let width = ui.available_width() - 76.0;
            let field = TextField::new(&mut self.variable, tr("crews.new_variable")).hint(tr("crews.variable_hint"));
            let response = field.width(width).show(ui);
            look::bound(&mut self.variable, 60);
            let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let ready = !self.variable.trim().is_empty();
            let add = ui.add(Button::new(tr("crews.add")).enabled(ready)).clicked();
            if ready && (add || enter) {
                let typed = std::mem::take(&mut self.variable);
                let name = typed.trim().trim_matches(['{', '}']).to_lowercase().replace([' ', '-'], "_");
                if !draft.now.variables.contains(&name) {
                    draft.remember();
                    draft.now.variables.push(name);
                    draft.touched();
                }
            }
        });
    }
}

/// The members, and who leads them.
fn team(ui: &mut Ui, cx: &mut Cx<'_>, draft: &mut Draft) {
    let tokens = ui.tokens();
    let page = &cx.state.pages.crews;
    let agents = page.agents.get().map_or(&[][..], Vec::as_slice);
    look::label(ui, tr("crews.manager.title"));
    let mut known: Vec<(Option<AgentId>, String)> = vec![(None, tr("crews.manager.made").to_owned())];
    known.extend(agents.iter().map(|agent| (Some(agent.id), look::short(&agent.settings.name, 60))));
    let at = known.iter().position(|(id, _)| *id == draft.now.manager).unwrap_or(0);
    let names: Vec<String> = known.iter().map(|(_, name)| name.clone()).collect();
    let width = ui.available_width();
    if let Some(picked) = select(ui, tr("crews.manager.title"), &names, at, width) {
        draft.remember();
        draft.now.manager = known[picked].0;
        draft.touched();
    }
    look::label(ui, tr("crews.field.members"));
    let mut gone = None;
    for (at, id) in draft.now.members.iter().enumerate() {
        let (icon, name) = look::agent_words(page, Some(*id));
        ui.horizontal(|ui| {
            ui.label(icon.rich(tokens.size.icon).color(tokens.color.text_2));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let remove = tr_with("crews.remove_member", &[("name", &name)]);
                if ui.add(IconButton::new(Icon::X, remove).small()).clicked() {
                    gone = Some(at);
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(egui::Label::new(tokens.rich(Type::Body, name)).truncate());
                });
            });
        });
    }
    if let Some(at) = gone {
        draft.remember();
        draft.now.members.remove(at);
        draft.touched();
    }
    let free: Vec<(AgentId, String)> = agents
        .iter()
        .filter(|agent| !draft.now.members.contains(&agent.id))
        .map(|agent| (agent.id, look::short(&agent.settings.name, 60)))
        .collect();
    if !free.is_empty() {
        let mut names = vec![tr("crews.add_member").to_owned()];
        names.extend(free.iter().map(|(_, name)| name.clone()));
        let width = ui.available_width();
        if let Some(picked) = select(ui, tr("crews.add_member"), &names, 0, width)
            && let Some((id, _)) = picked.checked_sub(1).map(|at| &free[at])
        {
            draft.remember();
            draft.now.members.push(*id);
            draft.touched();
        }
    }
    if ui.add(Button::new(tr("crews.make_agent")).icon(Icon::Plus).quiet().small()).clicked() {
        cx.commands.run(Action::NewAgent);
    }
}
