//! The tasks of an agent, newest first; a click opens one.

use egui::{ScrollArea, Ui};

use super::{look, push};
use crate::commands::UiCommand;
use crate::commands::pages::agents::AgentsCommand;
use crate::design::{Icon, UiExt};
use crate::text::{ago, duration, tr, tr_count};
use crate::views::Cx;
use crate::widgets::{TwoLineRow, states};

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let slot = &cx.state.pages.agents.tasks;
    let Some(page) = slot.get() else {
        match slot.error() {
            Some(error) => {
                if states::error(ui, error) {
                    push(cx, AgentsCommand::Refresh);
                }
            }
            None => states::loading(ui, tr("agents.loading_tasks")),
        }
        return;
    };
    if page.items.is_empty() {
        return states::empty(ui, Icon::Kanban, tr("agents.no_tasks"), tr("agents.no_tasks_detail"), |_| {});
    }
    let more = page.total.saturating_sub(page.items.len() as u64);
    let rows = page.items.len() + usize::from(more > 0);
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, tokens.size.row_two_lines, rows, |ui, range| {
        for index in range {
            let Some(task) = page.items.get(index) else {
                let row = TwoLineRow::new(tr_count("agents.more_tasks", more), tr("agents.more_tasks_detail"));
                if ui.add(row.icon(Icon::DotsThree)).clicked() {
                    cx.commands.push(UiCommand::OpenPage(crate::state::Page::Tasks));
                }
                continue;
            };
            let (icon, tone, words) = look::task(task.status);
            let mut detail = vec![words.to_owned()];
            if task.execution_ms > 0 {
                detail.push(duration(task.execution_ms as f64 / 1_000.0));
            }
            if let Some(error) = &task.error {
                detail.push(look::short(&error.message, 160));
            }
            if task.sample {
                detail.push(tr("agents.sample").to_owned());
            }
            let title = format!("#{}  {}", task.number, look::short(&task.title, 160));
            let row = TwoLineRow::new(title, detail.join("  ·  "))
                .icon(icon)
                .right(ago(task.completed.unwrap_or(task.updated), cx.state.now))
                .detail_color(tone.ink(tokens));
            if ui.add(row).clicked() {
                cx.commands.push(UiCommand::OpenTask(task.id));
            }
        }
    });
}
