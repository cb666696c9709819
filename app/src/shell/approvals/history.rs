//! What was answered, and what is allowed once for all and can be taken back.

use egui::{Label, Layout, ScrollArea, Ui};
use rspa_core::model::{Approval, ApprovalState};

use super::{icon, short};
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::commands::{CommandQueue, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::text::{day, moment, tr, tr_with};
use crate::widgets::column::padded;
use crate::widgets::{Button, Chip, Tone, hairline, states};

const ROW: f32 = 56.0;

pub fn answered(ui: &mut Ui, state: &AppState, commands: &mut CommandQueue) {
    let approvals = &state.pages.approvals;
    let Some(page) = approvals.history.get() else {
        match approvals.history.error() {
            Some(error) => {
                if states::error(ui, error) {
                    commands.push(UiCommand::Approvals(ApprovalsCommand::Refresh));
                }
            }
            None => states::loading(ui, tr("approvals.loading")),
        }
        return;
    };
    let ended: Vec<&Approval> = page.items.iter().filter(|approval| approval.state != ApprovalState::Waiting).collect();
    if ended.is_empty() {
        states::empty(ui, Icon::Checks, tr("approvals.no_history"), tr("approvals.no_history_detail"), |_| {});
        return;
    }
    let more = (page.items.len() as u64) < page.total;
    let rows = ended.len() + usize::from(more);
    ScrollArea::vertical().id_salt("approvals history").auto_shrink(false).show_rows(ui, ROW, rows, |ui, range| {
        for index in range {
            match ended.get(index) {
                Some(approval) => row(ui, approval, commands),
                None => {
                    if ui.add(Button::new(tr("approvals.older")).quiet().full_width()).clicked() {
                        commands.push(UiCommand::Approvals(ApprovalsCommand::Older));
                    }
                }
            }
        }
    });
}

fn row(ui: &mut Ui, approval: &Approval, commands: &mut CommandQueue) {
    let detail = format!("{} · {}", short(&approval.agent_name, 40), moment(approval.answered.unwrap_or(approval.at)));
    let (_, words) = said(&approval.state);
    let row =
        crate::widgets::TwoLineRow::new(short(&approval.title, 160), detail).icon(icon(&approval.action)).right(words);
    let response = ui.add(row);
    if let ApprovalState::Denied { reason } = &approval.state
        && !reason.is_empty()
    {
        response.clone().on_hover_text(short(reason, 400));
    }
    if response.clicked()
        && let Some(task) = approval.task
    {
        commands.push(UiCommand::OpenTask(task));
    }
}

fn said(state: &ApprovalState) -> (Tone, &'static str) {
    match state {
        ApprovalState::Waiting => (Tone::Warn, tr("approvals.state.waiting")),
        ApprovalState::Allowed => (Tone::Ok, tr("approvals.state.allowed")),
        ApprovalState::AllowedAlways => (Tone::Ok, tr("approvals.state.always")),
        ApprovalState::Denied { .. } => (Tone::Bad, tr("approvals.state.denied")),
        ApprovalState::Replied { .. } => (Tone::Ok, tr("approvals.state.replied")),
        ApprovalState::Withdrawn => (Tone::Neutral, tr("approvals.state.withdrawn")),
    }
}

pub fn rules(ui: &mut Ui, state: &AppState, commands: &mut CommandQueue) {
    let tokens = ui.tokens();
    let slot = &state.pages.approvals.rules;
    let Some(rules) = slot.get() else {
        match slot.error() {
            Some(error) => {
                if states::error(ui, error) {
                    commands.push(UiCommand::Approvals(ApprovalsCommand::Refresh));
                }
            }
            None => states::loading(ui, tr("approvals.loading")),
        }
        return;
    };
    if rules.is_empty() {
        states::empty(ui, Icon::ShieldCheck, tr("approvals.no_rules"), tr("approvals.no_rules_detail"), |_| {});
        return;
    }
    ScrollArea::vertical().id_salt("approval rules").auto_shrink(false).show(ui, |ui| {
        for rule in rules.iter().take(500) {
            padded(ui, tokens.space.l, tokens.space.s, |ui| {
                let words = short(&rule.words, 300);
                ui.add(Label::new(tokens.rich(Type::Body, &words)).wrap());
                ui.horizontal(|ui| {
                    ui.add(Chip::new(short(&rule.agent_name, 40)).icon(Icon::Robot));
                    ui.add(Chip::new(short(&rule.tool, 40)).icon(Icon::Wrench));
                    ui.label(tokens.rich(Type::Label, day(rule.created)));
                    ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                        let name = tr_with("approvals.remove_rule", &[("what", &words)]);
                        let remove = Button::new(tr("common.remove")).quiet().small().tooltip(name);
                        if ui.add(remove).clicked() {
                            commands.push(UiCommand::Approvals(ApprovalsCommand::RemoveRule(rule.id)));
                        }
                    });
                });
            });
            hairline(ui);
        }
    });
}
