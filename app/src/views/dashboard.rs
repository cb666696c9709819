//! The dashboard: true figures of the work, what runs now, what happened last.

mod activity;
mod figures;
mod running;

use egui::{Align, Layout, Ui};

use super::{Cx, View};
use crate::commands::Action;
use crate::design::{Icon, Type, UiExt};
use crate::text::{number, tr, tr_count, tr_with};
use crate::widgets::{Button, Tone, page_body, split, states};

#[derive(Default)]
pub struct DashboardView {}

/// Below this width the two lists stand under each other.
const WIDE: f32 = 820.0;

impl View for DashboardView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let state = cx.state;
        let Some(overview) = state.overview.get() else {
            match state.overview.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        cx.commands.run(Action::OpenDashboard);
                    }
                }
                None => states::loading(ui, tr("dashboard.loading")),
            }
            return;
        };
        page_body(ui, 1400.0, |ui| {
            ui.add_space(tokens.space.s);
            head(ui, cx);
            ui.add_space(tokens.space.l);
            let mut limits: Vec<&str> = overview.degraded.iter().map(String::as_str).collect();
            limits.extend(state.degraded.iter().map(|(_, detail)| detail.as_str()));
            limits.dedup();
            for limit in limits {
                states::banner(ui, Tone::Warn, Icon::Warning, limit);
                ui.add_space(tokens.space.s);
            }
            figures::ui(ui, overview);
            ui.add_space(tokens.space.l);
            let width = ui.available_width();
            if width >= WIDE {
                let left = ((width - tokens.space.l) * 0.6).floor();
                let widths = [left, width - tokens.space.l - left];
                split(ui, &widths, tokens.space.l, &mut |i, ui| match i {
                    0 => running::ui(ui, cx),
                    _ => activity::ui(ui, overview, state.now),
                });
            } else {
                running::ui(ui, cx);
                ui.add_space(tokens.space.l);
                activity::ui(ui, overview, state.now);
            }
        });
    }
}

fn head(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let state = cx.state;
    let Some(overview) = state.overview.get() else { return };
    ui.horizontal(|ui| {
        ui.vertical(|ui| {
            let words = greeting(state.now);
            let title = ui.label(tokens.rich(Type::Figure, words));
            crate::widgets::speak_as(ui, &title, egui::Role::Heading, words);
            let words = if overview.sources == 0 {
                tr("dashboard.no_sources").to_owned()
            } else {
                let sources = tr_count("dashboard.sources", overview.sources);
                let documents = tr_count("dashboard.documents", overview.documents);
                tr_with(
                    "dashboard.summary",
                    &[("sources", &sources), ("documents", &documents), ("passages", &number(overview.passages))],
                )
            };
            ui.label(tokens.rich(Type::Secondary, words));
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let chat = Button::new(Action::NewChat.name()).icon(Icon::ChatCircle).primary();
            if ui.add(chat).clicked() {
                cx.commands.run(Action::NewChat);
            }
            if ui.add(Button::new(Action::AddFolder.name()).icon(Icon::Plus)).clicked() {
                cx.commands.run(Action::AddFolder);
            }
        });
    });
}

fn greeting(now: rspa_core::model::Timestamp) -> &'static str {
    let hour: u32 = crate::text::clock(now).split(':').next().and_then(|h| h.parse().ok()).unwrap_or(12);
    match hour {
        5..=11 => tr("dashboard.morning"),
        12..=17 => tr("dashboard.afternoon"),
        _ => tr("dashboard.evening"),
    }
}
