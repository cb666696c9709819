//! What runs now: jobs, and sources that are being read.

use egui::{Align, Layout, Sense, Stroke, Ui, vec2};
use rspa_core::model::{Job, JobKind, JobState, SourceStatus};

use crate::commands::{Action, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::Page;
use crate::text::{duration, number, path, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, IconButton, Tone, dot, hairline, progress_bar, progress_words, source_words};

/// A card whose rows reach from edge to edge under a title.
pub fn list_card(ui: &mut Ui, title: &str, add: impl FnOnce(&mut Ui)) {
    let tokens = ui.tokens();
    egui::Frame::new()
        .fill(tokens.color.bg2)
        .stroke(Stroke::new(1.0, tokens.color.line))
        .corner_radius(tokens.radius.card)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 43.0), Sense::hover());
            let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
            let builder = egui::UiBuilder::new().max_rect(inner).layout(Layout::left_to_right(Align::Center));
            ui.scope_builder(builder, |ui| crate::widgets::section_title(ui, title));
            hairline(ui);
            ui.scope(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                ui.set_min_height(120.0);
                add(ui);
            });
        });
}

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    list_card(ui, tr("dashboard.running"), |ui| {
        let tokens = ui.tokens();
        let state = cx.state;
        let jobs: Vec<&Job> = state.jobs.iter().rev().filter(|job| shown(job)).take(8).collect();
        let sources = state.knowledge.sources.get().map(Vec::as_slice).unwrap_or_default();
        if jobs.is_empty() && sources.is_empty() {
            egui::Frame::new().inner_margin(tokens.space.l as i8).show(ui, |ui| {
                ui.label(tokens.rich(Type::Secondary, tr("dashboard.nothing_runs")));
                ui.add_space(tokens.space.s);
                ui.horizontal(|ui| {
                    if ui.add(Button::new(Action::AddFolder.name()).icon(Icon::FolderPlus)).clicked() {
                        cx.commands.run(Action::AddFolder);
                    }
                    if ui.add(Button::new(Action::AddSample.name()).icon(Icon::Package).quiet()).clicked() {
                        cx.commands.run(Action::AddSample);
                    }
                });
            });
        }
        for job in jobs {
            job_row(ui, job, cx);
        }
        for status in sources {
            source_row(ui, status, cx);
        }
    });
}

/// Index jobs stand as their source already; a model that is loaded is no news.
fn shown(job: &Job) -> bool {
    match job.state {
        JobState::Running => job.kind != JobKind::Index,
        JobState::Done | JobState::Cancelled => matches!(job.kind, JobKind::Import | JobKind::Download),
        JobState::Failed(_) => true,
    }
}

/// Dot, name, words, figure at the right, and room for a button.
fn row(
    ui: &mut Ui,
    tone: Tone,
    name: &str,
    words: &str,
    ink: egui::Color32,
    right: impl FnOnce(&mut Ui),
) -> egui::Response {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 34.0), Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ListItem, true, format!("{name}, {words}")));
    if response.hovered() {
        ui.painter().rect_filled(rect.shrink(1.0), tokens.radius.small, tokens.color.bg3);
    }
    if response.has_focus() {
        crate::widgets::focus_ring(ui, rect.shrink(2.0));
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let name_end = inner.left() + inner.width() * 0.4;
    let builder = egui::UiBuilder::new().max_rect(inner).layout(Layout::left_to_right(Align::Center));
    dot(&mut ui.new_child(builder), tone);
    let left = inner.left() + 8.0 + tokens.space.s;
    crate::widgets::list::line(
        ui,
        left,
        name_end - tokens.space.s,
        rect.center().y,
        name,
        Type::Body,
        tokens.color.text,
    );
    let mut right_edge = inner.right();
    let builder = egui::UiBuilder::new().max_rect(inner).layout(Layout::right_to_left(Align::Center));
    let mut child = ui.new_child(builder);
    right(&mut child);
    let used = child.min_rect();
    if used.width() < inner.width() {
        right_edge = used.left();
    }
    crate::widgets::list::line(ui, name_end, right_edge - tokens.space.s, rect.center().y, words, Type::Body, ink);
    response
}

fn job_row(ui: &mut Ui, job: &Job, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let (tone, words, ink) = match &job.state {
        JobState::Running => (Tone::Accent, progress_words(job), tokens.color.text),
        JobState::Done => (Tone::Ok, tr("job.state_done").to_owned(), tokens.color.text_2),
        JobState::Cancelled => (Tone::Neutral, tr("job.cancelled").to_owned(), tokens.color.text_2),
        JobState::Failed(error) => (Tone::Bad, error.message.clone(), tokens.color.bad),
    };
    row(ui, tone, &job.label, &words, ink, |ui| {
        if job.state == JobState::Running {
            let name = tr_with("job.cancel", &[("label", &job.label)]);
            if ui.add(IconButton::new(Icon::X, name).small()).clicked() {
                cx.commands.push(UiCommand::CancelJob(job.id));
            }
            if let Some(left) = job.seconds_left {
                ui.label(tokens.rich(Type::Label, tr_with("job.left", &[("time", &duration(left))])));
            }
            let fraction = (job.total > 0).then(|| job.done as f32 / job.total as f32);
            progress_bar(ui, &job.label, fraction, 80.0);
        }
    });
}

fn source_row(ui: &mut Ui, status: &SourceStatus, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let (tone, words) = source_words(status);
    let ink = match tone {
        Tone::Warn | Tone::Bad => tone.ink(tokens),
        _ => tokens.color.text_2,
    };
    let by_name = status.source.sample || status.source.kind.is_built_in() || status.source.address.is_some();
    let name = if by_name { status.source.name.clone() } else { path(&status.source.path) };
    let clicked = row(ui, tone, &name, &words, ink, |ui| match status.progress.filter(|p| p.files_total > 0) {
        Some(progress) => {
            let fraction = progress.files_done as f32 / progress.files_total as f32;
            progress_bar(ui, &status.source.name, Some(fraction), 80.0);
        }
        None => {
            let words = tr_with("status.passages", &[("n", &number(status.passages))]);
            ui.label(tokens.rich(Type::Label, words));
        }
    })
    .clicked();
    if clicked {
        cx.commands.push(UiCommand::OpenPage(Page::Knowledge));
    }
}
