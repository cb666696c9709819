//! Long work: how far a job is, in words and as a card, and what a source is doing.

use egui::Ui;
use rspa_core::model::{Job, SourceState, SourceStatus};

use super::{IconButton, Tone, card, progress_bar};
use crate::design::{Icon, Type, UiExt};
use crate::text::{bytes, duration, number, tr, tr_count, tr_with};

/// "41 MB of 98 MB" or "41 of 98 files".
pub fn progress_words(job: &Job) -> String {
    match (job.unit.as_str(), job.total) {
        ("bytes", 0) => bytes(job.done),
        ("bytes", total) => {
            tr_with("job.of", &[("done", &bytes(job.done)), ("total", &bytes(total)), ("unit", &"")]).trim().to_owned()
        }
        (unit, 0) => format!("{} {unit}", number(job.done)),
        ("percent", _) => tr_with("job.percent", &[("done", &job.done)]),
        (unit, total) => tr_with("job.of", &[("done", &number(job.done)), ("total", &number(total)), ("unit", &unit)]),
    }
}

/// A card of running work: what it is, how far it has come, how long it still takes. True when it is to be cancelled.
pub fn job_card(ui: &mut Ui, job: &Job) -> bool {
    let tokens = ui.tokens();
    let mut cancelled = false;
    card(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(tokens.rich(Type::Strong, &job.label));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let name = tr_with("job.cancel", &[("label", &job.label)]);
                cancelled = ui.add(IconButton::new(Icon::X, name).small()).clicked();
                let mut words = progress_words(job);
                if let Some(left) = job.seconds_left {
                    words = format!("{words} · {}", tr_with("job.left", &[("time", &duration(left))]));
                }
                ui.label(tokens.rich(Type::Label, words));
            });
        });
        ui.add_space(tokens.space.xs);
        let fraction = (job.total > 0).then(|| job.done as f32 / job.total as f32);
        progress_bar(ui, &job.label, fraction, ui.available_width());
    });
    ui.add_space(tokens.space.m);
    cancelled
}

/// What a source is doing, with its tone.
pub fn source_words(status: &SourceStatus) -> (Tone, String) {
    let progress = status.progress.filter(|p| p.files_total > 0);
    match (status.state, progress) {
        (SourceState::Queued, _) => (Tone::Neutral, tr("source.queued").to_owned()),
        (SourceState::Scanning, _) => (Tone::Accent, tr("source.scanning").to_owned()),
        (SourceState::Indexing | SourceState::Upgrading, Some(p)) => {
            let percent = p.files_done * 100 / p.files_total;
            let speed = format!("{:.0}", p.files_per_second);
            let mut words = tr_with("source.progress", &[("percent", &percent), ("speed", &speed)]);
            if let Some(left) = p.seconds_left {
                words = format!("{words} · {}", tr_with("job.left", &[("time", &duration(left))]));
            }
            (Tone::Accent, words)
        }
        (SourceState::Indexing, None) => (Tone::Accent, tr("source.indexing").to_owned()),
        (SourceState::Upgrading, None) => (Tone::Accent, tr("source.upgrading").to_owned()),
        (SourceState::Ready, _) if status.problems > 0 => (Tone::Warn, tr_count("source.problems", status.problems)),
        (SourceState::Ready, _) => (Tone::Ok, tr_count("dashboard.documents", status.documents)),
        (SourceState::Paused, _) => (Tone::Neutral, tr("source.paused").to_owned()),
        (SourceState::Missing, _) => (Tone::Warn, tr("source.missing").to_owned()),
    }
}
