//! What restoring would change, kind by kind, and the choice between replacing and merging.

use egui::{Align, Context, Id, Layout, ScrollArea, Ui};
use rspa_core::model::{DataKind, KindDifference, RestoreMode};

use super::moment;
use crate::commands::UiCommand;
use crate::commands::pages::backups::BackupsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{number, sentence, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, Tone, choice, dialog, progress_bar, speak_as, states};

const WIDTH: f32 = 560.0;

pub fn ui(ctx: &Context, mode: &mut RestoreMode, cx: &mut Cx<'_>) {
    let tokens = ctx.tokens();
    let ((), left) = dialog::modal(ctx, Id::unique("restore"), WIDTH, |ui| {
        egui::Frame::new().inner_margin(tokens.space.xl as i8).show(ui, |ui| content(ui, mode, cx));
    });
    if left && !cx.state.pages.backups.restoring {
        cx.commands.push(UiCommand::Backups(BackupsCommand::ClosePreview));
    }
}

fn content(ui: &mut Ui, mode: &mut RestoreMode, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let page = &cx.state.pages.backups;
    let Some(preview) = page.preview.get() else {
        match page.preview.error() {
            Some(error) => {
                states::banner(ui, Tone::Bad, Icon::WarningCircle, &sentence(&error.message));
                ui.label(tokens.rich(Type::Secondary, &error.advice));
            }
            None => {
                ui.label(tokens.rich(Type::Secondary, tr("backups.preview_loading")));
                ui.add_space(tokens.space.s);
                progress_bar(ui, tr("backups.preview_loading"), None, ui.available_width());
            }
        }
        ui.add_space(tokens.space.l);
        buttons(ui, cx, None);
        return;
    };
    let title = tr_with("backups.preview", &[("time", &moment(preview.as_of))]);
    let response = ui.label(tokens.rich(Type::Heading, &title));
    speak_as(ui, &response, egui::Role::Heading, &title);
    ui.label(tokens.rich(Type::Secondary, tr("backups.preview_detail")));
    ui.add_space(tokens.space.m);
    if preview.differences.is_empty() {
        states::banner(ui, Tone::Ok, Icon::CheckCircle, tr("backups.preview_none"));
        ui.add_space(tokens.space.l);
        buttons(ui, cx, None);
        return;
    }
    let modes = [RestoreMode::Replace, RestoreMode::Merge];
    let options = [(tr("backups.replace"), tr("backups.replace_tip")), (tr("backups.merge"), tr("backups.merge_tip"))];
    let now = modes.iter().position(|one| one == mode);
    if let Some(picked) = choice(ui, &options, now).filter(|_| !page.restoring) {
        *mode = modes[picked];
    }
    ui.add_space(tokens.space.s);
    ui.add_space(tokens.space.s);
    let height = (ui.ctx().content_rect().height() * 0.42).max(120.0);
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        for difference in &preview.differences {
            kind(ui, difference, *mode);
        }
    });
    ui.add_space(tokens.space.m);
    let words = match mode {
        RestoreMode::Replace => tr("backups.replace_text"),
        RestoreMode::Merge => tr("backups.merge_text"),
    };
    ui.add(egui::Label::new(tokens.rich(Type::Secondary, words)).wrap());
    ui.add_space(tokens.space.l);
    if page.restoring {
        ui.label(tokens.rich(Type::Secondary, tr("backups.running")));
        progress_bar(ui, tr("backups.running"), None, ui.available_width());
        return;
    }
    buttons(ui, cx, Some(*mode));
}

/// What happens to one kind of things, with the first titles.
fn kind(ui: &mut Ui, difference: &KindDifference, mode: RestoreMode) {
    let tokens = ui.tokens();
    let merge = mode == RestoreMode::Merge;
    let parts = [
        (difference.only_there, "backups.back", Tone::Ok, &difference.there),
        (difference.only_here, if merge { "backups.stay" } else { "backups.go" }, gone(merge), &difference.here),
        (
            difference.different,
            if merge { "backups.differ" } else { "backups.change" },
            changed(merge),
            &difference.both,
        ),
    ];
    ui.horizontal(|ui| {
        ui.label(tokens.rich(Type::Strong, name(difference.kind)));
        for (count, key, tone, _) in parts.iter().filter(|(count, ..)| *count > 0) {
            ui.add(Chip::new(tr_count(key, *count)).tone(*tone));
        }
    });
    for (count, _, tone, titles) in parts.into_iter().filter(|(count, ..)| *count > 0) {
        if titles.is_empty() {
            continue;
        }
        let mut words = titles.iter().map(String::as_str).collect::<Vec<_>>().join("  ·  ");
        let more = count.saturating_sub(titles.len() as u64);
        if more > 0 {
            words = format!("{words}  ·  {}", tr_with("backups.more", &[("n", &number(more))]));
        }
        ui.horizontal_top(|ui| {
            crate::widgets::dot(ui, tone);
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, words)).wrap());
        });
    }
    ui.add_space(tokens.space.s);
}

fn gone(merge: bool) -> Tone {
    if merge { Tone::Neutral } else { Tone::Bad }
}

fn changed(merge: bool) -> Tone {
    if merge { Tone::Neutral } else { Tone::Warn }
}

/// `mode` none where there is nothing to do.
fn buttons(ui: &mut Ui, cx: &mut Cx<'_>, mode: Option<RestoreMode>) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if let (Some(mode), Some(from)) = (mode, &cx.state.pages.backups.chosen) {
            let button = match mode {
                RestoreMode::Replace => Button::new(tr("backups.do_replace")).danger(),
                RestoreMode::Merge => Button::new(tr("backups.do_merge")).primary(),
            };
            if ui.add(button).clicked() {
                let from = from.clone();
                cx.commands.push(UiCommand::Backups(BackupsCommand::Restore { from, mode }));
            }
        }
        let word = if mode.is_some() { tr("common.cancel") } else { tr("common.close") };
        // The same one, whatever is drawn before it: it keeps the keyboard while the comparison arrives.
        let own = egui::UiBuilder::new().scope_id(Id::unique("restore cancel"));
        let cancel = ui.scope_builder(own, |ui| ui.add(Button::new(word))).inner;
        if cancel.clicked() {
            cx.commands.push(UiCommand::Backups(BackupsCommand::ClosePreview));
        }
        // The keyboard starts on the harmless side.
        if ui.memory(|memory| memory.focused().is_none()) {
            cancel.request_focus();
        }
    });
}

fn name(kind: DataKind) -> &'static str {
    match kind {
        DataKind::Profiles => tr("backups.kind_profiles"),
        DataKind::Chats => tr("backups.kind_chats"),
        DataKind::Messages => tr("backups.kind_messages"),
        DataKind::Sources => tr("backups.kind_sources"),
        DataKind::Trash => tr("backups.kind_trash"),
        DataKind::Activities => tr("backups.kind_activities"),
        DataKind::Agents => tr("backups.kind_agents"),
        DataKind::AgentData => tr("backups.kind_agent_data"),
        DataKind::Settings => tr("backups.kind_settings"),
        DataKind::Credentials => tr("backups.kind_credentials"),
        DataKind::Notes => tr("backups.kind_notes"),
        DataKind::Schedules => tr("backups.kind_schedules"),
        DataKind::ToolServers => tr("backups.kind_tool_servers"),
        DataKind::Crews => tr("backups.kind_crews"),
        DataKind::RetrievalTests => tr("backups.kind_retrieval_tests"),
        DataKind::Other => tr("backups.kind_other"),
    }
}
