//! Models: what is installed, what suits this machine, import and download with consent.

mod installed;
mod offers;

use egui::Ui;
use rspa_core::model::{JobKind, JobState, ModelKind};

use super::{Cx, View};
use crate::commands::{Action, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};
use crate::widgets::{Button, Tone, job_card, page_body, page_header, section_title, states};

#[derive(Default)]
pub struct ModelsView {
    show_catalogue: bool,
}

impl View for ModelsView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        page_header(ui, tr("page.models"), |ui| {
            let button = Button::new(Action::ImportModel.name()).icon(Icon::UploadSimple).primary();
            if ui.add(button).clicked() {
                cx.commands.run(Action::ImportModel);
            }
        });
        let state = cx.state;
        let Some(list) = state.models.list.get() else {
            match state.models.list.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.push(UiCommand::RefreshModels);
                    }
                }
                None => states::loading(ui, tr("models.loading")),
            }
            return;
        };
        page_body(ui, 900.0, |ui| {
            jobs(ui, cx);
            if list.models.is_empty() {
                states::banner(ui, Tone::Neutral, Icon::Info, tr("models.none"));
                ui.add_space(tokens.space.l);
            }
            let kinds = [
                (ModelKind::Chat, tr("models.chat")),
                (ModelKind::Encoder, tr("models.encoders")),
                (ModelKind::Reranker, tr("models.rerankers")),
            ];
            for (kind, title) in kinds {
                let models: Vec<_> = list.models.iter().filter(|model| model.info.kind == kind).collect();
                if !models.is_empty() {
                    section_title(ui, title);
                    ui.add_space(tokens.space.xs);
                    for model in models {
                        installed::row(ui, model, cx);
                    }
                    ui.add_space(tokens.space.l);
                }
            }
            offers::recommendation(ui, cx);
            ui.add_space(tokens.space.l);
            offers::catalogue(ui, cx, &mut self.show_catalogue);
            if !list.unusable.is_empty() {
                ui.add_space(tokens.space.l);
                section_title(ui, tr("models.unusable"));
                for (path, reason) in &list.unusable {
                    let text = format!("{path}: {reason}");
                    states::banner(ui, Tone::Warn, Icon::Warning, &text);
                    ui.add_space(tokens.space.xs);
                }
            }
            ui.add_space(tokens.space.l);
            ui.label(tokens.rich(Type::Label, tr_with("models.folders", &[("folders", &list.folders.join(", "))])));
            ui.label(tokens.rich(Type::Label, tr("models.drop")));
        });
    }
}

/// Imports and downloads that run.
fn jobs(ui: &mut Ui, cx: &mut Cx<'_>) {
    let of_models = |kind| matches!(kind, JobKind::Import | JobKind::Download | JobKind::LoadModel);
    for job in cx.state.jobs.iter().filter(|job| job.state == JobState::Running && of_models(job.kind)) {
        if job_card(ui, job) {
            cx.commands.push(UiCommand::CancelJob(job.id));
        }
    }
}
