//! The column of tool servers, and how each is doing in words.

use egui::{Key, ScrollArea, Ui};
use rspa_core::model::{McpServer, McpState, McpTransport};

use super::push;
use crate::commands::pages::servers::ServersCommand;
use crate::design::{Icon, UiExt};
use crate::text::{short, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{StatusRow, Tone};

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, list: &[McpServer]) {
    let tokens = ui.tokens();
    let chosen = cx.state.pages.servers.chosen().map(|server| server.id);
    keys(ui, cx, list);
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, tokens.size.row_two_lines, list.len(), |ui, rows| {
        for server in &list[rows] {
            let (tone, words) = state(server);
            let name = short(&server.settings.name, 60);
            let right =
                if server.tools > 0 { tr_count("servers.tools", u64::from(server.tools)) } else { String::new() };
            let row = StatusRow {
                name: &name,
                icon: icon(&server.settings.transport),
                tone,
                words: &words,
                right: &right,
                selected: chosen == Some(server.id),
            };
            if ui.push_id(server.id, |ui| ui.add(row)).inner.clicked() {
                push(cx, ServersCommand::Select(Some(server.id)));
            }
        }
    });
}

/// Up and down go through the list while nothing else has the keyboard.
fn keys(ui: &Ui, cx: &mut Cx<'_>, list: &[McpServer]) {
    if !cx.focused || ui.memory(|memory| memory.focused()).is_some() {
        return;
    }
    let by =
        ui.input(|input| i32::from(input.key_pressed(Key::ArrowDown)) - i32::from(input.key_pressed(Key::ArrowUp)));
    let at = cx.state.pages.servers.chosen().and_then(|own| list.iter().position(|server| server.id == own.id));
    let next = match (by, at) {
        (0, _) => return,
        (1, Some(at)) => at + 1,
        (_, Some(at)) => at.saturating_sub(1),
        (_, None) => 0,
    };
    if let Some(server) = list.get(next) {
        push(cx, ServersCommand::Select(Some(server.id)));
    }
}

pub fn icon(transport: &McpTransport) -> Icon {
    match transport {
        McpTransport::Stdio { .. } => Icon::TerminalWindow,
        McpTransport::Http { .. } => Icon::Globe,
    }
}

/// The tone of its dot, and the words beside it.
pub fn state(server: &McpServer) -> (Tone, String) {
    match &server.state {
        _ if !server.settings.enabled => (Tone::Neutral, tr("servers.state.disabled").to_owned()),
        McpState::Stopped => (Tone::Neutral, tr("servers.state.stopped").to_owned()),
        McpState::Starting => (Tone::Accent, tr("servers.state.starting").to_owned()),
        McpState::Ready { .. } => (Tone::Ok, tr("servers.state.ready").to_owned()),
        McpState::Failed { why, until } => {
            let why = short(why, 160);
            let words = until.map_or_else(
                || tr_with("servers.state.failed", &[("why", &why)]),
                |until| tr_with("servers.state.waits", &[("why", &why), ("time", &crate::text::clock(until))]),
            );
            (Tone::Bad, words)
        }
    }
}
