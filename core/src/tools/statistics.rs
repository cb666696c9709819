//! The tool that describes the columns of a table: count, mean, spread, quartiles; distinct and frequent texts.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::data::number::show;
use super::data::{query::quantile, table};
use super::output::{Page, plain};
use super::{Proposal, Scope, Tool, ToolSpec, args, schema, table_query};
use crate::api::ApiError;
use crate::model::{Permission, ToolEffect, ToolOutput};

const MOST_COLUMNS: usize = 40;
/// Values that quartiles keep, in all columns; beyond that there are none.
const MOST_VALUES: usize = 8_000_000;
const MOST_DISTINCT: usize = 50_000;
const TOP: usize = 5;

pub struct Statistics;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Arguments {
    file: Option<String>,
    data: Option<String>,
    columns: Vec<String>,
}

/// Mean and spread by Welford's method, and what quartiles need.
#[derive(Default)]
struct Numbers {
    count: u64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
    odd: u64,
    values: Vec<f64>,
}

#[derive(Default)]
struct Texts {
    count: u64,
    seen: HashMap<String, u64>,
    /// There were more than are counted.
    more: bool,
}

enum Column {
    Numbers(Numbers),
    Texts(Texts),
}

impl Tool for Statistics {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "statistics".into(),
            title: "Describe a table".into(),
            description:
                "Describes the columns of a CSV, TSV or JSON table: for numbers count, missing, mean, standard \
                          deviation, minimum, quartiles and maximum; for texts distinct and most frequent values."
                    .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &table_query::with_source(vec![(
                    "columns",
                    schema::list(schema::text(200, "Column."), 40, "All when not given."),
                )]),
                &[],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = args::parse(arguments)?;
        if given.file.is_some() == given.data.is_some() {
            return Err(args::wrong("give either `file` or `data`"));
        }
        table_query::look("Describe", given.file.as_deref(), scope)
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = args::parse(arguments)?;
        let table = table::load(scope, given.file.as_deref(), given.data.as_deref())?;
        let mut places = match given.columns.is_empty() {
            true => (0..table.columns.len()).collect(),
            false => given.columns.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?,
        };
        let left_out = places.len().saturating_sub(MOST_COLUMNS);
        places.truncate(MOST_COLUMNS);
        let begin = |place: &usize| match table.profiles[*place].numeric {
            true => Column::Numbers(Numbers::default()),
            false => Column::Texts(Texts::default()),
        };
        let mut columns: Vec<Column> = places.iter().map(begin).collect();
        let mut kept = 0_usize;
        let total = table.each(scope, |row| {
            for (place, column) in places.iter().zip(&mut columns) {
                let text = row.get(*place);
                if text.is_empty() {
                    continue;
                }
                match column {
                    Column::Numbers(numbers) => match table.number(row, *place) {
                        Some(value) => {
                            numbers.add(value, kept < MOST_VALUES);
                            kept += 1;
                        }
                        None => numbers.odd += 1,
                    },
                    Column::Texts(texts) => texts.add(text),
                }
            }
            Ok(true)
        })?;
        let (mut page, mut data) = (Page::new(), Map::new());
        page.line(&format!("{}: {total} rows, {} columns.", table.name, table.columns.len()));
        for note in &table.notes {
            page.line(note);
        }
        for (place, column) in places.iter().zip(columns) {
            let name = &table.columns[*place];
            let (words, figures) = match column {
                Column::Numbers(numbers) => numbers.finish(total),
                Column::Texts(texts) => texts.finish(total),
            };
            page.line(&format!("{name}: {words}"));
            data.insert(name.clone(), figures);
        }
        if left_out > 0 {
            page.line(&format!("[{left_out} more columns were left out; name those that matter]"));
        }
        Ok(ToolOutput {
            text: page.finish("columns"),
            data: Some(json!({"rows": total, "columns": data})),
            ..ToolOutput::default()
        })
    }
}

impl Numbers {
    fn add(&mut self, value: f64, keep: bool) {
        (self.min, self.max) = match self.count {
            0 => (value, value),
            _ => (self.min.min(value), self.max.max(value)),
        };
        self.count += 1;
        let away = value - self.mean;
        self.mean += away / self.count as f64;
        self.squares += away * (value - self.mean);
        if keep {
            self.values.push(value);
        }
    }

    fn finish(mut self, total: u64) -> (String, Value) {
        let missing = total - self.count;
        if self.count == 0 {
            return (format!("no numbers, {missing} missing"), json!({"count": 0, "missing": missing}));
        }
        let deviation = (self.count > 1).then(|| (self.squares / (self.count - 1) as f64).sqrt());
        self.values.sort_by(f64::total_cmp);
        let whole = self.values.len() as u64 == self.count;
        let quartile = |share| quantile(&self.values, share).filter(|_| whole);
        let (first, median, third) = (quartile(0.25), quartile(0.5), quartile(0.75));
        let word = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), show);
        let odd = if self.odd > 0 { format!(" ({} of them no numbers)", self.odd) } else { String::new() };
        let words = format!(
            "numbers; count {}, missing {missing}{odd}, mean {}, sd {}, min {}, quartiles {} / {} / {}, max {}",
            self.count,
            show(self.mean),
            word(deviation),
            show(self.min),
            word(first),
            word(median),
            word(third),
            show(self.max)
        );
        let figures = json!({
            "kind": "numbers", "count": self.count, "missing": missing, "mean": self.mean, "sd": deviation,
            "min": self.min, "q1": first, "median": median, "q3": third, "max": self.max,
        });
        (words, figures)
    }
}

impl Texts {
    fn add(&mut self, text: &str) {
        self.count += 1;
        let text = args::short(text, 60);
        if let Some(count) = self.seen.get_mut(&text) {
            *count += 1;
        } else if self.seen.len() < MOST_DISTINCT {
            self.seen.insert(text, 1);
        } else {
            self.more = true;
        }
    }

    fn finish(self, total: u64) -> (String, Value) {
        let missing = total - self.count;
        let (distinct, more) = (self.seen.len(), if self.more { "more than " } else { "" });
        let mut top: Vec<_> = self.seen.into_iter().collect();
        top.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        top.truncate(TOP);
        let often: Vec<_> = top.iter().map(|(text, count)| format!("{:?} ({count})", plain(text))).collect();
        let words = format!(
            "text; count {}, missing {missing}, {more}{distinct} distinct, most frequent {}",
            self.count,
            often.join(", ")
        );
        let figures = json!({
            "kind": "text", "count": self.count, "missing": missing, "distinct": distinct,
            "top": top.iter().map(|(text, count)| json!({"value": text, "count": count})).collect::<Vec<_>>(),
        });
        (words, figures)
    }
}
