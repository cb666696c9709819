//! The status bar: first whether anything can leave this computer, then the model and the jobs.

use egui::{Align, Align2, Color32, Layout, Response, Role, Sense, Stroke, Ui, WidgetInfo, vec2};
use rspa_core::model::{NetworkPolicy, NetworkStatus, SourceState};

use crate::commands::pages::profiles::ProfilesCommand;
use crate::commands::{Action, CommandQueue, Shortcuts, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::{AppState, CoreStatus};
use crate::text::{bytes, number, tr, tr_count, tr_with};
use crate::widgets::{Tone, dot, focus_ring};

/// What the first words of the bar are: tone and text.
pub fn privacy(network: Option<&NetworkStatus>) -> (Tone, &'static str) {
    match network {
        None => (Tone::Neutral, tr("status.unknown")),
        Some(status) if status.active => (Tone::Warn, tr("status.downloading")),
        Some(status) if status.forbid_cloud => (Tone::Ok, tr("status.forbidden")),
        Some(status) => match status.policy {
            NetworkPolicy::Nothing => (Tone::Ok, tr("status.offline")),
            NetworkPolicy::Listed => (Tone::Warn, tr("status.listed")),
            NetworkPolicy::All => (Tone::Bad, tr("status.online")),
        },
    }
}

pub(super) fn ui(
    ui: &mut Ui,
    state: &AppState,
    shortcuts: &Shortcuts,
    notices_open: &mut bool,
    commands: &mut CommandQueue,
) {
    let tokens = ui.tokens();
    let rect = ui.max_rect();
    ui.painter().hline(rect.x_range(), rect.top() + 0.5, Stroke::new(1.0, tokens.color.line));
    ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.add_space(tokens.space.m);
        let (tone, words) = match state.core {
            CoreStatus::Failed(_) | CoreStatus::Closed => (Tone::Neutral, tr("status.stopped")),
            _ => privacy(state.network.as_ref()),
        };
        dot(ui, tone);
        ui.add_space(6.0);
        ui.label(tokens.rich(Type::Secondary, words));
        ui.add_space(tokens.space.m);
        profile(ui, state, commands);
        if matches!(state.core, CoreStatus::Ready) {
            let model = state.chat_model();
            let name = model.map_or(tr("status.no_model"), |model| model.info.name.as_str());
            if item(ui, Some(Icon::Cpu), name, Action::OpenModels.name(), None).clicked() {
                commands.run(Action::OpenModels);
            }
        }
        let running = state.running_jobs().count() as u64;
        if running > 0 {
            let label = tr_count("status.jobs", running);
            if item(ui, Some(Icon::Lightning), &label, &label, None).clicked() {
                commands.run(Action::OpenDashboard);
            }
        }
        tasks(ui, state, commands);
        reading(ui, state, commands);
        if let Some((_, detail)) = state.degraded.first() {
            let tint = Some(tokens.color.warn);
            let response = item(ui, Some(Icon::Warning), tr("status.degraded"), detail, tint);
            if response.on_hover_text(detail).clicked() {
                commands.run(Action::OpenDashboard);
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| right(ui, state, shortcuts, notices_open, commands));
    });
}

/// The profile, with a menu to switch.
fn profile(ui: &mut Ui, state: &AppState, commands: &mut CommandQueue) {
    let Some(list) = state.pages.profiles.list.get() else { return };
    let Some(active) = state.pages.profiles.active() else { return };
    let name: String = active.name.chars().take(24).collect();
    let chip = item(ui, Some(Icon::User), &name, tr("status.profile"), None).on_hover_text(tr("status.profile_tip"));
    crate::widgets::menu(&chip).show(|ui| {
        for profile in &list.profiles {
            let here = profile.id == list.active;
            if ui.selectable_label(here, &profile.name).clicked() && !here {
                commands.push(UiCommand::Profiles(ProfilesCommand::Switch(profile.id)));
                ui.close();
            }
        }
        ui.separator();
        if ui.button(Action::OpenProfiles.name()).clicked() {
            commands.run(Action::OpenProfiles);
        }
    });
}

/// What agents do now, and what they wait for the person with.
fn tasks(ui: &mut Ui, state: &AppState, commands: &mut CommandQueue) {
    let running = state.pages.tasks.counts.get().map_or(0, |counts| counts.running);
    if running > 0 {
        let label = tr_count("status.tasks", running);
        if item(ui, Some(Icon::Robot), &label, Action::OpenTasks.name(), None).clicked() {
            commands.run(Action::OpenTasks);
        }
    }
    let (waiting, all) = needs_you(state);
    if all > 0 {
        let label = tr_count("status.needs_you", all);
        // Some wait for a word that is given at the task itself.
        let action = if waiting > 0 { Action::Approvals } else { Action::OpenTasks };
        let tint = Some(ui.tokens().color.warn);
        if item(ui, Some(Icon::HandPalm), &label, action.name(), tint).clicked() {
            commands.run(action);
        }
    }
}

