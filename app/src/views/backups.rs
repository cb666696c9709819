//! Copies of your data, and the way back to an earlier minute.

mod list;
mod preview;
mod when;

use egui::Ui;
use rspa_core::model::{JobKind, JobState, RestoreMode, Timestamp};

use super::{Cx, View};
use crate::commands::UiCommand;
use crate::commands::pages::backups::BackupsCommand;
use crate::design::{Icon, UiExt};
use crate::text::tr;
use crate::widgets::{Button, Tone, job_card, page_body, page_header, section_title, states};

/// Points that the page is wide at most.
const WIDTH: f32 = 1080.0;

#[derive(Default)]
pub struct BackupsView {
    /// The time that is typed, to go back to.
    minute: String,
    merge: bool,
}

impl View for BackupsView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let state = cx.state;
        let page = &state.pages.backups;
        page_header(ui, tr("page.backups"), |ui| {
            let idle = !page.making && !page.restoring && page.list.get().is_some();
            let button = Button::new(tr("backups.now")).icon(Icon::HardDrive).primary().enabled(idle);
            if ui.add(button).clicked() {
                cx.commands.push(UiCommand::Backups(BackupsCommand::Create));
            }
        });
        let Some(found) = page.list.get() else {
            match page.list.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.push(UiCommand::Backups(BackupsCommand::Refresh));
                    }
                }
                None => {
                    // Opened as part of a layout that was kept: nobody has asked yet.
                    if page.list.is_untouched() {
                        cx.commands.push(UiCommand::Backups(BackupsCommand::Refresh));
                    }
                    states::loading(ui, tr("backups.loading"));
                }
            }
            return;
        };
        page_body(ui, WIDTH, |ui| {
            jobs(ui, cx);
            for problem in found.problem.iter().chain(&found.second_problem) {
                states::banner(ui, Tone::Warn, Icon::Warning, problem);
                ui.add_space(tokens.space.m);
            }
            when::ui(ui, found, cx);
            ui.add_space(tokens.space.l);
            when::minute(ui, &mut self.minute, cx);
            ui.add_space(tokens.space.l);
            section_title(ui, tr("backups.list"));
            ui.add_space(tokens.space.xs);
            list::ui(ui, found, cx);
        });
        if page.chosen.is_some() {
            let mut mode = if self.merge { RestoreMode::Merge } else { RestoreMode::Replace };
            preview::ui(ui.ctx(), &mut mode, cx);
            self.merge = mode == RestoreMode::Merge;
        }
    }
}

/// Backups and restores that run.
fn jobs(ui: &mut Ui, cx: &mut Cx<'_>) {
    for job in cx.state.jobs.iter().filter(|job| job.state == JobState::Running && job.kind == JobKind::Backup) {
        if job_card(ui, job) {
            cx.commands.push(UiCommand::CancelJob(job.id));
        }
    }
}

/// Day and minute, as the clock on the wall shows them.
fn moment(at: Timestamp) -> String {
    zoned(at, "%-d %b %Y, %H:%M")
}

fn zoned(at: Timestamp, format: &str) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime(format).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
