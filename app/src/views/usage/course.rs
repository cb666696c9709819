//! The course of the period, one point a day: tokens, time or cost.

use egui::{Id, Ui};
use rspa_core::model::{Chart, ChartKind, ChartSeries, UsageLine, UsageReport};

use crate::design::UiExt;
use crate::text::tr;
use crate::widgets::{Button, card, plot};

/// What the chart shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    #[default]
    Tokens,
    Time,
    Cost,
    Calls,
}

const ALL: [(Shown, &str); 4] = [
    (Shown::Tokens, "usage.chart.tokens"),
    (Shown::Time, "usage.chart.time"),
    (Shown::Cost, "usage.chart.cost"),
    (Shown::Calls, "usage.chart.calls"),
];

pub fn ui(ui: &mut Ui, report: &UsageReport, shown: &mut Shown) {
    let tokens = ui.tokens();
    card(ui, |ui| {
        ui.take_available_width();
        ui.horizontal(|ui| {
            for (one, key) in ALL {
                if ui.add(Button::new(tr(key)).quiet().small().selected(one == *shown)).clicked() {
                    *shown = one;
                }
            }
        });
        ui.add_space(tokens.space.xs);
        plot::untitled(ui, Id::unique("course of usage"), &chart(report, *shown), 170.0, &[]);
    });
}

fn chart(report: &UsageReport, shown: Shown) -> Chart {
    let line = |key: &str, of: fn(&UsageLine) -> f64| ChartSeries {
        name: tr(key).to_owned(),
        points: report.days.iter().enumerate().map(|(i, day)| (i as f64, of(day))).collect(),
    };
    let (series, unit) = match shown {
        Shown::Tokens => (
            vec![
                line("usage.series.prompt", |day| day.prompt_tokens as f64),
                line("usage.series.answer", |day| day.answer_tokens as f64),
            ],
            tr("usage.tokens").to_owned(),
        ),
        Shown::Time => (vec![line("usage.series.time", |day| day.seconds / 60.0)], tr("usage.unit_minutes").to_owned()),
        Shown::Cost => (vec![line("usage.series.cost", |day| day.cost.unwrap_or_default())], report.currency.clone()),
        Shown::Calls => (
            vec![
                line("usage.series.calls", |day| day.calls as f64),
                line("usage.series.cached", |day| day.cached as f64),
                line("usage.series.failed", |day| day.failed as f64),
            ],
            tr("usage.unit_calls").to_owned(),
        ),
    };
    let title = ALL.iter().find(|(one, _)| *one == shown).map_or("", |(_, key)| tr(key));
    Chart {
        title: title.to_owned(),
        kind: ChartKind::Line,
        x_label: String::new(),
        y_label: unit,
        categories: report.days.iter().map(|day| short_day(&day.key)).collect(),
        series,
    }
}

/// `2026-11-20` as 20 Nov.
fn short_day(text: &str) -> String {
    super::totals::day(text).rsplit_once(' ').map_or_else(|| text.to_owned(), |(day, _year)| day.to_owned())
}
