//! The dialog of an import: what would change, what is wrong, and the yes.

use egui::{Context, Id, Key, ScrollArea};

use super::control;
use crate::commands::UiCommand;
use crate::design::{Type, UiExt};
use crate::text::{tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, dialog, speak_as};

/// Shown while an import waits.
pub fn ui(ctx: &Context, cx: &mut Cx<'_>) {
    let Some((path, import)) = &cx.state.pages.settings.import else { return };
    let tokens = ctx.tokens();
    let mut answer = None;
    let (_, left) = dialog::modal(ctx, Id::unique("settings-import"), tokens.size.dialog * 1.3, |ui| {
        egui::Frame::new().inner_margin(tokens.space.xl as i8).show(ui, |ui| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let title = tr_with("settings.import_title", &[("name", &name)]);
            let heading = ui.label(tokens.rich(Type::Heading, &title));
            speak_as(ui, &heading, egui::Role::Heading, &title);
            ui.add_space(tokens.space.s);
            let ready = import.problems.is_empty() && !import.changes.is_empty();
            ScrollArea::vertical().max_height(tokens.size.dialog * 0.7).show(ui, |ui| {
                ui.take_available_width();
                if !import.problems.is_empty() {
                    ui.label(tokens.rich(Type::Body, tr("settings.import_refused")));
                    for problem in &import.problems {
                        let words = tokens.rich(Type::Secondary, problem).color(tokens.color.bad);
                        ui.add(egui::Label::new(words).wrap());
                    }
                    ui.add_space(tokens.space.m);
                }
                for change in &import.changes {
                    ui.label(tokens.rich(Type::Strong, &change.label));
                    let (from, to) = (control::words(&change.from), control::words(&change.to));
                    let mut words = tr_with("settings.import_change", &[("from", &from), ("to", &to)]);
                    if change.needs_restart {
                        words = format!("{words}  ·  {}", tr("settings.restart"));
                    }
                    ui.add(egui::Label::new(tokens.rich(Type::Secondary, words)).wrap());
                    ui.add_space(tokens.space.xs);
                }
                if import.changes.is_empty() && import.problems.is_empty() {
                    ui.label(tokens.rich(Type::Body, tr("settings.import_nothing")));
                }
            });
            ui.add_space(tokens.space.l);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let verb = tr_count("settings.import_verb", import.changes.len() as u64);
                if ui.add(Button::new(verb).primary().enabled(ready)).clicked() {
                    answer = Some(UiCommand::ImportSettings(path.clone()));
                }
                if ui.add(Button::new(tr("common.cancel"))).clicked() {
                    answer = Some(UiCommand::LeaveImport);
                }
            });
        });
    });
    if left || ctx.input(|i| i.key_pressed(Key::Escape)) {
        answer.get_or_insert(UiCommand::LeaveImport);
    }
    if let Some(command) = answer {
        cx.commands.push(command);
    }
}
