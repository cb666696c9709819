//! What an agent did, newest first.

use egui::{ScrollArea, Ui};
use rspa_core::model::Agent;

use super::{look, push};
use crate::commands::pages::agents::AgentsCommand;
use crate::design::{Icon, UiExt};
use crate::text::{ago, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{TwoLineRow, activity, states};

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, agent: &Agent) {
    let tokens = ui.tokens();
    let slot = &cx.state.pages.agents.activities;
    let Some(page) = slot.get() else {
        match slot.error() {
            Some(error) => {
                if states::error(ui, error) {
                    push(cx, AgentsCommand::Refresh);
                }
            }
            None => states::loading(ui, tr("agents.loading_activity")),
        }
        return;
    };
    if page.items.is_empty() {
        let detail = tr_with("agents.no_activity_detail", &[("name", &look::short(&agent.settings.name, 60))]);
        return states::empty(ui, Icon::Pulse, tr("agents.no_activity"), &detail, |_| {});
    }
    let height = tokens.size.row_two_lines;
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, height, page.items.len(), |ui, range| {
        for one in &page.items[range] {
            let mut detail = activity::words(&one.kind);
            if !one.description.is_empty() {
                detail = format!("{detail}  ·  {}", look::short(&one.description, 200));
            }
            let row = TwoLineRow::new(look::short(&activity::title(&one.title), 160), detail)
                .icon(activity::icon(&one.kind))
                .right(ago(one.at, cx.state.now))
                .detail_color(activity::tone(&one.kind).ink(tokens));
            ui.add(row);
        }
    });
}
