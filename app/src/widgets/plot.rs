//! A chart, of an agent or of the dashboard: bars, lines or points, with its words, bounded.

use egui::{Color32, Role, Ui};
use egui_plot::{AxisHints, Bar, BarChart, GridMark, HoverPosition, Line, Plot, PlotPoints, Points};
use rspa_core::model::{Chart, ChartKind, one_line};

use super::Tone;
use crate::design::{Tokens, Type, UiExt};
use crate::text::{tr_count, tr_with};

/// Series and points of one series that are drawn; the rest is told, not drawn.
const SERIES: usize = 12;
const POINTS: usize = 5_000;
/// Letters of a name.
const NAME: usize = 60;

/// Draws it with its title, as wide as there is room; the part with the axes is `height` points high.
pub fn chart(ui: &mut Ui, id: egui::Id, chart: &Chart, height: f32) {
    toned(ui, id, chart, height, &[]);
}

/// As [`chart`], with colours that mean something, one for each series.
pub fn toned(ui: &mut Ui, id: egui::Id, chart: &Chart, height: f32, tones: &[Tone]) {
    let title = short(&chart.title);
    let heading = ui.label(ui.tokens().rich(Type::Strong, &title));
    super::speak_as(ui, &heading, Role::Heading, &title);
    untitled(ui, id, chart, height, tones);
}

/// Draws it where its title stands already.
pub fn untitled(ui: &mut Ui, id: egui::Id, chart: &Chart, height: f32, tones: &[Tone]) {
    let tokens = ui.tokens();
    let title = short(&chart.title);
    let points: u64 = chart.series.iter().map(|series| series.points.len() as u64).sum();
    let words = tr_with("tasks.chart.words", &[("title", &title), ("points", &tr_count("tasks.chart.points", points))]);
    if chart.series.len() > 1 {
        legend(ui, chart, tones);
    }
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
        .show_crosshair(false)
        .grid_color(tokens.color.line)
        .show_grid([chart.kind == ChartKind::Scatter, true]);
    let all = || chart.series.iter().take(SERIES).flat_map(|series| series.points.iter().take(POINTS));
    let counts = all().all(|(_, y)| y.fract() == 0.0);
    if chart.kind != ChartKind::Scatter && all().all(|(_, y)| *y >= 0.0) {
        // Lengths are compared: the axis begins at nothing, and what is nothing lies on it.
        plot = plot.include_y(0.0);
        if all().all(|(_, y)| *y < 1.0) {
            plot = plot.include_y(1.0);
        }
    }
    let room = ui.available_width() - 60.0;
    if chart.kind != ChartKind::Scatter {
        plot = plot.y_grid_spacer(move |input| marks(input.bounds, 4.0, if counts { 1.0 } else { 0.0 }));
        if !categories.is_empty() {
            plot = plot.x_grid_spacer(move |input| marks(input.bounds, f64::from((room / 76.0).max(1.0)), 1.0));
        }
    }
    let (font, ink) = (tokens.font(Type::Label), tokens.color.text_3);
    let axis = |label: &str, axis: AxisHints<'static>| {
        let axis = axis.tick_label_font(font.clone()).tick_label_color(ink);
        if label.trim().is_empty() { axis } else { axis.label(tokens.rich(Type::Label, short(label))) }
    };
    let mut x = axis(&chart.x_label, AxisHints::new_x());
    if !categories.is_empty() {
        let names = categories.clone();
        x = x.formatter(move |mark, _| named(&names, mark.value));
    }
    let mut y = axis(&chart.y_label, AxisHints::new_y());
    if chart.kind != ChartKind::Scatter {
        y = y.formatter(|mark, _| {
            let words = format!("{:.3}", mark.value);
            words.trim_end_matches('0').trim_end_matches('.').to_owned()
        });
    }
    plot = plot.custom_x_axes(vec![x]).custom_y_axes(vec![y]).label_formatter(move |at| match at {
        HoverPosition::NearDataPoint { plot_name, position, .. } => {
            let place = named(&categories, position.x);
            let place = if place.is_empty() { format!("{:.2}", position.x) } else { place };
            let figure = if position.y.fract() == 0.0 { 0 } else { 2 };
            Some(format!("{place}\n{plot_name}: {:.figure$}", position.y))
        }
        HoverPosition::Elsewhere { .. } => None,
    });
    let shown: Vec<_> = chart.series.iter().take(SERIES).enumerate().collect();
    let count = shown.len().max(1) as f64;
    let response = plot.show(ui, |plot| {
        for (index, series) in shown {
            let ink = color(tokens, tones, index);
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
                ChartKind::Line => plot.line(Line::new(name, PlotPoints::from(points)).color(ink).width(1.5)),
                ChartKind::Scatter => {
                    plot.points(Points::new(name, PlotPoints::from(points)).color(ink).radius(3.0));
                }
            }
        }
    });
    super::speak_as(ui, &response.response, Role::Image, &words);
}

/// The names of the series with their colours, above the chart: over it they would hide what they name.
fn legend(ui: &mut Ui, chart: &Chart, tones: &[Tone]) {
    let tokens = ui.tokens();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(tokens.space.xs, 2.0);
        for (index, series) in chart.series.iter().take(SERIES).enumerate() {
            let (rect, _) = ui.allocate_exact_size(egui::vec2(10.0, 16.0), egui::Sense::hover());
            let stroke = egui::Stroke::new(2.0, color(tokens, tones, index));
            ui.painter().hline(rect.x_range(), rect.center().y, stroke);
            ui.label(tokens.rich(Type::Label, short(&series.name)));
            ui.add_space(tokens.space.s);
        }
    });
}

/// Round places on an axis: about as many as these, no nearer to each other than `least`.
fn marks((low, high): (f64, f64), count: f64, least: f64) -> Vec<GridMark> {
    let raw = ((high - low) / count).max(least);
    if !raw.is_finite() || raw <= 0.0 {
        return Vec::new();
    }
    let decade = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * decade).find(|step| *step >= raw * 0.999).unwrap_or(raw);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    // All marks are alike: none fades beside another.
    (first..=last).take(100).map(|n| GridMark { value: n as f64 * step, step_size: high - low }).collect()
}

/// The category at this place of the axis.
fn named(categories: &[String], place: f64) -> String {
    let whole = place.round();
    let near = (place - whole).abs() < 0.01 && whole >= 0.0;
    near.then(|| categories.get(whole as usize).cloned()).flatten().unwrap_or_default()
}

fn color(tokens: &Tokens, tones: &[Tone], index: usize) -> Color32 {
    if let Some(tone) = tones.get(index) {
        return tone.ink(tokens);
    }
    let c = &tokens.color;
    let all = [c.accent, c.ok, c.warn, c.bad, c.code_type, c.code_string, c.text_2];
    all[index % all.len()]
}

fn short(text: &str) -> String {
    one_line(text).chars().take(NAME).collect()
}
