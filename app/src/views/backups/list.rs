//! The backups, newest first: when, why, how large, whether verified, and what can be done with each.

use egui::{Align, Layout, Ui};
use rspa_core::model::{BackupInfo, BackupList, BackupReason, BackupState, RestoreFrom};

use super::moment;
use crate::commands::pages::backups::BackupsCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{ago, bytes, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, IconButton, Tone, card, hairline};

pub fn ui(ui: &mut Ui, list: &BackupList, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    if list.backups.is_empty() {
        card(ui, |ui| {
            ui.take_available_width();
            ui.label(tokens.rich(Type::Strong, tr("backups.empty")));
            let detail = if list.next_daily.is_some() { tr("backups.empty_detail") } else { tr("backups.empty_off") };
            ui.label(tokens.rich(Type::Secondary, detail));
        });
        return;
    }
    for backup in &list.backups {
        ui.push_id(&backup.name, |ui| row(ui, backup, cx));
        hairline(ui);
    }
}

fn row(ui: &mut Ui, backup: &BackupInfo, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let now = cx.state.now;
    let time = moment(backup.made);
    ui.add_space(tokens.space.s);
    ui.horizontal(|ui| {
        ui.label(Icon::HardDrive.rich(tokens.size.icon).color(tokens.color.text_2));
        ui.label(tokens.rich(Type::Strong, &time)).on_hover_text(&backup.name);
        ui.add(Chip::new(reason(backup.reason)));
        match &backup.state {
            BackupState::Unknown => ui.add(Chip::new(tr("backups.unknown")).tone(Tone::Warn)),
            BackupState::Good { verified } => {
                let words = tr_with("backups.good", &[("time", &ago(*verified, now))]);
                ui.add(Chip::new(words).tone(Tone::Ok).icon(Icon::Check))
            }
            BackupState::Bad { why } => {
                ui.add(Chip::new(tr("backups.bad")).tone(Tone::Bad).icon(Icon::Warning)).on_hover_text(why)
            }
        };
        if backup.copied {
            ui.add(Chip::new(tr("backups.copied")).icon(Icon::Copy));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| actions(ui, backup, &time, cx));
    });
    let mut facts = vec![bytes(backup.size_bytes)];
    if !backup.program.is_empty() {
        facts.push(tr_count("backups.chats", backup.chats));
        facts.push(tr_count("backups.sources", backup.sources));
        facts.push(backup.profiles.join(", "));
    }
    if let BackupState::Bad { why } = &backup.state {
        facts.push(why.clone());
    }
    facts.retain(|fact| !fact.is_empty());
    ui.horizontal(|ui| {
        ui.add_space(tokens.size.icon + tokens.space.s);
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, facts.join("  ·  "))).truncate());
    });
    ui.add_space(tokens.space.s);
}

fn actions(ui: &mut Ui, backup: &BackupInfo, time: &str, cx: &mut Cx<'_>) {
    let idle = !cx.state.pages.backups.restoring && !cx.state.pages.backups.making;
    let name = tr_with("backups.delete", &[("time", &time)]);
    if ui.add(IconButton::new(Icon::Trash, name).enabled(idle)).clicked() {
        cx.commands.push(UiCommand::Confirm(Confirmation {
            title: tr_with("backups.delete_title", &[("time", &time)]),
            consequence: tr_with("backups.delete_text", &[("name", &backup.name)]),
            verb: tr("common.delete").to_owned(),
            danger: true,
            then: Box::new(UiCommand::Backups(BackupsCommand::Delete(backup.name.clone()))),
        }));
    }
    let name = tr_with("backups.verify", &[("time", &time)]);
    if ui.add(IconButton::new(Icon::CheckCircle, name).enabled(idle)).clicked() {
        cx.commands.push(UiCommand::Backups(BackupsCommand::Verify(backup.name.clone())));
    }
    let usable = !matches!(backup.state, BackupState::Bad { .. });
    let button = Button::new(tr("backups.restore")).small().enabled(idle && usable);
    let button = button.tooltip(tr_with("backups.restore_name", &[("time", &time)]));
    if ui.add(button).clicked() {
        let from = RestoreFrom::Backup { name: backup.name.clone() };
        cx.commands.push(UiCommand::Backups(BackupsCommand::Preview(from)));
    }
}

fn reason(reason: BackupReason) -> &'static str {
    match reason {
        BackupReason::Daily => tr("backups.reason_daily"),
        BackupReason::Manual => tr("backups.reason_manual"),
        BackupReason::Migration => tr("backups.reason_migration"),
        BackupReason::Restore => tr("backups.reason_restore"),
    }
}
