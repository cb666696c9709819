//! The form of a run: what it works on, its variables, a folder, and whether it stays offline.

use std::collections::BTreeMap;
use std::path::PathBuf;

use egui::{Id, Ui};
use rspa_core::model::{CrewId, CrewProcess, CrewRunDraft};

use super::{look, making, push};
use crate::commands::pages::crews::CrewsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::pages::crews::Shown;
use crate::text::{tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, TextField, Tone, page_body, page_header, section_title, states, toggle};

#[derive(Default)]
pub struct Start {
    crew: Option<CrewId>,
    input: String,
    variables: BTreeMap<String, String>,
    folder: Option<PathBuf>,
    offline: bool,
    taken: u64,
    focus: bool,
}

impl Start {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, id: CrewId) {
        let tokens = ui.tokens();
        if self.crew != Some(id) {
            *self = Self { crew: Some(id), focus: true, ..Self::default() };
        }
        match &cx.state.pages.crews.picked {
            Some((number, path)) if *number > self.taken => {
                (self.taken, self.folder) = (*number, Some(path.clone()));
            }
            Some(_) => {}
            None => self.taken = 0,
        }
        let page = &cx.state.pages.crews;
        let Some(crew) = page.crew(id) else {
            states::loading(ui, tr("crews.loading"));
            return;
        };
        let settings = crew.settings.clone();
        let missing = match settings.process {
            CrewProcess::Sequential => settings.steps.iter().filter(|step| step.agent.is_none()).count(),
            CrewProcess::Hierarchical => 0,
        };
        let filled = |name: &String| self.variables.get(name).is_some_and(|value| !value.trim().is_empty());
        let ready = missing == 0 && settings.variables.iter().all(filled) && !page.saving;
        let title = tr_with("crews.start.title", &[("name", &look::short(&settings.name, 60))]);
        let mut run = false;
        page_header(ui, &title, |ui| {
            run = ui.add(Button::new(tr("crews.start.run")).icon(Icon::Play).primary().enabled(ready)).clicked();
            if ui.add(Button::new(tr("common.cancel"))).clicked() {
                push(cx, CrewsCommand::Show(Shown::Crew(id)));
            }
        });
        page_body(ui, 720.0, |ui| {
            if missing > 0 {
                states::banner(ui, Tone::Warn, Icon::Warning, &tr_count("crews.start.no_agents", missing as u64));
                ui.add_space(tokens.space.s);
            }
            look::label(ui, tr("crews.start.input"));
            let field = Id::unique("crew run input");
            let response = look::text_area(ui, field, tr("crews.start.input"), &mut self.input, 6, 320.0);
            if std::mem::take(&mut self.focus) {
                response.request_focus();
            }
            look::bound(&mut self.input, 400_000);
            ui.add(egui::Label::new(tokens.rich(Type::Label, tr("crews.start.input_detail"))).wrap());
            for name in &settings.variables {
                let shown = look::short(name, 40);
                look::label(ui, &shown);
                let value = self.variables.entry(name.clone()).or_default();
                TextField::new(value, &shown).width(360.0).show(ui);
                look::bound(value, 20_000);
            }
            ui.add_space(tokens.space.m);
            section_title(ui, tr("crews.field.folder"));
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("crews.start.folder_detail"))).wrap());
            ui.add_space(tokens.space.xs);
            making::folder(ui, cx, &mut self.folder);
            ui.add_space(tokens.space.m);
            ui.horizontal(|ui| {
                toggle(ui, &mut self.offline, tr("crews.start.offline"));
                ui.label(tokens.rich(Type::Body, tr("crews.start.offline")));
            });
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("crews.start.offline_detail"))).wrap());
        });
        if run {
            let draft = CrewRunDraft {
                input: self.input.trim().to_owned(),
                variables: self.variables.iter().map(|(name, value)| (name.clone(), value.trim().to_owned())).collect(),
                folder: self.folder.clone(),
                offline: self.offline,
            };
            push(cx, CrewsCommand::Run { id, draft: Box::new(draft) });
        }
    }
}
