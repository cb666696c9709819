//! The dashboard: true figures of the work, what runs now and next, what needs the person, what happened last.

mod activity;
mod figures;
mod needs;
mod running;
mod trends;
mod work;

use egui::{Align, Layout, Ui};
use rspa_core::model::Dashboard;

use super::{Cx, View};
use crate::commands::pages::dashboard::DashboardCommand;
use crate::commands::{Action, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::state::pages::dashboard::WINDOWS;
use crate::text::{number, tr, tr_count, tr_with};
use crate::widgets::{Button, Tone, page_body, split, states};

#[derive(Default)]
pub struct DashboardView {
    shown: trends::Shown,
}

/// Below this width the two columns stand under each other.
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
        let page = &state.pages.dashboard;
        let figures = page.figures.get();
        page_body(ui, 1800.0, |ui| {
            ui.add_space(tokens.space.s);
            head(ui, cx);
            ui.add_space(tokens.space.l);
            let mut limits: Vec<&str> = overview.degraded.iter().map(String::as_str).collect();
            limits.extend(state.degraded.iter().map(|(_, detail)| detail.as_str()));
            limits.extend(figures.iter().flat_map(|figures| &figures.problems).map(String::as_str));
            limits.extend(page.figures.error().map(|error| error.message.as_str()));
            limits.dedup();
            for limit in limits {
                states::banner(ui, Tone::Warn, Icon::Warning, limit);
                ui.add_space(tokens.space.s);
            }
            figures::ui(ui, overview, figures, page.days);
            ui.add_space(tokens.space.s);
            let width = ui.available_width();
            if width >= WIDE {
                let left = ((width - tokens.space.l) * 0.6).floor();
                let widths = [left, width - tokens.space.l - left];
                split(ui, &widths, tokens.space.l, &mut |i, ui| match i {
                    0 => self.left(ui, cx),
                    _ => right(ui, cx),
                });
            } else {
                self.left(ui, cx);
                ui.add_space(tokens.space.l);
                right(ui, cx);
            }
        });
    }
}

impl DashboardView {
    fn left(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        if let Some(figures) = cx.state.pages.dashboard.figures.get() {
            if is_new(figures) {
                begin(ui, cx);
            } else {
                work::ui(ui, figures, cx);
                ui.add_space(tokens.space.l);
                trends::ui(ui, figures, cx.state.pages.dashboard.days, &mut self.shown);
            }
            ui.add_space(tokens.space.l);
        }
        running::ui(ui, cx);
    }
}

fn right(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let Some(overview) = cx.state.overview.get() else { return };
    if let Some(figures) = cx.state.pages.dashboard.figures.get()
        && needs::ui(ui, figures, cx)
    {
        ui.add_space(tokens.space.l);
    }
    activity::ui(ui, overview, cx.state.now);
    ui.add_space(tokens.space.l);
    figures::knowledge(ui, overview);
}

/// Nobody has made an agent or a task yet.
fn is_new(figures: &Dashboard) -> bool {
    let tasks = &figures.tasks;
    figures.agents == 0 && tasks.pending + tasks.running + tasks.completed + tasks.failed + tasks.cancelled == 0
}

/// What a new profile begins with.
fn begin(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    crate::widgets::card(ui, |ui| {
        ui.take_available_width();
        crate::widgets::section_title(ui, tr("dashboard.begin"));
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, tr("dashboard.begin_detail"))).wrap());
        ui.add_space(tokens.space.s);
        ui.horizontal(|ui| {
            let agent = Button::new(Action::NewAgent.name()).icon(Icon::Robot).primary();
            if ui.add(agent).clicked() {
                cx.commands.run(Action::NewAgent);
            }
            let sample = Button::new(tr("dashboard.add_sample")).icon(Icon::Package);
            if ui.add(sample).clicked() {
                cx.commands.push(UiCommand::Dashboard(DashboardCommand::AddSample));
            }
        });
    });
}

fn head(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let state = cx.state;
    let buttons = |ui: &mut Ui, cx: &mut Cx<'_>| {
        let chat = Button::new(Action::NewChat.name()).icon(Icon::ChatCircle).primary();
        if ui.add(chat).clicked() {
            cx.commands.run(Action::NewChat);
        }
        if ui.add(Button::new(Action::NewTask.name()).icon(Icon::Plus)).clicked() {
            cx.commands.run(Action::NewTask);
        }
        ui.add_space(tokens.space.s);
        // From the right, so the longest window comes first.
        for days in WINDOWS.into_iter().rev() {
            let label = window_name(days);
            let button = Button::new(label.clone()).quiet().selected(days == state.pages.dashboard.days);
            let button = button.tooltip(tr_with("dashboard.window_tip", &[("window", &label)]));
            if ui.add(button).clicked() {
                cx.commands.push(UiCommand::Dashboard(DashboardCommand::Window(days)));
            }
        }
    };
    let words = |ui: &mut Ui| {
        let words = greeting(state.now);
        let title = ui.label(tokens.rich(Type::Figure, words));
        crate::widgets::speak_as(ui, &title, egui::Role::Heading, words);
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, summary(state))).wrap());
    };
    if ui.available_width() < WIDE {
        words(ui);
        ui.add_space(tokens.space.s);
        ui.horizontal_wrapped(|ui| buttons(ui, cx));
        return;
    }
    ui.horizontal(|ui| {
        ui.vertical(|ui| {
            ui.set_width((ui.available_width() - 520.0).max(240.0));
            words(ui);
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| buttons(ui, cx));
    });
}

/// "24 h", "7 days".
fn window_name(days: u32) -> String {
    match days {
        1 => tr("dashboard.day").to_owned(),
        days => tr_count("dashboard.days", u64::from(days)),
    }
}

/// What happened since yesterday, or what there is to search when nothing was worked on.
fn summary(state: &AppState) -> String {
    let Some(overview) = state.overview.get() else { return String::new() };
    if let Some(figures) = state.pages.dashboard.figures.get() {
        let lately = if state.pages.dashboard.days == 1 { figures.trend.len() } else { 2 };
        let points = &figures.trend[figures.trend.len().saturating_sub(lately)..];
        let sum = |of: fn(&rspa_core::model::TrendPoint) -> u32| points.iter().map(|p| u64::from(of(p))).sum::<u64>();
        let (done, failed) = (sum(|p| p.completed), sum(|p| p.failed));
        let waiting = figures.tasks.needs_you.max(figures.approvals.len() as u64);
        let mut parts = Vec::new();
        for (count, key) in [(done, "dashboard.done"), (failed, "dashboard.failed"), (waiting, "dashboard.needs")] {
            if count > 0 {
                parts.push(tr_count(key, count));
            }
        }
        if !parts.is_empty() {
            return tr_with("dashboard.since", &[("what", &parts.join(", "))]);
        }
    }
    if overview.sources == 0 {
        return tr("dashboard.no_sources").to_owned();
    }
    let sources = tr_count("dashboard.sources", overview.sources);
    let documents = tr_count("dashboard.documents", overview.documents);
    tr_with(
        "dashboard.summary",
        &[("sources", &sources), ("documents", &documents), ("passages", &number(overview.passages))],
    )
}

fn greeting(now: rspa_core::model::Timestamp) -> &'static str {
    let hour: u32 = crate::text::clock(now).split(':').next().and_then(|h| h.parse().ok()).unwrap_or(12);
    match hour {
        5..=11 => tr("dashboard.morning"),
        12..=17 => tr("dashboard.afternoon"),
        _ => tr("dashboard.evening"),
    }
}

#[cfg(test)]
mod tests;
