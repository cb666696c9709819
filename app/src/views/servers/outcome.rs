//! What a call, a resource or a prompt gave: hostile text, shown exactly.

use egui::{Align, Id, Layout, Ui};

use super::push;
use crate::commands::UiCommand;
use crate::commands::pages::servers::ServersCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{short, tr, tr_count};
use crate::views::Cx;
use crate::widgets::exact::Shown;
use crate::widgets::{ExactView, IconButton, Tone, states};

#[derive(Default)]
pub struct ResultView {
    text: ExactView,
    data: ExactView,
}

impl ResultView {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let slot = &cx.state.pages.servers.result;
        ui.add_space(tokens.space.s);
        if slot.is_waiting() {
            ui.label(tokens.rich(Type::Secondary, tr("servers.result.waiting")));
            return;
        }
        if let Some(error) = slot.error() {
            let words = format!("{} {}", crate::text::sentence(&error.message), error.advice);
            states::banner(ui, Tone::Bad, Icon::WarningCircle, &words);
            return;
        }
        let Some(content) = slot.get() else { return };
        ui.horizontal(|ui| {
            let title = if content.failed { tr("servers.result.failed") } else { tr("servers.result.title") };
            let ink = if content.failed { tokens.color.bad } else { tokens.color.text };
            ui.label(tokens.rich(Type::Strong, title).color(ink));
            ui.label(tokens.rich(Type::Label, tr_count("servers.result.letters", content.text.chars().count() as u64)));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.add(IconButton::new(Icon::X, tr("servers.result.close")).small()).clicked() {
                    push(cx, ServersCommand::CloseResult);
                }
                if ui.add(IconButton::new(Icon::Copy, tr("servers.result.copy")).small()).clicked() {
                    cx.commands.push(UiCommand::CopyText(content.text.clone()));
                }
            });
        });
        if content.text.is_empty() && content.data.is_none() && content.other.is_empty() {
            ui.label(tokens.rich(Type::Secondary, tr("servers.result.empty")));
        }
        if !content.text.is_empty() {
            let id = Id::unique("result of the server");
            self.text.show(ui, id, tr("servers.result.title"), &content.text, Shown::Plain, 320.0);
        }
        if let Some(data) = &content.data {
            ui.label(tokens.rich(Type::Secondary, tr("servers.result.data")));
            let exact = serde_json::to_string_pretty(data).unwrap_or_default();
            let id = Id::unique("data of the server");
            self.data.show(ui, id, tr("servers.result.data"), &exact, Shown::Plain, 240.0);
        }
        for part in content.other.iter().take(20) {
            ui.label(tokens.rich(Type::Secondary, short(part, 120)));
        }
        if self.text.has_hidden() {
            states::banner(ui, Tone::Warn, Icon::Warning, tr("servers.offer.hidden"));
        }
    }
}
