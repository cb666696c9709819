//! The backups, newest first: when, why, how large, whether verified, and what can be done with each.

use egui::{Align, Align2, Layout, Rect, Sense, Stroke, Ui, UiBuilder, pos2, vec2};
use rspa_core::model::{BackupInfo, BackupList, BackupReason, BackupState, RestoreFrom};

use super::moment;
use crate::commands::pages::backups::BackupsCommand;
use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{bytes, since, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, IconButton, Tone, card};

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
    }
}

/// Points that the buttons of a row take.
const ACTIONS: f32 = 170.0;

/// Two lines as in every list: when and how it is, then what is in it; the buttons at the right.
fn row(ui: &mut Ui, backup: &BackupInfo, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let time = moment(backup.made);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.row_two_lines), Sense::hover());
    if response.contains_pointer() {
        ui.painter().rect_filled(rect, tokens.radius.control, tokens.color.bg2);
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
    let inner = rect.shrink2(vec2(tokens.space.s, tokens.space.s));
    let at = pos2(inner.left(), inner.top() + 10.0);
    let font = Icon::font(tokens.size.icon);
    ui.painter().text(at, Align2::LEFT_CENTER, Icon::HardDrive.code(), font, tokens.color.text_2);
    let part = |left: f32, top: f32, right: f32, bottom: f32, layout: Layout| {
        UiBuilder::new().max_rect(Rect::from_min_max(pos2(left, top), pos2(right, bottom))).layout(layout)
    };
    let (left, right) = (inner.left() + tokens.size.icon + tokens.space.s, inner.right() - ACTIONS);
    let middle = inner.center().y;
    let along = Layout::left_to_right(Align::Center);
    let wide = right - left > 420.0;
    let mut first = ui.new_child(part(left, inner.top(), right, middle, along));
    first.label(tokens.rich(Type::Strong, &time)).on_hover_text(&backup.name);
    state(&mut first, backup, cx);
    if wide {
        first.add(Chip::new(reason(backup.reason)));
        if backup.copied {
            first.add(Chip::new(tr("backups.copied")).icon(Icon::Copy));
        }
    }
    let mut second = ui.new_child(part(left, middle, right, inner.bottom(), along));
    let facts = facts(backup, wide);
    second.add(egui::Label::new(tokens.rich(Type::Secondary, &facts)).truncate());
    let builder = part(right, inner.top(), inner.right(), inner.bottom(), Layout::right_to_left(Align::Center));
    actions(&mut ui.new_child(builder), backup, &time, cx);
}

fn state(ui: &mut Ui, backup: &BackupInfo, cx: &Cx<'_>) {
    match &backup.state {
        BackupState::Unknown => ui.add(Chip::new(tr("backups.unknown")).tone(Tone::Warn)),
        BackupState::Good { verified } => {
            let words = tr_with("backups.good", &[("time", &since(*verified, cx.state.now))]);
            ui.add(Chip::new(words).tone(Tone::Ok).icon(Icon::Check))
        }
        BackupState::Bad { why } => {
            ui.add(Chip::new(tr("backups.bad")).tone(Tone::Bad).icon(Icon::Warning)).on_hover_text(why)
        }
    };
}

/// What is wrong first, then what is in it. Without room for its chips, also what they say.
fn facts(backup: &BackupInfo, wide: bool) -> String {
    let mut facts = Vec::new();
    if let BackupState::Bad { why } = &backup.state {
        facts.push(why.clone());
    }
    if !wide {
        facts.push(reason(backup.reason).to_owned());
    }
    facts.push(bytes(backup.size_bytes));
    if !backup.program.is_empty() {
        facts.push(tr_count("backups.chats", backup.chats));
        facts.push(tr_count("backups.sources", backup.sources));
        facts.push(backup.profiles.join(", "));
    }
    facts.retain(|fact| !fact.is_empty());
    facts.join("  ·  ")
}

fn actions(ui: &mut Ui, backup: &BackupInfo, time: &str, cx: &mut Cx<'_>) {
    ui.spacing_mut().item_spacing.x = ui.tokens().space.xs;
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
