//! A chart as a small, self-contained SVG picture (W3C SVG 1.1): no scripts, no links, text escaped.

use std::fmt::Write;

use crate::model::{Chart, ChartKind};
use crate::tools::data::number::show;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 56.0;
/// Distinguishable also with red-green blindness (Okabe and Ito 2008), then repeated.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555"];

/// Where values lie in the picture.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// An axis whose ends are round, with the values of its marks.
    fn round(low: f64, high: f64, from: f64, to: f64) -> (Self, Vec<f64>) {
        let (low, high) = match low < high {
            true => (low, high),
            false => (low - low.abs().max(1.0) * 0.5, high + high.abs().max(1.0) * 0.5),
        };
        // Halved first: the difference of two very large values may be none.
        let rough = (high / 6.0 - low / 6.0).max(f64::MIN_POSITIVE);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        let count = (((high - low) / step).round() as usize).min(12);
        let marks = (0..=count).map(|index| low + index as f64 * step).collect();
        (Self { low, high, from, to }, marks)
    }
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, letter| {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no way to write them.
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {}
            letter => escaped.push(letter),
        }
        escaped
    })
}

/// The picture of a chart whose points are finite.
pub fn draw(chart: &Chart) -> String {
    let legend = if chart.series.len() > 1 { 22.0 * chart.series.len().div_ceil(4) as f64 } else { 0.0 };
    let slanted = chart.categories.iter().any(|name| name.chars().count() * chart.categories.len() > 90);
    let bottom = HEIGHT - 56.0 - legend - if slanted { 44.0 } else { 0.0 };
    let values = || chart.series.iter().flat_map(|series| &series.points);
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let (mut low, mut high) = range(&mut values().map(|point| point.1));
    if chart.kind == ChartKind::Bar {
        (low, high) = (low.min(0.0), high.max(0.0));
    }
    let (y, y_marks) = Axis::round(low, high, bottom, TOP);
    let names = chart.categories.len();
    let (x, x_marks) = match (names, chart.kind) {
        (0, ChartKind::Bar) => {
            let (low, high) = range(&mut values().map(|point| point.0));
            let (axis, marks) = Axis::round(low - 0.5, high + 0.5, LEFT, WIDTH - RIGHT);
            (axis, marks)
        }
        (0, _) => {
            let (low, high) = range(&mut values().map(|point| point.0));
            Axis::round(low, high, LEFT, WIDTH - RIGHT)
        }
        _ => (Axis { low: -0.5, high: names as f64 - 0.5, from: LEFT, to: WIDTH - RIGHT }, Vec::new()),
    };
    let mut out = String::new();
    let mut put = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    put(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">"
    ));
    put(format!("<title>{}</title>", escape(&chart.title)));
    put("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>".to_owned());
    put(format!("<text x=\"{LEFT}\" y=\"30\" font-size=\"17\" font-weight=\"bold\">{}</text>", escape(&chart.title)));
    for mark in &y_marks {
        let at = y.place(*mark);
        put(format!(
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#e2e2e2\"/>",
            WIDTH - RIGHT
        ));
        put(format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 8.0, at + 4.0, show(*mark)));
    }
    for mark in &x_marks {
        put(format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x.place(*mark),
            bottom + 18.0,
            show(*mark)
        ));
    }
    // Not more names than fit.
    let every = names.div_ceil(40).max(1);
    for (index, name) in chart.categories.iter().enumerate().step_by(every) {
        let (at, under) = (x.place(index as f64), bottom + 18.0);
        let name = escape(&crate::tools::args::short(name, 18));
        put(match slanted {
            true => format!(
                "<text x=\"{at:.1}\" y=\"{under:.1}\" text-anchor=\"end\" transform=\"rotate(-35 {at:.1} {under:.1})\">{name}</text>"
            ),
            false => format!("<text x=\"{at:.1}\" y=\"{under:.1}\" text-anchor=\"middle\">{name}</text>"),
        });
    }
    let zero = y.place(0.0_f64.clamp(y.low, y.high));
    let slot = (x.place(1.0) - x.place(0.0)).abs() * 0.8;
    for (index, series) in chart.series.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let places: Vec<(f64, f64)> = series.points.iter().map(|(a, b)| (x.place(*a), y.place(*b))).collect();
        match chart.kind {
            ChartKind::Bar => {
                let width = (slot / chart.series.len() as f64).max(1.0);
                for (at, top) in places {
                    let left = at - slot / 2.0 + width * index as f64;
                    let (upper, height) = (top.min(zero), (top - zero).abs().max(0.5));
                    put(format!(
                        "<rect x=\"{left:.1}\" y=\"{upper:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>",
                        (width - 1.0).max(0.8)
                    ));
                }
            }
            ChartKind::Line => {
                let mut points = String::new();
                for (at, up) in places {
                    // Writing to a text cannot fail.
                    write!(points, "{at:.1},{up:.1} ").ok();
                }
                put(format!(
                    "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>",
                    points.trim_end()
                ));
            }
            ChartKind::Scatter => {
                for (at, up) in places {
                    put(format!(
                        "<circle cx=\"{at:.1}\" cy=\"{up:.1}\" r=\"3\" fill=\"{colour}\" fill-opacity=\"0.7\"/>"
                    ));
                }
            }
        }
        if chart.series.len() > 1 {
            let (at, line) = (LEFT + 170.0 * (index % 4) as f64, HEIGHT - legend - 2.0 + 22.0 * (index / 4) as f64);
            put(format!("<rect x=\"{at:.1}\" y=\"{:.1}\" width=\"11\" height=\"11\" fill=\"{colour}\"/>", line - 10.0));
            let name = escape(&crate::tools::args::short(&series.name, 22));
            put(format!("<text x=\"{:.1}\" y=\"{line:.1}\">{name}</text>", at + 17.0));
        }
    }
    put(format!("<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{zero:.1}\" y2=\"{zero:.1}\" stroke=\"#777\"/>", WIDTH - RIGHT));
    if !chart.x_label.is_empty() {
        let (middle, at) = ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - legend - 18.0);
        put(format!("<text x=\"{middle:.1}\" y=\"{at:.1}\" text-anchor=\"middle\">{}</text>", escape(&chart.x_label)));
    }
    if !chart.y_label.is_empty() {
        put(format!("<text x=\"8\" y=\"{:.1}\">{}</text>", TOP - 12.0, escape(&chart.y_label)));
    }
    out.push_str("</svg>\n");
    out
}
