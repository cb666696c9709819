//! Settings: every value with where it came from and what is wrong with it; search, change, reset.

mod control;
mod import;
mod row;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use egui::{CentralPanel, Frame, Panel, ScrollArea, Ui};
use rspa_core::model::{SettingEntry, SettingOrigin};

use super::{Cx, View};
use crate::commands::{Action, Confirmation, PickPurpose, UiCommand};
use crate::design::{Icon, UiExt};
use crate::text::{tr, tr_count, tr_with};
use crate::widgets::{
    Button, IconButton, ListRow, TextField, Tone, column_header, page_body, page_header, section_title, states,
};

#[derive(Default)]
pub struct SettingsView {
    search: String,
    group: Option<String>,
    /// Texts that are being typed, by key; gone when they are committed.
    drafts: HashMap<String, String>,
}

impl View for SettingsView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let state = cx.state;
        let Some(entries) = state.settings.get() else {
            page_header(ui, tr("page.settings"), |_| {});
            match state.settings.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.push(UiCommand::RefreshSettings);
                    }
                }
                None => states::loading(ui, tr("settings.loading")),
            }
            return;
        };
        let groups = groups(entries);
        if ui.available_width() > 560.0 {
            Panel::left(ui.scope_id().with("groups"))
                .exact_size(200.0)
                .resizable(false)
                .frame(Frame::new().fill(tokens.color.bg1))
                .show(ui, |ui| self.groups(ui, entries, &groups));
        }
        CentralPanel::no_frame().show(ui, |ui| {
            page_header(ui, tr("page.settings"), |ui| {
                let changed = entries.iter().any(|entry| entry.origin == SettingOrigin::File);
                let narrow = ui.available_width() < 480.0;
                let mut deed = |icon, words: &'static str| match narrow {
                    true => ui.add(IconButton::new(icon, words)).clicked(),
                    false => ui.add(Button::new(words).icon(icon).quiet()).clicked(),
                };
                if deed(Icon::DownloadSimple, tr("settings.import")) {
                    cx.commands.push(UiCommand::Pick(PickPurpose::SettingsImport));
                }
                if deed(Icon::Export, tr("settings.export")) {
                    cx.commands.push(UiCommand::Pick(PickPurpose::SettingsExport));
                }
                if ui.add(Button::new(tr("settings.reset_all")).quiet().enabled(changed)).clicked() {
                    cx.commands.push(UiCommand::Confirm(Confirmation {
                        title: tr("settings.reset_title").to_owned(),
                        consequence: tr("settings.reset_text").to_owned(),
                        verb: tr("common.reset").to_owned(),
                        danger: true,
                        then: Box::new(UiCommand::ResetSetting(None)),
                    }));
                }
                TextField::new(&mut self.search, tr("settings.search"))
                    .hint(tr("settings.search"))
                    .icon(Icon::MagnifyingGlass)
                    .width(240.0_f32.min((ui.available_width() - 90.0).max(80.0)))
                    .show(ui);
            });
            page_body(ui, tokens.size.text_column, |ui| {
                notes(ui, cx, entries);
                self.body(ui, cx, entries, &groups);
            });
        });
        import::ui(ui.ctx(), cx);
    }
}

