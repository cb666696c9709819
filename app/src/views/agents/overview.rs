//! How an agent is doing: figures, its course over days, what it does now.

use egui::Ui;
use rspa_core::model::{Agent, AgentMetrics, Chart, ChartKind, ChartSeries, TaskStatus};

use super::{look, push};
use crate::commands::UiCommand;
use crate::commands::pages::agents::AgentsCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{ago, duration, number, short_day, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Chip, ListRow, card, cells, page_body, plot, section_title, states};

const WINDOWS: [u32; 3] = [7, 14, 90];

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, agent: &Agent) {
    let tokens = ui.tokens();
    page_body(ui, 900.0, |ui| {
        figures(ui, cx, agent);
        ui.add_space(tokens.space.m);
        now(ui, cx);
        let page = &cx.state.pages.agents;
        let days = page.days;
        ui.horizontal(|ui| {
            section_title(ui, tr("agents.course"));
            for window in WINDOWS {
                let words = tr_count("agents.days", u64::from(window));
                if ui.add(Chip::new(words).selectable(days == window)).clicked() {
                    push(cx, AgentsCommand::ShowDays(window));
                }
            }
        });
        ui.add_space(tokens.space.s);
        match (cx.state.pages.agents.metrics.get(), cx.state.pages.agents.metrics.error()) {
            (Some(metrics), _) => course(ui, agent, metrics),
            (None, Some(error)) => {
                if states::error(ui, error) {
                    push(cx, AgentsCommand::Refresh);
                }
            }
            (None, None) => {
                ui.label(tokens.rich(Type::Secondary, tr("agents.loading_figures")));
            }
        }
    });
}

fn figures(ui: &mut Ui, cx: &Cx<'_>, agent: &Agent) {
    let tokens = ui.tokens();
    let uptime = cx.state.pages.agents.metrics.get().map(|metrics| metrics.uptime);
    let last = agent.last_active.map_or_else(|| tr("agents.never").to_owned(), |at| ago(at, cx.state.now));
    let all = [
        (tr("agents.figure.completed"), number(agent.completed), tr_count("agents.figure.failed", agent.failed)),
        (tr("agents.figure.rate"), look::rate(agent.success_rate()), tr("agents.figure.rate_of").to_owned()),
        (tr("agents.figure.worked"), duration(agent.worked_ms as f64 / 1_000.0), last),
        (
            tr("agents.figure.uptime"),
            look::rate(uptime),
            tr_count("agents.figure.uptime_of", u64::from(cx.state.pages.agents.days)),
        ),
    ];
    let per_row = if ui.available_width() < 560.0 { 2 } else { 4 };
    for row in all.chunks(per_row) {
        cells(ui, per_row, tokens.space.m, |i, ui| {
            let Some((label, figure, beside)) = row.get(i) else { return };
            card(ui, |ui| {
                ui.set_height(60.0);
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.take_available_width();
                ui.add(egui::Label::new(tokens.rich(Type::Secondary, *label)).truncate());
                ui.add(egui::Label::new(tokens.rich(Type::Figure, figure)).truncate());
                ui.add(egui::Label::new(tokens.rich(Type::Label, beside)).truncate());
            });
        });
        ui.add_space(tokens.space.s);
    }
}

/// What it does now.
fn now(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let tasks = cx.state.pages.agents.tasks.get().map_or(&[][..], |page| &page.items);
    let running: Vec<_> = tasks.iter().filter(|task| task.status == TaskStatus::Running).collect();
    if running.is_empty() {
        return;
    }
    section_title(ui, tr("agents.now"));
    for task in running {
        let doing = task.progress.as_ref().map_or_else(String::new, |progress| {
            let step = tr_with("agents.step", &[("step", &progress.step), ("most", &progress.most)]);
            format!("{step}  {}", look::short(&progress.doing, 80))
        });
        let row = ListRow::new(look::short(&task.title, 120)).icon(Icon::PlayCircle).right(doing);
        if ui.add(row).clicked() {
            cx.commands.push(UiCommand::OpenTask(task.id));
        }
    }
    ui.add_space(tokens.space.m);
}

fn course(ui: &mut Ui, agent: &Agent, metrics: &AgentMetrics) {
    let tokens = ui.tokens();
    let done = metrics.days.iter().any(|day| day.completed + day.failed > 0);
    if !done {
        states::banner(ui, crate::widgets::Tone::Neutral, Icon::ChartBar, tr("agents.no_course"));
        return;
    }
    let points = |figure: &dyn Fn(&rspa_core::model::AgentDay) -> f64| {
        metrics.days.iter().enumerate().map(|(i, day)| (i as f64, figure(day))).collect::<Vec<_>>()
    };
    let chart = Chart {
        title: tr("agents.chart.title").to_owned(),
        kind: ChartKind::Bar,
        x_label: String::new(),
        y_label: tr("agents.chart.tasks").to_owned(),
        categories: metrics.days.iter().map(|one| short_day(one.at)).collect(),
        series: vec![
            ChartSeries {
                name: tr("agents.task.completed").to_owned(),
                points: points(&|day| f64::from(day.completed)),
            },
            ChartSeries { name: tr("agents.task.failed").to_owned(), points: points(&|day| f64::from(day.failed)) },
        ],
    };
    let tones = [crate::widgets::Tone::Ok, crate::widgets::Tone::Bad];
    plot::toned(ui, egui::Id::unique(("agent course", agent.id)), &chart, 180.0, &tones);
    let work: f64 = metrics.days.iter().map(|day| day.worked_ms as f64 / 1_000.0).sum();
    let tokens_written: u64 = metrics.days.iter().map(|day| day.tokens).sum();
    let words = tr_with("agents.course_sum", &[("time", &duration(work)), ("tokens", &number(tokens_written))]);
    ui.label(tokens.rich(Type::Secondary, words));
}
