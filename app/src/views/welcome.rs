//! The welcome at the first start: choose a folder, see which model answers, go on. Nothing is typed.

use egui::{Align, Layout, ScrollArea, Ui, vec2};
use rspa_core::model::{JobKind, JobState};

use super::Cx;
use crate::commands::{Action, PickPurpose, UiCommand, consent};
use crate::design::{Icon, Type, UiExt};
use crate::text::{bytes, tr, tr_with};
use crate::widgets::{Button, Chip, Tone, card, progress_bar, progress_words};

#[derive(Default)]
pub struct Welcome {
    focused: bool,
}

impl Welcome {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let free = ui.available_rect_before_wrap();
            let width = 560.0_f32.min(free.width() - 2.0 * tokens.space.l);
            let top = (free.height() * 0.1).clamp(tokens.space.l, 96.0);
            ui.add_space(top);
            ui.horizontal(|ui| {
                ui.add_space((free.width() - width) / 2.0);
                ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                    ui.set_width(width);
                    self.body(ui, cx);
                });
            });
            ui.add_space(tokens.space.xl);
        });
    }

    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let title = ui.label(tokens.rich(Type::Figure, tr("welcome.title")));
        crate::widgets::speak_as(ui, &title, egui::Role::Heading, tr("welcome.title"));
        ui.add(egui::Label::new(tokens.rich(Type::Body, tr("welcome.lead")).color(tokens.color.text_2)).wrap());
        ui.add_space(tokens.space.xl);

        step(ui, "1", tr("welcome.folder_title"));
        card(ui, |ui| {
            ui.take_available_width();
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("welcome.folder_text"))).wrap());
            ui.add_space(tokens.space.m);
            ui.horizontal(|ui| {
                let choose = ui.add(Button::new(tr("welcome.choose_folder")).primary().icon(Icon::FolderOpen));
                if !self.focused {
                    choose.request_focus();
                    self.focused = true;
                }
                if choose.clicked() {
                    cx.commands.push(UiCommand::Pick(PickPurpose::FirstFolder));
                }
                if ui.add(Button::new(tr("welcome.sample")).icon(Icon::Package)).clicked() {
                    cx.commands.push(UiCommand::AddSampleSource);
                    cx.commands.push(UiCommand::FinishWelcome);
                }
            });
        });
        ui.add_space(tokens.space.l);

        step(ui, "2", tr("welcome.model_title"));
        card(ui, |ui| {
            ui.take_available_width();
            model(ui, cx);
        });
        ui.add_space(tokens.space.l);
        ui.horizontal(|ui| {
            if ui.add(Button::new(tr("welcome.skip")).quiet()).clicked() {
                cx.commands.push(UiCommand::FinishWelcome);
            }
        });
    }
}

/// The number and title of a step.
fn step(ui: &mut Ui, number: &str, title: &str) {
    let tokens = ui.tokens();
    ui.horizontal(|ui| {
        ui.add(Chip::new(number).tone(Tone::Accent));
        crate::widgets::section_title(ui, title);
    });
    ui.add_space(tokens.space.s);
}

/// Which model answers; a better one for this machine; how to get one.
fn model(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let state = cx.state;
    match (state.chat_model(), state.models.list.get()) {
        (Some(model), _) => {
            ui.horizontal(|ui| {
                ui.label(Icon::CheckCircle.rich(tokens.size.icon).color(tokens.color.ok));
                ui.label(tokens.rich(Type::Strong, &model.info.name));
                if model.demonstration {
                    ui.add(Chip::new(tr("models.demonstration")).tone(Tone::Warn));
                }
            });
            let words = if model.demonstration { tr("welcome.demonstration") } else { tr("welcome.ready") };
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, words)).wrap());
        }
        (None, Some(_)) => {
            ui.label(tokens.rich(Type::Strong, tr("welcome.no_model")));
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("welcome.no_model_text"))).wrap());
        }
        (None, None) => {
            let words = state.models.list.error().map_or(tr("models.loading"), |error| error.message.as_str());
            ui.label(tokens.rich(Type::Secondary, words));
        }
    }
    let fetching = |kind| matches!(kind, JobKind::Import | JobKind::Download);
    for job in state.jobs.iter().filter(|job| job.state == JobState::Running && fetching(job.kind)) {
        ui.add_space(tokens.space.s);
        ui.label(tokens.rich(Type::Label, format!("{} · {}", job.label, progress_words(job))));
        let fraction = (job.total > 0).then(|| job.done as f32 / job.total as f32);
        progress_bar(ui, &job.label, fraction, ui.available_width());
    }
    ui.add_space(tokens.space.m);
    if let Some(better) = state.models.recommendation.get().and_then(|found| found.model.as_ref()) {
        let words = tr_with(
            "welcome.better",
            &[("name", &better.name), ("size", &bytes(consent::size(better))), ("memory", &bytes(better.memory_bytes))],
        );
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, words)).wrap());
        ui.add_space(tokens.space.s);
    }
    ui.horizontal_wrapped(|ui| {
        if ui.add(Button::new(tr("welcome.import")).icon(Icon::UploadSimple)).clicked() {
            cx.commands.run(Action::ImportModel);
        }
        let small = state.models.catalogue.get().into_iter().flatten().find(|model| model.demonstration);
        let better = state.models.recommendation.get().and_then(|found| found.model.as_ref());
        let none = state.chat_model().is_none();
        for offered in [better, small.filter(|_| none)].into_iter().flatten() {
            let label =
                tr_with("welcome.download", &[("name", &offered.name), ("size", &bytes(consent::size(offered)))]);
            if ui.add(Button::new(label).icon(Icon::DownloadSimple).quiet()).clicked()
                && let Some(question) = consent::question(offered)
            {
                cx.commands.push(question);
            }
        }
    });
}