impl SettingsView {
    fn groups(&mut self, ui: &mut Ui, entries: &[SettingEntry], groups: &[&str]) {
        ui.spacing_mut().item_spacing.y = 0.0;
        column_header(ui, tr("settings.groups"), |_| {});
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let all = ListRow::new(tr("settings.all")).selected(self.group.is_none());
            if ui.add(all).clicked() {
                self.group = None;
            }
            for group in groups {
                let changed =
                    entries.iter().filter(|e| e.group == *group && e.origin != SettingOrigin::Default).count();
                let right = if changed > 0 { changed.to_string() } else { String::new() };
                let wrong = entries.iter().any(|entry| entry.group == *group && entry.problem.is_some());
                let row =
                    if wrong { ListRow::new(title(group)).icon(Icon::Warning) } else { ListRow::new(title(group)) };
                let row = row.right(right).selected(self.group.as_deref() == Some(group));
                if ui.push_id(group, |ui| ui.add(row)).inner.clicked() {
                    self.group = Some((*group).to_owned());
                }
            }
        });
    }

    fn body(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, entries: &[SettingEntry], groups: &[&str]) {
        let tokens = ui.tokens();
        let wanted = self.search.trim().to_lowercase();
        let shown = |group: &str| wanted.is_empty() && self.group.as_deref().is_none_or(|chosen| chosen == group);
        let mut found = 0;
        for group in groups {
            let fits = |entry: &&SettingEntry| {
                entry.group == *group
                    && if wanted.is_empty() {
                        shown(group)
                    } else {
                        let text = format!("{} {} {}", entry.key, entry.label, entry.description).to_lowercase();
                        wanted.split_whitespace().all(|word| text.contains(word))
                    }
            };
            let here: Vec<&SettingEntry> = entries.iter().filter(fits).collect();
            if here.is_empty() {
                continue;
            }
            found += here.len();
            ui.horizontal(|ui| {
                section_title(ui, &title(group));
                let own = |entry: &SettingEntry| entry.group == *group && entry.origin == SettingOrigin::File;
                if entries.iter().any(own) {
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| reset_group(ui, cx, group));
                }
            });
            ui.add_space(tokens.space.xs);
            for entry in here {
                row::ui(ui, cx, entry, &mut self.drafts);
            }
            ui.add_space(tokens.space.xl);
        }
        if found == 0 && !wanted.is_empty() {
            let detail = tr_with("settings.nothing", &[("text", &self.search.trim())]);
            states::empty(ui, Icon::MagnifyingGlass, &detail, tr("settings.nothing_detail"), |_| {});
        }
        if found > 0 || !wanted.is_empty() {
            return;
        }
        if ui.add(Button::new(Action::Doctor.name()).icon(Icon::Heartbeat).quiet()).clicked() {
            cx.commands.run(Action::Doctor);
        }
    }
}

/// What concerns more than one setting: a restart that is needed, files that cannot be read.
fn notes(ui: &mut Ui, cx: &Cx<'_>, entries: &[SettingEntry]) {
    let tokens = ui.tokens();
    let waiting = entries.iter().filter(|entry| entry.waiting_for_restart).count();
    if waiting > 0 {
        let words = tr_count("settings.restart_banner", waiting as u64);
        states::banner(ui, Tone::Warn, Icon::ArrowClockwise, &words);
        ui.add_space(tokens.space.m);
    }
    if let Some(problems) = cx.state.pages.settings.problems.get().filter(|problems| !problems.is_empty()) {
        section_title(ui, tr("settings.problems"));
        for problem in problems {
            states::banner(ui, Tone::Warn, Icon::Warning, problem);
        }
        ui.add_space(tokens.space.l);
    }
}

fn reset_group(ui: &mut Ui, cx: &mut Cx<'_>, group: &str) {
    if ui.add(Button::new(tr("settings.reset_group")).quiet().small()).clicked() {
        cx.commands.push(UiCommand::Confirm(Confirmation {
            title: tr_with("settings.reset_group_title", &[("group", &title(group))]),
            consequence: tr("settings.reset_group_text").to_owned(),
            verb: tr("common.reset").to_owned(),
            danger: true,
            then: Box::new(UiCommand::ResetSetting(Some(group.to_owned()))),
        }));
    }
}

/// Groups in the order of their first entry.
fn groups(entries: &[SettingEntry]) -> Vec<&str> {
    let mut groups: Vec<&str> = Vec::new();
    for entry in entries {
        if !groups.contains(&entry.group.as_str()) {
            groups.push(&entry.group);
        }
    }
    groups
}

/// "knowledge_base" as "Knowledge base".
fn title(group: &str) -> String {
    if group == "ui" {
        return tr("settings.group_ui").to_owned();
    }
    let words = group.replace(['_', '-'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
