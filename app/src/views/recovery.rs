//! The page that stands in place of all others when the database is damaged: what happened, and the ways on.

use std::path::{Path, PathBuf};

use egui::{Align, Layout, Ui};
use rspa_core::model::Timestamp;
use rspa_core::recovery::{NewestBackup, Recovery};

use crate::design::{Icon, Type, UiExt};
use crate::state::RescueWork;
use crate::text::{path, sentence, since, tr, tr_count, tr_with};
use crate::widgets::{
    Button, TextField, Tone, card, fact, page_body, page_header, progress_bar, section_title, states,
};

/// Lines of what is missing that are shown; the rest is in the note that saving writes.
const SHOWN: usize = 6;

/// What the person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Restore,
    Save(PathBuf),
    StartAnew,
    TryAgain,
}

#[derive(Default)]
pub struct RecoveryView {
    /// The folder for what can be read; none until the person changes it.
    target: Option<String>,
    /// The empty database was asked for once and must be confirmed.
    sure: bool,
}

impl RecoveryView {
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        recovery: &Recovery,
        suggested: &Path,
        work: &RescueWork,
        now: Timestamp,
    ) -> Option<Choice> {
        let mut choice = None;
        page_header(ui, tr("recovery.title"), |ui| {
            if ui.add(Button::new(tr("common.try_again")).icon(Icon::ArrowClockwise)).clicked() {
                choice = Some(Choice::TryAgain);
            }
        });
        let idle = !matches!(work, RescueWork::Running);
        page_body(ui, 720.0, |ui| {
            let tokens = ui.tokens();
            what_happened(ui, recovery);
            progress(ui, work);
            ui.add_space(tokens.space.l);
            let restore = backup(ui, recovery, now, idle);
            ui.add_space(tokens.space.m);
            let save = self.save(ui, recovery, suggested, idle);
            ui.add_space(tokens.space.m);
            let anew = self.start_anew(ui, recovery, idle);
            choice = choice.take().or(restore).or(save).or(anew);
        });
        choice
    }

    fn save(&mut self, ui: &mut Ui, recovery: &Recovery, suggested: &Path, idle: bool) -> Option<Choice> {
        let mut choice = None;
        card(ui, |ui| {
            let tokens = ui.tokens();
            ui.set_min_width(ui.available_width());
            section_title(ui, tr("recovery.save.title"));
            let readable = &recovery.readable;
            let counts = [
                tr_count("recovery.chats", readable.chats as u64),
                tr_count("recovery.messages", readable.messages as u64),
                tr_count("recovery.sources", readable.sources as u64),
            ];
            let nothing = readable.chats == 0 && readable.messages == 0 && readable.sources == 0;
            match nothing {
                true => secondary(ui, tr("recovery.save.nothing")),
                false => secondary(ui, &tr_with("recovery.save.detail", &[("what", &counts.join(", "))])),
            }
            for line in readable.missing.iter().take(SHOWN) {
                secondary(ui, &tr_with("recovery.missing", &[("what", line)]));
            }
            if readable.missing.len() > SHOWN {
                secondary(ui, &tr_count("recovery.more_missing", (readable.missing.len() - SHOWN) as u64));
            }
            ui.add_space(tokens.space.xs);
            let mut target = self.target.clone().unwrap_or_else(|| suggested.display().to_string());
            ui.horizontal(|ui| {
                let pressed = ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let button = Button::new(tr("recovery.save.button")).icon(Icon::FolderOpen);
                    let pressed = ui.add(button.enabled(idle && !target.trim().is_empty())).clicked();
                    let field = TextField::new(&mut target, tr("recovery.save.folder")).width(ui.available_width());
                    if field.show(ui).changed() {
                        self.target = Some(target.clone());
                    }
                    pressed
                });
                if pressed.inner {
                    // Untouched, it is the path itself, also where that is no valid text.
                    let given = self.target.as_ref().map_or_else(|| suggested.to_owned(), PathBuf::from);
                    choice = Some(Choice::Save(given));
                }
            });
        });
        choice
    }

    fn start_anew(&mut self, ui: &mut Ui, recovery: &Recovery, idle: bool) -> Option<Choice> {
        let mut choice = None;
        card(ui, |ui| {
            let tokens = ui.tokens();
            ui.set_min_width(ui.available_width());
            section_title(ui, tr("recovery.anew.title"));
            let folder = recovery.file.parent().unwrap_or(&recovery.file);
            secondary(ui, &tr_with("recovery.anew.detail", &[("folder", &path(folder))]));
            ui.add_space(tokens.space.xs);
            if !self.sure {
                self.sure = ui.add(Button::new(tr("recovery.anew.button")).enabled(idle)).clicked();
                return;
            }
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = tokens.space.s;
                if ui.add(Button::new(tr("recovery.anew.confirm")).danger().enabled(idle)).clicked() {
                    choice = Some(Choice::StartAnew);
                }
                if ui.add(Button::new(tr("common.cancel")).quiet()).clicked() {
                    self.sure = false;
                }
            });
        });
        choice
    }
}