/// Approvals that wait, and all that waits for the person.
pub(super) fn needs_you(state: &AppState) -> (u64, u64) {
    let waiting = state.pages.approvals.waiting().count() as u64;
    let tasks = state.pages.tasks.counts.get().map_or(0, |counts| counts.needs_you);
    (waiting, waiting.max(tasks))
}

/// How far the sources are read that are being read now.
fn reading(ui: &mut Ui, state: &AppState, commands: &mut CommandQueue) {
    let busy = |s: &&rspa_core::model::SourceStatus| matches!(s.state, SourceState::Scanning | SourceState::Indexing);
    let Some(status) = state.knowledge.sources.get().and_then(|sources| sources.iter().find(busy)) else { return };
    let (_, words) = crate::widgets::source_words(status);
    let label = tr_with("status.reading", &[("name", &status.source.name), ("words", &words)]);
    if item(ui, Some(Icon::Books), &label, Action::OpenKnowledge.name(), None).clicked() {
        commands.run(Action::OpenKnowledge);
    }
}

fn right(ui: &mut Ui, state: &AppState, shortcuts: &Shortcuts, notices_open: &mut bool, commands: &mut CommandQueue) {
    let tokens = ui.tokens();
    ui.add_space(tokens.space.s);
    // What is at the left stays readable: here goes what finds no room.
    if let Some(keys) = shortcuts.label(ui.ctx(), Action::Palette).filter(|_| ui.available_width() > 160.0) {
        let label = tr_with("status.commands", &[("keys", &keys)]);
        if item(ui, None, &label, Action::Palette.name(), Some(tokens.color.text_3)).clicked() {
            commands.run(Action::Palette);
        }
    }
    let unread = state.notices.unread() + state.pages.notifications.unread();
    let (name, label, tint) = match unread {
        0 => (tr("status.notices").to_owned(), String::new(), None),
        n => (tr_with("status.notices_unread", &[("n", &n)]), n.to_string(), Some(tokens.color.text)),
    };
    if item(ui, Some(Icon::Bell), &label, &name, tint).clicked() {
        *notices_open = !*notices_open;
    }
    let passages: Option<u64> =
        state.knowledge.sources.get().map(|sources| sources.iter().map(|source| source.passages).sum());
    if let Some(passages) = passages.filter(|_| ui.available_width() > 130.0) {
        let label = tr_with("status.passages", &[("n", &number(passages))]);
        if item(ui, Some(Icon::Database), &label, &label, None).clicked() {
            commands.run(Action::OpenKnowledge);
        }
    }
    if let Some(overview) = state.overview.get().filter(|_| ui.available_width() > 220.0) {
        let (used, total) = (overview.memory_bytes, overview.memory_total_bytes);
        let words = tr_with("status.memory", &[("used", &bytes(used)), ("total", &bytes(total))]);
        let (bar, _) = ui.allocate_exact_size(vec2(64.0, 4.0), Sense::hover());
        ui.painter().rect_filled(bar, 2.0, tokens.color.bg3);
        let mut done = bar;
        done.set_width(bar.width() * (used as f32 / total.max(1) as f32).clamp(0.0, 1.0));
        ui.painter().rect_filled(done, 2.0, tokens.color.accent);
        item(ui, Some(Icon::Memory), &words, tr("status.memory_tip"), None).on_hover_text(tr("status.memory_tip"));
    }
}

/// A part of the bar that can be clicked.
fn item(ui: &mut Ui, icon: Option<Icon>, label: &str, name: &str, tint: Option<Color32>) -> Response {
    let tokens = ui.tokens();
    let font = tokens.font(Type::Secondary);
    let galley = ui.painter().layout_no_wrap(label.to_owned(), font, Color32::PLACEHOLDER);
    let icon_width = match (icon, label.is_empty()) {
        (None, _) => 0.0,
        (Some(_), true) => 14.0,
        (Some(_), false) => 20.0,
    };
    let size = vec2(galley.size().x + icon_width + 2.0 * tokens.space.s, tokens.size.status - 4.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let spoken = if label.is_empty() { name.to_owned() } else { format!("{label}: {name}") };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &spoken));
    if response.hovered() {
        ui.painter().rect_filled(rect, tokens.radius.small, tokens.color.bg3);
    }
    if response.has_focus() {
        focus_ring(ui, rect.shrink(1.0));
    }
    let ink = tint.unwrap_or(tokens.color.text_2);
    let mut left = rect.left() + tokens.space.s;
    if let Some(icon) = icon {
        let at = egui::pos2(left, rect.center().y);
        ui.painter().text(at, Align2::LEFT_CENTER, icon.code(), Icon::font(14.0), ink);
        left += icon_width;
    }
    ui.painter().galley(egui::pos2(left, rect.center().y - galley.size().y / 2.0), galley, ink);
    response
}
