//! The column of providers: this program first.

use egui::{Key, ScrollArea, Ui};
use rspa_core::model::ProviderStatus;

use super::{phrases, push};
use crate::commands::pages::providers::ProvidersCommand;
use crate::design::UiExt;
use crate::text::short;
use crate::views::Cx;
use crate::widgets::StatusRow;

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, list: &[ProviderStatus]) {
    let tokens = ui.tokens();
    let page = &cx.state.pages.providers;
    let chosen = page.chosen().map(|status| status.id.clone());
    keys(ui, cx, list);
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, tokens.size.row_two_lines, list.len(), |ui, rows| {
        for status in &list[rows] {
            let (tone, words) = phrases::state(status);
            let name = short(&status.settings.name, 60);
            let right = status.latency_ms.map(phrases::latency).unwrap_or_default();
            let row = StatusRow {
                name: &name,
                icon: phrases::icon(status.settings.kind),
                tone,
                words: &words,
                right: &right,
                selected: chosen.as_ref() == Some(&status.id),
            };
            if ui.push_id(&status.id.0, |ui| ui.add(row)).inner.clicked() {
                push(cx, ProvidersCommand::Select(Some(status.id.clone())));
            }
        }
    });
}

/// Up and down go through the list while nothing else has the keyboard.
fn keys(ui: &Ui, cx: &mut Cx<'_>, list: &[ProviderStatus]) {
    if !cx.focused || ui.memory(|memory| memory.focused()).is_some() {
        return;
    }
    let by =
        ui.input(|input| i32::from(input.key_pressed(Key::ArrowDown)) - i32::from(input.key_pressed(Key::ArrowUp)));
    let at = cx.state.pages.providers.chosen().and_then(|own| list.iter().position(|status| status.id == own.id));
    let next = match (by, at) {
        (0, _) => return,
        (1, Some(at)) => at + 1,
        (_, Some(at)) => at.saturating_sub(1),
        (_, None) => 0,
    };
    if let Some(status) = list.get(next) {
        push(cx, ProvidersCommand::Select(Some(status.id.clone())));
    }
}
