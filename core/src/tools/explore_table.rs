//! The tool that takes a first look at the table that a question is about: what is in it, figures by group, a chart.

mod choose;
mod files;

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use self::choose::{Group, Plan};
use super::args::{parse, short, wrong};
use super::data::number::show;
use super::data::query::Cell;
use super::data::table::{self, Table};
use super::output::{Page, plain};
use super::{Proposal, Scope, Tool, ToolSpec, folders, schema, table_query};
use crate::api::ApiError;
use crate::model::{Chart, ChartKind, ChartSeries, Permission, ProposedAction, ToolEffect, ToolOutput};

/// Rows of the result, and places on the chart.
const MOST_SHOWN: usize = 24;
const MOST_GROUPS: usize = 50_000;
/// Of a question that are looked at.
const QUESTION_CHARS: usize = 8_000;
const LABEL_CHARS: usize = 60;

pub struct ExploreTable;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    file: String,
    #[serde(default)]
    question: String,
}

impl Tool for ExploreTable {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "explore_table".into(),
            title: "Look into a table".into(),
            description:
                "Finds the table that a question is about, tells its columns, and gives figures by group with \
                          a chart: \"sales by region\". A good first look; table_query does the exact one."
                    .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("file", schema::path("CSV, TSV or JSON file; empty for the one that fits the question")),
                    ("question", schema::text(400, "What is wanted, in words.")),
                ],
                &["question"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        if !given.file.trim().is_empty() {
            return table_query::look("Look into", Some(&given.file), scope);
        }
        Ok(Proposal {
            title: "Look for a table".to_owned(),
            action: ProposedAction::Look { what: "the tables in the allowed folders".to_owned() },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        let question: String = given.question.chars().take(QUESTION_CHARS).collect();
        let (file, others) = match given.file.trim() {
            "" => match files::find(scope, &question)? {
                Some(found) => found,
                None => {
                    let text = "There is no table (CSV, TSV or JSON) in the allowed folders.".to_owned();
                    return Ok(ToolOutput { text, ..ToolOutput::default() });
                }
            },
            file => (folders::find(scope, file)?, Vec::new()),
        };
        let path = file.path().to_str().ok_or_else(|| wrong("the name of the file is no valid text"))?;
        let table = table::load(scope, Some(path), None)?;
        let seen = choose::Seen::of(&table, scope)?;
        let plan = choose::plan(&table, &seen, &question);
        let figures = Figures::of(&table, &plan, scope)?;
        Ok(report(&table, &seen, &plan, figures, &others))
    }
}

/// Sum without the error that rounding adds up (Neumaier).
#[derive(Clone, Copy, Default)]
struct Sum {
    rows: u64,
    numbers: u64,
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, value: Option<f64>) {
        self.rows += 1;
        let Some(value) = value else { return };
        self.numbers += 1;
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn total(&self) -> f64 {
        // Cents stay cents.
        let exact = self.sum + self.lost;
        let rounded = (exact * 1e6).round() / 1e6;
        if exact.abs() < 1e9 { rounded } else { exact }
    }

    fn mean(&self) -> Option<f64> {
        (self.numbers > 0).then(|| self.total() / self.numbers as f64)
    }
}

/// The figures of each group, and of all rows.
struct Figures {
    all: Sum,
    groups: Vec<(String, Sum)>,
    rows: u64,
}

impl Figures {
    fn of(table: &Table, plan: &Plan, scope: &Scope) -> Result<Self, ApiError> {
        let mut groups: HashMap<String, Sum> = HashMap::new();
        let mut all = Sum::default();
        let rows = table.each(scope, |row| {
            let value = plan.measure.and_then(|column| table.number(row, column));
            all.add(value);
            if let Some(group) = plan.group {
                let name = group.name_of(row);
                if groups.len() >= MOST_GROUPS && !groups.contains_key(name) {
                    return Err(wrong("there are too many groups; use table_query with another column"));
                }
                match groups.get_mut(name) {
                    Some(sum) => sum.add(value),
                    None => groups.entry(name.to_owned()).or_default().add(value),
                }
            }
            Ok(true)
        })?;
        let mut groups: Vec<(String, Sum)> = groups.into_iter().collect();
        let by_time = matches!(plan.group, Some(Group::Month(_)));
        groups.sort_by(|a, b| {
            let size = plan.figure(&b.1).total_cmp(&plan.figure(&a.1));
            if by_time { a.0.cmp(&b.0) } else { size.then_with(|| a.0.cmp(&b.0)) }
        });
        Ok(Self { all, groups, rows })
    }
}

fn label(name: &str) -> String {
    if name.is_empty() { "(empty)".to_owned() } else { short(&plain(name), LABEL_CHARS) }
}

fn report(table: &Table, seen: &choose::Seen, plan: &Plan, figures: Figures, others: &[String]) -> ToolOutput {
    let mut page = Page::new();
    page.line(&format!("{}: {} rows, {} columns.", table.name, figures.rows, table.columns.len()));
    for note in &table.notes {
        page.line(note);
    }
    let mut output = ToolOutput::default();
    let measure = plan.measure.map(|column| table.columns[column].clone());
    if let Some(group) = plan.group {
        let (by, what) = (group.title(&table.columns), plan.word(measure.as_deref()));
        let shown = &figures.groups[..figures.groups.len().min(MOST_SHOWN)];
        let mut columns = vec![by.clone(), "count".to_owned()];
        if let Some(measure) = &measure {
            columns.extend([format!("sum({measure})"), format!("mean({measure})")]);
        }
        page.line(&format!("{} by {by}:", what));
        page.line(&columns.join(" | "));
        let mut rows = Vec::new();
        for (name, sum) in shown {
            let mut cells = vec![Cell::Text(label(name)), Cell::Number(sum.rows as f64)];
            if measure.is_some() {
                cells.extend([Cell::Number(sum.total()), sum.mean().map_or(Cell::Missing, Cell::Number)]);
            }
            page.line(&cells.iter().map(Cell::show).collect::<Vec<_>>().join(" | "));
            rows.push(Value::Array(cells.iter().map(Cell::json).collect()));
        }
        let left_out = figures.groups.len() - shown.len();
        if left_out > 0 {
            page.line(&format!("[{left_out} more groups are not shown]"));
        }
        let summary = extremes(plan, &what, &figures);
        page.line(&summary);
        output.data = Some(json!({
            "file": table.name, "summary": summary, "columns": columns, "rows": rows,
            "groups": figures.groups.len(), "total": figures.rows, "notes": table.notes,
        }));
        if shown.len() > 1 {
            output.chart = Some(chart(plan, &by, &what, shown));
        }
    } else if let Some(measure) = &measure {
        page.line(&format!(
            "{measure}: sum {}, mean {}.",
            show(figures.all.total()),
            figures.all.mean().map_or_else(|| "unknown".to_owned(), show)
        ));
        output.data = Some(json!({
            "file": table.name, "columns": ["count", format!("sum({measure})"), format!("mean({measure})")],
            "rows": [[figures.all.numbers, figures.all.total(), figures.all.mean()]], "total": figures.rows,
            "notes": table.notes,
        }));
    }
    page.line("Columns:");
    for line in seen.lines(table) {
        page.line(&line);
    }
    if !others.is_empty() {
        page.line(&format!("Other tables here: {}.", others.join(", ")));
    }
    output.text = page.finish("lines");
    output
}

/// What a reader looks for first, in one sentence.
fn extremes(plan: &Plan, what: &str, figures: &Figures) -> String {
    let order = |a: &&(String, Sum), b: &&(String, Sum)| plan.figure(&a.1).total_cmp(&plan.figure(&b.1));
    let (Some(most), Some(least)) = (figures.groups.iter().max_by(order), figures.groups.iter().min_by(order)) else {
        return "There are no rows.".to_owned();
    };
    let all = plan.figure(&figures.all);
    let share = |sum: &Sum| match plan.is_additive() && all > 0.0 {
        true => format!(", {:.1} % of {}", plan.figure(sum) / all * 100.0, show(all)),
        false => String::new(),
    };
    format!(
        "{what}: most for {} ({}{}), least for {} ({}).",
        label(&most.0),
        show(plan.figure(&most.1)),
        share(&most.1),
        label(&least.0),
        show(plan.figure(&least.1)),
    )
}

fn chart(plan: &Plan, by: &str, what: &str, shown: &[(String, Sum)]) -> Chart {
    let points = shown.iter().enumerate().map(|(index, (_, sum))| (index as f64, plan.figure(sum))).collect();
    Chart {
        title: short(&format!("{what} by {by}"), LABEL_CHARS * 2),
        kind: if matches!(plan.group, Some(Group::Month(_))) { ChartKind::Line } else { ChartKind::Bar },
        x_label: short(by, LABEL_CHARS),
        y_label: short(what, LABEL_CHARS),
        categories: shown.iter().map(|(name, _)| label(name)).collect(),
        series: vec![ChartSeries { name: short(what, LABEL_CHARS), points }],
    }
}
