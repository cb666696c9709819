//! The course of the window: tasks that were made, done and failed, time that was worked, what happened.

use egui::{Id, Ui};
use rspa_core::model::{Chart, ChartKind, ChartSeries, Dashboard, Timestamp, TrendPoint};

use super::running::list_card;
use crate::design::UiExt;
use crate::text::{clock, short_day, tr};
use crate::widgets::{Button, Tone, plot};

/// What the chart shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    #[default]
    Tasks,
    Time,
    Activity,
}

impl Shown {
    const ALL: [Self; 3] = [Self::Tasks, Self::Time, Self::Activity];

    fn name(self) -> &'static str {
        match self {
            Self::Tasks => tr("dashboard.trend_tasks"),
            Self::Time => tr("dashboard.trend_time"),
            Self::Activity => tr("dashboard.trend_activity"),
        }
    }
}

pub fn ui(ui: &mut Ui, figures: &Dashboard, days: u32, shown: &mut Shown) {
    list_card(ui, tr("dashboard.trends"), |ui| {
        let tokens = ui.tokens();
        egui::Frame::new().inner_margin(tokens.space.m as i8).show(ui, |ui| {
            ui.horizontal(|ui| {
                for one in Shown::ALL {
                    if ui.add(Button::new(one.name()).quiet().small().selected(one == *shown)).clicked() {
                        *shown = one;
                    }
                }
            });
            ui.add_space(tokens.space.xs);
            // Red is what failed, here as everywhere.
            let tones: &[Tone] = match shown {
                Shown::Tasks => &[Tone::Accent, Tone::Ok, Tone::Bad],
                Shown::Time | Shown::Activity => &[],
            };
            plot::untitled(ui, Id::unique("trends of the dashboard"), &chart(figures, days, *shown), 150.0, tones);
        });
    });
}

fn chart(figures: &Dashboard, days: u32, shown: Shown) -> Chart {
    let line = |key: &str, of: fn(&TrendPoint) -> f64| ChartSeries {
        name: tr(key).to_owned(),
        points: figures.trend.iter().enumerate().map(|(i, point)| (i as f64, of(point))).collect(),
    };
    let series = match shown {
        Shown::Tasks => vec![
            line("dashboard.series_created", |point| f64::from(point.created)),
            line("dashboard.series_completed", |point| f64::from(point.completed)),
            line("dashboard.series_failed", |point| f64::from(point.failed)),
        ],
        Shown::Time => vec![
            line("dashboard.series_execution", |point| point.execution_s / 60.0),
            line("dashboard.series_model", |point| point.model_s / 60.0),
        ],
        Shown::Activity => vec![line("dashboard.series_activity", |point| f64::from(point.activities))],
    };
    Chart {
        title: shown.name().to_owned(),
        kind: ChartKind::Line,
        x_label: String::new(),
        y_label: String::new(),
        categories: figures.trend.iter().map(|point| label(point.at, days)).collect(),
        series,
    }
}

/// The hour, or the day.
fn label(at: Timestamp, days: u32) -> String {
    match days {
        1 => clock(at),
        _ => short_day(at),
    }
}
