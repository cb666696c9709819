//! A chart as an agent made it: bars, lines or points, with its words, bounded.

use egui::{Color32, Role, Ui};
use egui_plot::{Bar, BarChart, Legend, Line, Plot, PlotPoints, Points};
use rspa_core::model::{Chart, ChartKind, one_line};

use crate::design::{Tokens, Type, UiExt};
use crate::text::{tr_count, tr_with};

/// Series and points of one series that are drawn; the rest is told, not drawn.
const SERIES: usize = 12;
const POINTS: usize = 5_000;
/// Letters of a name.
const NAME: usize = 60;

/// Draws it as wide as there is room, `height` points high.
pub fn chart(ui: &mut Ui, id: egui::Id, chart: &Chart, height: f32) {
    let tokens = ui.tokens();
    let title = short(&chart.title);
    let points: u64 = chart.series.iter().map(|series| series.points.len() as u64).sum();
    let words = tr_with("tasks.chart.words", &[("title", &title), ("points", &tr_count("tasks.chart.points", points))]);
    let heading = ui.label(tokens.rich(Type::Strong, &title));
    super::speak_as(ui, &heading, Role::Heading, &title);
    let categories: Vec<String> = chart.categories.iter().take(POINTS).map(|name| short(name)).collect();
    let mut plot = Plot::new(id)
        .height(height)
        .width(ui.available_width())
        .allow_scroll(false)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_background(false)
        .x_axis_label(tokens.rich(Type::Label, short(&chart.x_label)))
        .y_axis_label(tokens.rich(Type::Label, short(&chart.y_label)));
    if chart.series.len() > 1 {
        plot = plot.legend(Legend::default());
    }
    if chart.kind == ChartKind::Bar {
        plot = plot.include_y(0.0);
    }
    if !categories.is_empty() {
        plot = plot.x_axis_formatter(move |mark, _| {
            let whole = mark.value.round();
            let near = (mark.value - whole).abs() < 0.01 && whole >= 0.0;
            near.then(|| categories.get(whole as usize).cloned()).flatten().unwrap_or_default()
        });
    }
    let shown: Vec<_> = chart.series.iter().take(SERIES).enumerate().collect();
    let count = shown.len().max(1) as f64;
    let response = plot.show(ui, |plot| {
        for (index, series) in shown {
            let ink = color(tokens, index);
            let name = short(&series.name);
            // A figure that is none has no place.
            let finite = series.points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()).take(POINTS);
            let points: Vec<[f64; 2]> = finite.map(|(x, y)| [*x, *y]).collect();
            match chart.kind {
                ChartKind::Bar => {
                    let width = 0.72 / count;
                    let side = (index as f64 - (count - 1.0) / 2.0) * width;
                    let bars = points.iter().map(|[x, y]| Bar::new(x + side, *y).width(width * 0.92)).collect();
                    plot.bar_chart(BarChart::new(name, bars).color(ink));
                }
                ChartKind::Line => plot.line(Line::new(name, PlotPoints::from(points)).color(ink)),
                ChartKind::Scatter => {
                    plot.points(Points::new(name, PlotPoints::from(points)).color(ink).radius(3.0));
                }
            }
        }
    });
    super::speak_as(ui, &response.response, Role::Image, &words);
}

fn color(tokens: &Tokens, index: usize) -> Color32 {
    let c = &tokens.color;
    let all = [c.accent, c.ok, c.warn, c.bad, c.code_type, c.code_string, c.text_2];
    all[index % all.len()]
}

fn short(text: &str) -> String {
    one_line(text).chars().take(NAME).collect()
}
