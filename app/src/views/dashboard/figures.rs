//! The cards of the dashboard: one big figure each, with what it was before and its course over the window.

use egui::Ui;
use rspa_core::model::{Dashboard, NetworkPolicy, Overview, TrendPoint};

use crate::design::{Type, UiExt};
use crate::text::{bytes, duration, number, tr, tr_count, tr_with};
use crate::widgets::{card, cells, section_title, sparkline};

struct Figure {
    label: String,
    figure: String,
    beside: String,
    course: Vec<f64>,
    still: bool,
}

pub fn ui(ui: &mut Ui, overview: &Overview, figures: Option<&Dashboard>, days: u32) {
    let tokens = ui.tokens();
    let all = [tasks(figures), rate(figures), model_time(overview, figures), sent_out(overview)];
    let per_row = if ui.available_width() < 700.0 { 2 } else { 4 };
    for row in all.chunks(per_row) {
        cells(ui, per_row, tokens.space.m, |i, ui| {
            let Some(figure) = row.get(i) else { return };
            one(ui, figure, days);
        });
        ui.add_space(tokens.space.s);
    }
}

/// A figure of each point of the window.
fn course(figures: Option<&Dashboard>, of: impl Fn(&TrendPoint) -> f64) -> Vec<f64> {
    figures.map(|figures| figures.trend.iter().map(of).collect()).unwrap_or_default()
}

fn tasks(figures: Option<&Dashboard>) -> Figure {
    let done = figures.map_or(0, |figures| figures.completed);
    let before = figures.map_or(0, |figures| figures.completed_before);
    Figure {
        label: tr("dashboard.tasks_done").to_owned(),
        figure: number(done),
        beside: change(done as f64, before as f64),
        course: course(figures, |point| f64::from(point.completed)),
        still: false,
    }
}

fn rate(figures: Option<&Dashboard>) -> Figure {
    let (now, before) = figures.map_or((None, None), |f| (f.success_rate, f.success_rate_before));
    let beside = match (now, before) {
        (Some(now), Some(before)) => signed((now - before) * 100.0, "dashboard.points"),
        (Some(_), None) => String::new(),
        (None, _) => tr("dashboard.no_outcomes").to_owned(),
    };
    Figure {
        label: tr("dashboard.success_rate").to_owned(),
        figure: now.map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0)),
        beside,
        course: course(figures, |point| {
            let all = point.completed + point.failed;
            if all == 0 { 0.0 } else { f64::from(point.completed) / f64::from(all) }
        }),
        still: false,
    }
}

fn model_time(overview: &Overview, figures: Option<&Dashboard>) -> Figure {
    let (seconds, before) = match figures {
        Some(figures) => (figures.model_s, figures.model_s_before),
        None => (overview.model_seconds_per_day.last().copied().unwrap_or_default(), 0.0),
    };
    Figure {
        label: tr("dashboard.model_time").to_owned(),
        figure: duration(seconds),
        beside: change(seconds, before),
        course: course(figures, |point| point.model_s),
        still: false,
    }
}

fn sent_out(overview: &Overview) -> Figure {
    let policy = match overview.network.policy {
        NetworkPolicy::Nothing => tr("dashboard.policy_nothing"),
        NetworkPolicy::Listed => tr("dashboard.policy_listed"),
        NetworkPolicy::All => tr("dashboard.policy_all"),
    };
    Figure {
        label: tr("dashboard.sent_out").to_owned(),
        figure: bytes(overview.network.bytes_sent),
        beside: policy.to_owned(),
        course: Vec::new(),
        still: overview.network.bytes_sent == 0,
    }
}

/// "+12 %" against the window before; nothing where there was none.
fn change(now: f64, before: f64) -> String {
    if before <= 0.0 {
        return String::new();
    }
    signed((now - before) / before * 100.0, "dashboard.percent")
}

fn signed(value: f64, key: &str) -> String {
    let sign = if value < -0.05 { "−" } else { "+" };
    let size = value.abs();
    let figure = if size < 9.95 { format!("{sign}{size:.1}") } else { format!("{sign}{size:.0}") };
    tr_with(key, &[("n", &figure)])
}

fn one(ui: &mut Ui, figure: &Figure, days: u32) {
    let tokens = ui.tokens();
    card(ui, |ui| {
        ui.set_height(88.0);
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.take_available_width();
        ui.label(tokens.rich(Type::Secondary, &figure.label));
        ui.horizontal(|ui| {
            ui.label(tokens.rich(Type::Figure, &figure.figure));
            if !figure.beside.is_empty() {
                ui.add(egui::Label::new(tokens.rich(Type::Label, &figure.beside)).truncate());
            }
        });
        ui.add_space(tokens.space.xs);
        if figure.still {
            sparkline(ui, &figure.label, &[0.0, 0.0], tokens.color.ok, 6.0);
        } else if figure.course.len() > 1 {
            let name = match days {
                1 => tr_with("dashboard.course_hours", &[("what", &figure.label)]),
                days => tr_with("dashboard.course", &[("what", &figure.label), ("days", &days)]),
            };
            sparkline(ui, &name, &figure.course, tokens.color.accent, 28.0);
        }
    });
}

/// What can be searched and asked about, and the room that it takes.
pub fn knowledge(ui: &mut Ui, overview: &Overview) {
    let tokens = ui.tokens();
    let today = overview.questions_per_day.last().copied().unwrap_or_default();
    let problems = if overview.problems > 0 {
        tr_count("dashboard.problems", overview.problems)
    } else {
        tr_count("dashboard.documents", overview.documents)
    };
    let disk =
        tr_with("dashboard.disk", &[("used", &bytes(overview.data_bytes)), ("free", &bytes(overview.disk_free_bytes))]);
    card(ui, |ui| {
        ui.take_available_width();
        section_title(ui, tr("dashboard.knowledge"));
        ui.add_space(tokens.space.xs);
        cells(ui, 2, tokens.space.m, |i, ui| {
            let (label, figure, beside) = match i {
                0 => (
                    tr("dashboard.questions_today"),
                    number(u64::from(today)),
                    tr_with("dashboard.of_all", &[("n", &number(overview.questions))]),
                ),
                _ => (tr("dashboard.passages"), number(overview.passages), problems.clone()),
            };
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.label(tokens.rich(Type::Secondary, label));
            ui.label(tokens.rich(Type::Title, figure));
            ui.add(egui::Label::new(tokens.rich(Type::Label, beside)).truncate());
        });
        ui.add_space(tokens.space.xs);
        ui.add(egui::Label::new(tokens.rich(Type::Label, disk)).truncate());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_with_their_sign() {
        assert_eq!(change(38.0, 34.0), "+12 %");
        assert_eq!(change(46.0, 50.0), "−8.0 %");
        assert_eq!(change(5.0, 0.0), "");
        assert_eq!(signed(1.4, "dashboard.points"), "+1.4");
    }
}
