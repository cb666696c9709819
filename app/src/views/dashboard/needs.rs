//! What needs the person: approvals, tasks that wait for a word, failures that nobody has looked at.

use egui::{Ui, vec2};
use rspa_core::model::{Dashboard, TaskStatus, one_line};

use super::running::list_card;
use crate::commands::UiCommand;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Tone, hairline};

/// Rows of the card.
const ROWS: usize = 6;

/// One that needs a word.
struct Need {
    icon: Icon,
    tone: Tone,
    title: String,
    detail: String,
    button: &'static str,
    leads: UiCommand,
}

/// Draws the card where something needs the person; false where nothing does.
pub fn ui(ui: &mut Ui, figures: &Dashboard, cx: &mut Cx<'_>) -> bool {
    let mut needs: Vec<Need> = figures
        .approvals
        .iter()
        .map(|approval| Need {
            icon: Icon::HandPalm,
            tone: Tone::Warn,
            title: one_line(&approval.title).into_owned(),
            detail: one_line(&format!("{} · {}", approval.agent_name, approval.task_title)).into_owned(),
            button: tr("dashboard.decide"),
            leads: UiCommand::Approvals(ApprovalsCommand::Show(Some(approval.id))),
        })
        .collect();
    for task in &figures.needs_you {
        if figures.approvals.iter().any(|approval| approval.task == Some(task.id)) {
            continue;
        }
        let failed = task.status == TaskStatus::Failed;
        let why = task.error.as_ref().map(|error| one_line(&error.message).into_owned());
        needs.push(Need {
            icon: if failed { Icon::WarningCircle } else { Icon::HandPalm },
            tone: if failed { Tone::Bad } else { Tone::Warn },
            title: one_line(&task.title).into_owned(),
            detail: match why.filter(|_| failed) {
                Some(why) => why,
                None if failed => tr("tasks.status.failed").to_owned(),
                None => tr("dashboard.needs_word").to_owned(),
            },
            button: tr("dashboard.look"),
            leads: UiCommand::OpenTask(task.id),
        });
    }
    if needs.is_empty() {
        return false;
    }
    list_card(ui, tr("dashboard.needs_you"), |ui| {
        ui.set_min_height(0.0);
        for need in needs.iter().take(ROWS) {
            if row(ui, need) {
                cx.commands.push(need.leads.clone());
            }
            hairline(ui);
        }
        if needs.len() > ROWS {
            let tokens = ui.tokens();
            egui::Frame::new().inner_margin(tokens.space.m as i8).show(ui, |ui| {
                let more = tr_with("dashboard.more", &[("n", &(needs.len() - ROWS))]);
                ui.label(tokens.rich(Type::Secondary, more));
            });
        }
    });
    true
}

fn row(ui: &mut Ui, need: &Need) -> bool {
    let tokens = ui.tokens();
    let mut clicked = false;
    egui::Frame::new().inner_margin(egui::Margin::symmetric(16, 8)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(need.icon.rich(tokens.size.icon).color(need.tone.ink(tokens)));
            ui.vertical(|ui| {
                ui.set_width((ui.available_width() - 92.0).max(60.0));
                ui.spacing_mut().item_spacing = vec2(0.0, 2.0);
                ui.add(egui::Label::new(tokens.rich(Type::Body, &need.title)).truncate());
                ui.add(egui::Label::new(tokens.rich(Type::Secondary, &need.detail)).truncate());
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let name = format!("{}: {}", need.button, need.title);
                let button = ui.add(Button::new(need.button).small());
                crate::widgets::speak_as(ui, &button, egui::Role::Button, &name);
                clicked = button.clicked();
            });
        });
    });
    clicked
}
