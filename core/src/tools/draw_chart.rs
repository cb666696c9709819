//! The tools that draw a chart from points or from a table, and that save one as a picture.

mod svg;

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, short, wrong};
use super::data::number::show;
use super::data::query::{self, Cell, Query};
use super::write_file::Change;
use super::{Proposal, Scope, Tool, ToolSpec, folders, schema};
use crate::api::ApiError;
use crate::model::{Chart, ChartKind, ChartSeries, Permission, ProposedAction, ToolEffect, ToolOutput};

const MOST_SERIES: usize = 12;
const MOST_POINTS: usize = 5_000;
/// That a model writes itself; more come from a table.
const MOST_WRITTEN: u32 = 500;
const MOST_CATEGORIES: usize = 200;
const LABEL_CHARS: usize = 120;

pub struct DrawChart;
pub struct SaveChart;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    kind: ChartKind,
    title: String,
    #[serde(default)]
    x_label: String,
    #[serde(default)]
    y_label: String,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    series: Vec<Series>,
    #[serde(default)]
    table: Option<FromTable>,
    #[serde(default)]
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Series {
    name: String,
    #[serde(default)]
    x: Vec<f64>,
    y: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FromTable {
    query: Query,
    x: String,
    y: Vec<String>,
}

fn fields() -> Vec<(&'static str, Value)> {
    let number = json!({"type": "number"});
    let series = schema::object(
        &[
            ("name", schema::text(120, "Name.")),
            ("x", schema::list(number.clone(), MOST_WRITTEN, "Not needed with categories.")),
            ("y", schema::list(number, MOST_WRITTEN, "Values.")),
        ],
        &["name", "y"],
    );
    let column = || schema::text(200, "Column of the query's result.");
    let table = schema::object(
        &[
            ("query", schema::object(&query::fields(), &[])),
            ("x", column()),
            ("y", schema::list(column(), MOST_SERIES as u32, "One series for each.")),
        ],
        &["query", "x", "y"],
    );
    let label = |what: &str| schema::text(LABEL_CHARS as u32, what);
    vec![
        ("kind", schema::one_of(&["bar", "line", "scatter"], "Kind of chart.")),
        ("title", label("Title.")),
        ("x_label", label("Below the x axis.")),
        ("y_label", label("Beside the y axis.")),
        ("categories", schema::list(label("Name."), MOST_CATEGORIES as u32, "Names along the x axis.")),
        ("series", schema::list(series, MOST_SERIES as u32, "The points themselves.")),
        ("table", table),
    ]
}

impl Tool for DrawChart {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "draw_chart".into(),
            title: "Draw a chart".into(),
            description:
                "Draws a bar, line or scatter chart for the person, from `series` of points or from a `table` \
                          query."
                    .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(&fields(), &["kind", "title"]),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        if given.path.is_some() {
            return Err(wrong("draw_chart saves nothing; save_chart does"));
        }
        given.check(scope)?;
        let what = match &given.table {
            Some(table) => table.query.file.clone().unwrap_or_else(|| "data that is given in the call".to_owned()),
            None => "points that are given in the call".to_owned(),
        };
        Ok(Proposal {
            title: format!("Draw {:?}", short(&given.title, 60)),
            action: ProposedAction::Look { what },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        let chart = given.chart(scope)?;
        Ok(ToolOutput { text: words(&chart), chart: Some(chart), ..ToolOutput::default() })
    }
}

impl Tool for SaveChart {
    fn spec(&self) -> ToolSpec {
        let mut fields = fields();
        fields.insert(0, ("path", schema::path("File that ends in .svg")));
        ToolSpec {
            name: "save_chart".into(),
            title: "Save a chart".into(),
            description: "Draws a chart as draw_chart does and saves it as an SVG picture in an allowed folder.".into(),
            effect: ToolEffect::Writes,
            default: Permission::Ask,
            repeatable: false,
            parameters: schema::object(&fields, &["path", "kind", "title"]),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        given.check(scope)?;
        let chart = given.chart(scope)?;
        given.picture(&chart, scope)?.proposal()
    }

    fn run(&self, arguments: &Value, proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        let chart = given.chart(scope)?;
        let written = given.picture(&chart, scope)?.write(proposal, scope)?;
        Ok(ToolOutput { text: format!("{} {}", words(&chart), written.text), chart: Some(chart), ..written })
    }
}

fn words(chart: &Chart) -> String {
    let points: usize = chart.series.iter().map(|series| series.points.len()).sum();
    let mut words = format!("The chart {:?} was drawn: {} series, {points} points.", chart.title, chart.series.len());
    for series in &chart.series {
        let values = series.points.iter().map(|(_, y)| *y);
        let (min, max) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), y| (min.min(y), max.max(y)));
        words.push_str(&format!(" {} from {} to {}.", series.name, show(min), show(max)));
    }
    super::output::bounded(&words)
}

impl Arguments {
    /// What can be told without reading the table.
    fn check(&self, scope: &Scope) -> Result<(), ApiError> {
        for (name, text) in [("title", &self.title), ("x_label", &self.x_label), ("y_label", &self.y_label)] {
            if text.chars().count() > LABEL_CHARS {
                return Err(wrong(format!("`{name}` is longer than {LABEL_CHARS} characters")));
            }
        }
        match &self.table {
            Some(_) if !self.series.is_empty() || !self.categories.is_empty() => {
                Err(wrong("give either `table` or `series` with `categories`"))
            }
            Some(table) => {
                if table.y.is_empty() || table.y.len() > MOST_SERIES {
                    return Err(wrong(format!("`y` takes 1 to {MOST_SERIES} columns")));
                }
                table.query.check()?;
                if let Some(file) = &table.query.file {
                    folders::find(scope, file)?;
                }
                Ok(())
            }
            None => self.points().map(|_| ()),
        }
    }

    fn chart(&self, scope: &Scope) -> Result<Chart, ApiError> {
        self.check(scope)?;
        match &self.table {
            Some(table) => self.queried(table, scope),
            None => self.points(),
        }
    }

    fn new_chart(&self, categories: Vec<String>, series: Vec<ChartSeries>) -> Result<Chart, ApiError> {
        let points: usize = series.iter().map(|series| series.points.len()).sum();
        // Larger numbers have no differences any more.
        if series.iter().flat_map(|series| &series.points).any(|(x, y)| x.abs().max(y.abs()) > 1e300) {
            return Err(wrong("a number is too large to be drawn"));
        }
        if points == 0 {
            return Err(wrong("there are no points to draw"));
        }
        if points > MOST_POINTS || series.len() > MOST_SERIES || categories.len() > MOST_CATEGORIES {
            return Err(wrong(format!(
                "a chart takes {MOST_SERIES} series, {MOST_POINTS} points and {MOST_CATEGORIES} categories at most"
            )));
        }
        let line = |text: &str| short(text, LABEL_CHARS);
        Ok(Chart {
            title: line(&self.title),
            kind: self.kind,
            x_label: line(&self.x_label),
            y_label: line(&self.y_label),
            categories: categories.iter().map(|name| line(name)).collect(),
            series,
        })
    }

    fn points(&self) -> Result<Chart, ApiError> {
        let mut series = Vec::new();
        for one in &self.series {
            let places: Vec<f64> = if !self.categories.is_empty() {
                if one.y.len() != self.categories.len() {
                    let (values, names) = (one.y.len(), self.categories.len());
                    return Err(wrong(format!("{:?} has {values} values for {names} categories", one.name)));
                }
                (0..one.y.len()).map(|index| index as f64).collect()
            } else if one.x.is_empty() {
                (1..=one.y.len()).map(|index| index as f64).collect()
            } else if one.x.len() == one.y.len() {
                one.x.clone()
            } else {
                return Err(wrong(format!("{:?} has {} x for {} y", one.name, one.x.len(), one.y.len())));
            };
            let points: Vec<(f64, f64)> = places.into_iter().zip(one.y.iter().copied()).collect();
            if points.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
                return Err(wrong(format!("{:?} holds what is no number", one.name)));
            }
            series.push(ChartSeries { name: short(&one.name, LABEL_CHARS), points });
        }
        if series.is_empty() {
            return Err(wrong("give `series` or `table`"));
        }
        self.new_chart(self.categories.clone(), series)
    }

    fn queried(&self, table: &FromTable, scope: &Scope) -> Result<Chart, ApiError> {
        let answer = table.query.run(scope)?;
        let column = |name: &String| {
            let found = answer.columns.iter().position(|column| column.eq_ignore_ascii_case(name.trim()));
            found.ok_or_else(|| {
                wrong(format!("the query's result has no column {name:?}; it has: {}", answer.columns.join(", ")))
            })
        };
        let x = column(&table.x)?;
        let numeric = self.kind != ChartKind::Bar && answer.rows.iter().all(|row| matches!(row[x], Cell::Number(_)));
        let categories = match numeric {
            true => Vec::new(),
            false => answer.rows.iter().map(|row| row[x].show()).collect(),
        };
        let mut series = Vec::new();
        for name in &table.y {
            let y = column(name)?;
            let point = |(index, row): (usize, &Vec<Cell>)| match (&row[x], &row[y]) {
                (Cell::Number(x), Cell::Number(y)) if numeric => Some((*x, *y)),
                (_, Cell::Number(y)) => Some((index as f64, *y)),
                _ => None,
            };
            let points: Vec<_> = answer.rows.iter().enumerate().filter_map(point).collect();
            if points.is_empty() {
                return Err(wrong(format!("{name:?} holds no numbers")));
            }
            series.push(ChartSeries { name: answer.columns[y].clone(), points });
        }
        self.new_chart(categories, series)
    }

    fn picture(&self, chart: &Chart, scope: &Scope) -> Result<Change, ApiError> {
        let path = self.path.as_deref().unwrap_or_default().trim();
        if !path.to_lowercase().ends_with(".svg") {
            return Err(wrong("`path` must end in .svg"));
        }
        Change::whole(folders::find(scope, path)?, svg::draw(chart))
    }
}
