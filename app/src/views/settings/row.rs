//! One setting: label, meaning, control, origin, problem.

use std::collections::HashMap;

use egui::{Align, Layout, Ui, vec2};
use rspa_core::model::{SettingEntry, SettingOrigin};

use super::control;
use crate::commands::UiCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, IconButton, Tone, hairline, states};

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, entry: &SettingEntry, drafts: &mut HashMap<String, String>) {
    let tokens = ui.tokens();
    let offers = control::models(cx.state, &entry.key);
    let commands = &mut *cx.commands;
    ui.push_id(&entry.key, |ui| {
        frame(ui, &entry.label, &entry.description, |ui| {
            if entry.origin == SettingOrigin::File {
                let name = tr_with("settings.reset_one", &[("label", &entry.label)]);
                if ui.add(IconButton::new(Icon::ArrowCounterClockwise, name).small()).clicked() {
                    drafts.remove(&entry.key);
                    commands.push(UiCommand::ResetSetting(Some(entry.key.clone())));
                }
            }
            control::ui(ui, entry, offers, drafts, commands);
        });
        if let Some(problem) = control::draft_problem(entry, drafts) {
            ui.label(tokens.rich(Type::Secondary, problem).color(tokens.color.bad));
        }
        let origin = origin(entry);
        let changed = entry.value != entry.default;
        if origin.is_some() || changed || entry.waiting_for_restart {
            ui.horizontal_wrapped(|ui| {
                if let Some(words) = origin {
                    ui.add(Chip::new(words));
                }
                if entry.waiting_for_restart {
                    ui.add(Chip::new(tr("settings.restart_later")).tone(Tone::Warn));
                } else if entry.needs_restart && entry.origin != SettingOrigin::Default {
                    ui.add(Chip::new(tr("settings.restart")));
                }
                if changed {
                    let value = control::words_of(entry, &entry.default);
                    let words = tr_with("settings.default", &[("value", &value)]);
                    ui.add(egui::Label::new(tokens.rich(Type::Label, words)).truncate());
                }
            });
        }
        if let Some(problem) = &entry.problem {
            ui.add_space(tokens.space.xs);
            states::banner(ui, Tone::Warn, Icon::Warning, problem);
        }
        if entry.held.is_some() {
            ui.add_space(tokens.space.xs);
            ui.horizontal(|ui| {
                let accept = Button::new(tr("settings.accept")).danger().tooltip(tr("settings.accept_tip"));
                if ui.add(accept).clicked() {
                    commands.push(UiCommand::AcceptSetting(entry.key.clone()));
                }
                let keep = Button::new(tr_with("settings.keep", &[("value", &control::words_of(entry, &entry.value))]));
                if ui.add(keep.tooltip(tr("settings.keep_tip"))).clicked() {
                    commands.push(UiCommand::SetSetting { key: entry.key.clone(), value: entry.value.clone() });
                }
            });
        }
        ui.add_space(tokens.space.xs);
        hairline(ui);
        ui.add_space(tokens.space.xs);
    });
}

/// Where the value came from, if not from the default.
fn origin(entry: &SettingEntry) -> Option<String> {
    let place = entry.place.as_deref().unwrap_or_default();
    let key = match entry.origin {
        SettingOrigin::Default => return None,
        SettingOrigin::File => tr_with("settings.from_file", &[("place", &place)]),
        SettingOrigin::DotEnv => tr_with("settings.from_dotenv", &[("place", &place)]),
        SettingOrigin::Environment => tr_with("settings.from_environment", &[("place", &place)]),
        SettingOrigin::CommandLine => tr("settings.from_command_line").to_owned(),
    };
    Some(key)
}

/// Label and meaning at the left, the control at the right.
pub fn frame(ui: &mut Ui, label: &str, meaning: &str, control: impl FnOnce(&mut Ui)) {
    let tokens = ui.tokens();
    let width = ui.available_width();
    ui.horizontal(|ui| {
        ui.allocate_ui_with_layout(vec2((width * 0.58).floor(), 0.0), Layout::top_down(Align::Min), |ui| {
            ui.set_width((width * 0.58).floor());
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.label(tokens.rich(Type::Strong, label));
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, meaning)).wrap());
        });
        ui.with_layout(Layout::right_to_left(Align::Center), control);
    });
    ui.add_space(tokens.space.xs);
}