fn secondary(ui: &mut Ui, text: &str) {
    let tokens = ui.tokens();
    ui.add(egui::Label::new(tokens.rich(Type::Secondary, text).color(tokens.color.text_2)).wrap());
}

fn what_happened(ui: &mut Ui, recovery: &Recovery) {
    states::banner(ui, Tone::Bad, Icon::WarningCircle, tr("recovery.happened"));
    let tokens = ui.tokens();
    ui.add_space(tokens.space.s);
    ui.add(egui::Label::new(tokens.rich(Type::Body, tr("recovery.kept"))).wrap());
    ui.add_space(tokens.space.s);
    for (name, words) in [(tr("recovery.file"), path(&recovery.file)), (tr("recovery.detail"), recovery.detail.clone())]
    {
        fact(ui, name, |ui| {
            ui.add(egui::Label::new(tokens.rich(Type::Body, words)).wrap().selectable(true));
        });
    }
}

fn progress(ui: &mut Ui, work: &RescueWork) {
    match work {
        RescueWork::Idle => {}
        RescueWork::Running => {
            ui.add_space(ui.tokens().space.m);
            progress_bar(ui, tr("recovery.working"), None, 200.0);
        }
        RescueWork::Saved(exported) => {
            let text = tr_with("recovery.saved", &[("folder", &path(&exported.folder)), ("files", &exported.files)]);
            states::banner(ui, Tone::Ok, Icon::CheckCircle, &text);
        }
        RescueWork::Failed(error) => {
            states::banner(
                ui,
                Tone::Bad,
                Icon::WarningCircle,
                &format!("{}. {}", sentence(&error.message), error.advice),
            );
        }
    }
}

fn backup(ui: &mut Ui, recovery: &Recovery, now: Timestamp, idle: bool) -> Option<Choice> {
    let mut choice = None;
    card(ui, |ui| {
        ui.set_min_width(ui.available_width());
        section_title(ui, tr("recovery.backup.title"));
        match &recovery.backup {
            Some(backup) => {
                newest(ui, recovery, backup, now);
                let button = Button::new(tr("recovery.backup.button")).icon(Icon::ArrowCounterClockwise).primary();
                if ui.add(button.enabled(idle)).clicked() {
                    choice = Some(Choice::Restore);
                }
            }
            None => match &recovery.backup_problem {
                Some(problem) => secondary(ui, &tr_with("recovery.backup.unknown", &[("problem", problem)])),
                None => secondary(ui, tr("recovery.backup.none")),
            },
        }
    });
    choice
}

fn newest(ui: &mut Ui, recovery: &Recovery, backup: &NewestBackup, now: Timestamp) {
    let tokens = ui.tokens();
    secondary(ui, &tr_with("recovery.backup.newest", &[("name", &backup.name), ("when", &since(backup.at, now))]));
    for difference in &recovery.differences {
        secondary(ui, difference);
    }
    ui.add_space(tokens.space.xs);
}

#[cfg(test)]
mod tests;
