//! The cards of the dashboard: one big figure each, with its course over two weeks.

use egui::Ui;
use rspa_core::model::{NetworkPolicy, Overview};

use crate::design::{Type, UiExt};
use crate::text::{bytes, duration, number, tr, tr_count, tr_with};
use crate::widgets::{card, cells, sparkline};

struct Figure<'a> {
    label: &'static str,
    figure: String,
    beside: String,
    days: Option<&'a [f64]>,
    still: bool,
}

pub fn ui(ui: &mut Ui, overview: &Overview) {
    let tokens = ui.tokens();
    let questions: Vec<f64> = overview.questions_per_day.iter().map(|n| f64::from(*n)).collect();
    let today = overview.questions_per_day.last().copied().unwrap_or_default();
    let seconds = overview.model_seconds_per_day.last().copied().unwrap_or_default();
    let policy = match overview.network.policy {
        NetworkPolicy::Nothing => tr("dashboard.policy_nothing"),
        NetworkPolicy::Listed => tr("dashboard.policy_listed"),
        NetworkPolicy::All => tr("dashboard.policy_all"),
    };
    let problems = if overview.problems > 0 {
        tr_count("dashboard.problems", overview.problems)
    } else {
        tr_count("dashboard.documents", overview.documents)
    };
    let all = [
        Figure {
            label: tr("dashboard.questions_today"),
            figure: number(u64::from(today)),
            beside: tr_with("dashboard.of_all", &[("n", &number(overview.questions))]),
            days: Some(&questions),
            still: false,
        },
        Figure {
            label: tr("dashboard.model_time"),
            figure: duration(seconds),
            beside: tr("dashboard.today").to_owned(),
            days: Some(&overview.model_seconds_per_day),
            still: false,
        },
        Figure {
            label: tr("dashboard.passages"),
            figure: number(overview.passages),
            beside: problems,
            days: None,
            still: false,
        },
        Figure {
            label: tr("dashboard.sent_out"),
            figure: bytes(overview.network.bytes_sent),
            beside: policy.to_owned(),
            days: None,
            still: overview.network.bytes_sent == 0,
        },
    ];
    let per_row = if ui.available_width() < 700.0 { 2 } else { 4 };
    for row in all.chunks(per_row) {
        cells(ui, per_row, tokens.space.m, |i, ui| {
            let Some(figure) = row.get(i) else { return };
            one(ui, figure, overview);
        });
        ui.add_space(tokens.space.s);
    }
}

fn one(ui: &mut Ui, figure: &Figure<'_>, overview: &Overview) {
    let tokens = ui.tokens();
    card(ui, |ui| {
        ui.set_height(88.0);
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.take_available_width();
        ui.label(tokens.rich(Type::Secondary, figure.label));
        ui.horizontal(|ui| {
            ui.label(tokens.rich(Type::Figure, &figure.figure));
            ui.add(egui::Label::new(tokens.rich(Type::Label, &figure.beside)).truncate());
        });
        ui.add_space(tokens.space.xs);
        match figure.days {
            Some(days) => {
                let name = tr_with("dashboard.course", &[("what", &figure.label), ("days", &days.len())]);
                sparkline(ui, &name, days, tokens.color.accent, 28.0);
            }
            None if figure.still => sparkline(ui, figure.label, &[0.0, 0.0], tokens.color.ok, 6.0),
            None => {
                let words = tr_with(
                    "dashboard.disk",
                    &[("used", &bytes(overview.data_bytes)), ("free", &bytes(overview.disk_free_bytes))],
                );
                ui.add(egui::Label::new(tokens.rich(Type::Label, words)).truncate());
            }
        }
    });
}
