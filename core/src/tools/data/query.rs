//! Filters, groups, aggregates, sorts and cuts a table in one pass over its rows.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::number;
use super::table::{self, Row, Table};
use crate::api::ApiError;
use crate::tools::args::wrong;
use crate::tools::output::{Page, plain};
use crate::tools::{Scope, schema};

pub const MOST_ROWS: usize = 200;
const USUAL_ROWS: usize = 50;
const MOST_GROUPS: usize = 100_000;
/// Values that medians keep, in all.
const MOST_VALUES: usize = 8_000_000;
const CELL_CHARS: usize = 200;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Query {
    pub file: Option<String>,
    pub data: Option<String>,
    #[serde(rename = "where")]
    pub conditions: Vec<Condition>,
    pub group_by: Vec<String>,
    pub aggregate: Vec<Aggregate>,
    pub columns: Vec<String>,
    pub sort: Vec<Sort>,
    pub limit: Option<usize>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    column: String,
    op: Op,
    #[serde(default)]
    value: Value,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
enum Op {
    #[serde(rename = "=")]
    Equal,
    #[serde(rename = "!=")]
    Differs,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">")]
    More,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "contains")]
    Contains,
    #[serde(rename = "starts_with")]
    StartsWith,
    #[serde(rename = "is_empty")]
    IsEmpty,
    #[serde(rename = "not_empty")]
    NotEmpty,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    #[serde(default)]
    column: Option<String>,
    #[serde(rename = "fn")]
    function: Function,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Function {
    Count,
    Sum,
    Mean,
    Min,
    Max,
    Median,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sort {
    by: String,
    #[serde(default)]
    descending: bool,
}

/// One cell of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Number(f64),
    Text(String),
    Missing,
}

impl Cell {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.to_lowercase().cmp(&b.to_lowercase()).then_with(|| a.cmp(b)),
            (Self::Missing, Self::Missing) => Ordering::Equal,
            (Self::Number(_), _) => Ordering::Less,
            (_, Self::Number(_)) => Ordering::Greater,
            (Self::Text(_), Self::Missing) => Ordering::Less,
            (Self::Missing, Self::Text(_)) => Ordering::Greater,
        }
    }

    pub fn show(&self) -> String {
        match self {
            Self::Number(value) => number::show(*value),
            Self::Text(text) => plain(text),
            Self::Missing => String::new(),
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Self::Number(value) => json!(value),
            Self::Text(text) => json!(text),
            Self::Missing => Value::Null,
        }
    }
}

/// What a query gave.
pub struct Answer {
    pub name: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    /// Rows of the table, and of those the ones that match.
    pub total: u64,
    pub matched: u64,
    /// Rows of the result before it was cut.
    pub results: usize,
    pub notes: Vec<String>,
}

/// The fields of a query as a schema.
pub fn fields() -> Vec<(&'static str, Value)> {
    let name = |what: &str| schema::text(200, what);
    let operators = ["=", "!=", "<", "<=", ">", ">=", "contains", "starts_with", "is_empty", "not_empty"];
    let mut fields = super::source_fields();
    let value = json!({"anyOf": [{"type": "string", "maxLength": 300}, {"type": "number"}]});
    let condition = schema::object(
        &[("column", name("Column.")), ("op", schema::one_of(&operators, "Comparison.")), ("value", value)],
        &["column", "op"],
    );
    let functions = schema::one_of(&["count", "sum", "mean", "min", "max", "median"], "Function.");
    let aggregate = schema::object(&[("column", name("Column; not needed for count.")), ("fn", functions)], &["fn"]);
    let by = name("Column of the result, such as `region` or `sum(amount)`.");
    let sort = schema::object(&[("by", by), ("descending", schema::flag("Largest first."))], &["by"]);
    fields.extend([
        ("where", schema::list(condition, 12, "Rows must meet all of these.")),
        ("group_by", schema::list(name("Column."), 4, "One result row for each group.")),
        ("aggregate", schema::list(aggregate, 12, "Computed for each group, or for all rows.")),
        ("columns", schema::list(name("Column."), 40, "Columns of the result; all when not given.")),
        ("sort", schema::list(sort, 4, "Order of the result.")),
        ("limit", schema::integer(1, MOST_ROWS as i64, "Rows of the result; 50 when not given.")),
    ]);
    fields
}

impl Query {
    /// # Errors
    /// Category validation for what can be told without the table.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.file.is_some() == self.data.is_some() {
            return Err(wrong("give either `file` or `data`"));
        }
        if !self.group_by.is_empty() && self.aggregate.is_empty() {
            return Err(wrong("`group_by` needs `aggregate`, such as [{\"fn\": \"count\"}]"));
        }
        if !self.aggregate.is_empty() && !self.columns.is_empty() {
            return Err(wrong("`columns` does not go with `aggregate`: the result has the groups and the aggregates"));
        }
        if self.conditions.len() > 12 || self.group_by.len() > 4 || self.aggregate.len() > 12 || self.sort.len() > 4 {
            return Err(wrong("too many conditions, groups, aggregates or sorts"));
        }
        for condition in &self.conditions {
            let needs = !matches!(condition.op, Op::IsEmpty | Op::NotEmpty);
            if needs && !(condition.value.is_string() || condition.value.is_number() || condition.value.is_boolean()) {
                return Err(wrong(format!("the condition on {:?} needs a `value`", condition.column)));
            }
        }
        Ok(())
    }

    pub fn run(&self, scope: &Scope) -> Result<Answer, ApiError> {
        self.check()?;
        let table = table::load(scope, self.file.as_deref(), self.data.as_deref())?;
        let tests =
            self.conditions.iter().map(|condition| Test::of(condition, &table)).collect::<Result<Vec<_>, _>>()?;
        let limit = self.limit.unwrap_or(USUAL_ROWS).clamp(1, MOST_ROWS);
        if self.aggregate.is_empty() {
            self.select(scope, &table, &tests, limit)
        } else {
            self.groups(scope, &table, &tests, limit)
        }
    }

    fn select(&self, scope: &Scope, table: &Table, tests: &[Test], limit: usize) -> Result<Answer, ApiError> {
        let columns = match self.columns.is_empty() {
            true => (0..table.columns.len()).collect(),
            false => self.columns.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?,
        };
        let sort = self.sort.iter().map(|sort| Ok((table.column(&sort.by)?, sort.descending)));
        let sort = sort.collect::<Result<Vec<(usize, bool)>, ApiError>>()?;
        // Sort keys first, then the cells that are shown.
        let mut rows: Vec<(Vec<Cell>, Vec<Cell>)> = Vec::new();
        let order = |a: &(Vec<Cell>, Vec<Cell>), b: &(Vec<Cell>, Vec<Cell>)| by_keys(&a.0, &b.0, &sort);
        let mut matched = 0_u64;
        let total = table.each(scope, |row| {
            if !tests.iter().all(|test| test.holds(row, table)) {
                return Ok(true);
            }
            matched += 1;
            if sort.is_empty() && rows.len() >= limit {
                return Ok(true);
            }
            let keys = sort.iter().map(|(column, _)| cell(table, row, *column)).collect();
            rows.push((keys, columns.iter().map(|column| cell(table, row, *column)).collect()));
            // Only the first of the order are wanted: the others go now and then.
            if !sort.is_empty() && rows.len() >= limit * 2 + 2_000 {
                rows.sort_by(order);
                rows.truncate(limit);
            }
            Ok(true)
        })?;
        rows.sort_by(order);
        rows.truncate(limit);
        Ok(Answer {
            name: table.name.clone(),
            columns: columns.iter().map(|column| table.columns[*column].clone()).collect(),
            rows: rows.into_iter().map(|(_, cells)| cells).collect(),
            total,
            matched,
            results: usize::try_from(matched).unwrap_or(usize::MAX),
            notes: table.notes.clone(),
        })
    }

    fn groups(&self, scope: &Scope, table: &Table, tests: &[Test], limit: usize) -> Result<Answer, ApiError> {
        let by = self.group_by.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?;
        let wanted =
            self.aggregate.iter().map(|aggregate| Wanted::of(aggregate, table)).collect::<Result<Vec<_>, _>>()?;
        let mut columns: Vec<String> = by.iter().map(|column| table.columns[*column].clone()).collect();
        columns.extend(wanted.iter().map(|wanted| wanted.name.clone()));
        let sort = self.sort.iter().map(|sort| {
            let found = columns.iter().position(|column| column.eq_ignore_ascii_case(sort.by.trim()));
            let found = found.ok_or_else(|| {
                wrong(format!("the result has no column {:?} to sort by; it has: {}", sort.by, columns.join(", ")))
            });
            Ok((found?, sort.descending))
        });
        let mut sort = sort.collect::<Result<Vec<(usize, bool)>, ApiError>>()?;
        if sort.is_empty() {
            sort = (0..by.len()).map(|column| (column, false)).collect();
        }
        let mut groups: HashMap<Vec<String>, (Vec<Cell>, Vec<State>)> = HashMap::new();
        if by.is_empty() {
            groups.insert(Vec::new(), (Vec::new(), vec![State::default(); wanted.len()]));
        }
        let (mut matched, mut values) = (0_u64, 0_usize);
        let mut odd = vec![(0_u64, String::new()); wanted.len()];
        let total = table.each(scope, |row| {
            if !tests.iter().all(|test| test.holds(row, table)) {
                return Ok(true);
            }
            matched += 1;
            let key: Vec<String> = by.iter().map(|column| row.get(*column).to_owned()).collect();
            if !groups.contains_key(&key) {
                if groups.len() == MOST_GROUPS {
                    return Err(wrong(format!("there are more than {MOST_GROUPS} groups; group by another column")));
                }
                let cells = by.iter().map(|column| cell(table, row, *column)).collect();
                groups.insert(key.clone(), (cells, vec![State::default(); wanted.len()]));
            }
            let Some((_, states)) = groups.get_mut(&key) else { return Ok(true) };
            for ((state, wanted), odd) in states.iter_mut().zip(&wanted).zip(&mut odd) {
                values += usize::from(wanted.function == Function::Median);
                state.add(wanted, row, table, odd);
            }
            if values > MOST_VALUES {
                return Err(wrong("there are too many values for a median; filter first"));
            }
            Ok(true)
        })?;
        let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(groups.len());
        for (_, (mut cells, states)) in groups {
            cells.extend(states.into_iter().zip(&wanted).map(|(state, wanted)| state.finish(wanted)));
            rows.push(cells);
        }
        // The whole row decides last, so that the same query gives the same order.
        rows.sort_by(|a, b| {
            let keys = |row: &[Cell]| sort.iter().map(|(column, _)| row[*column].clone()).collect::<Vec<_>>();
            let rest = || a.iter().zip(b).map(|(a, b)| a.order(b)).find(|order| order.is_ne());
            by_keys(&keys(a), &keys(b), &sort).then_with(|| rest().unwrap_or(Ordering::Equal))
        });
        let results = rows.len();
        rows.truncate(limit);
        let mut notes = table.notes.clone();
        for (wanted, (count, example)) in wanted.iter().zip(&odd) {
            if *count > 0 {
                let example = crate::tools::args::short(example, 30);
                notes.push(format!(
                    "{}: {count} cells are no numbers and were left out, such as {example:?}.",
                    wanted.name
                ));
            }
        }
        Ok(Answer { name: table.name.clone(), columns, rows, total, matched, results, notes })
    }
}

/// A cell as the kind that its column is of.
fn cell(table: &Table, row: &Row<'_>, column: usize) -> Cell {
    let text = row.get(column);
    if text.is_empty() {
        return Cell::Missing;
    }
    match table.profiles[column].numeric.then(|| table.number(row, column)).flatten() {
        Some(value) => Cell::Number(value),
        None => Cell::Text(text.chars().take(CELL_CHARS).collect()),
    }
}

/// What is missing comes last in either direction.
fn by_keys(a: &[Cell], b: &[Cell], sort: &[(usize, bool)]) -> Ordering {
    for ((a, b), (_, descending)) in a.iter().zip(b).zip(sort) {
        let missing = (*a == Cell::Missing).cmp(&(*b == Cell::Missing));
        let order = if *descending { b.order(a) } else { a.order(b) };
        let order = if missing.is_ne() { missing } else { order };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// A condition that knows its column.
struct Test {
    column: usize,
    op: Op,
    number: Option<f64>,
    text: String,
}

impl Test {
    fn of(condition: &Condition, table: &Table) -> Result<Self, ApiError> {
        let column = table.column(&condition.column)?;
        let profile = &table.profiles[column];
        let text = match &condition.value {
            Value::String(text) => text.trim().to_owned(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let number = match &condition.value {
            Value::Number(number) => number.as_f64(),
            // As the column writes its numbers, or as programs do.
            Value::String(text) => {
                number::parse(text, profile.style).or_else(|| number::parse(text, number::Style::Point))
            }
            _ => None,
        };
        Ok(Self { column, op: condition.op, number: number.filter(|_| profile.numeric), text: text.to_lowercase() })
    }

    fn holds(&self, row: &Row<'_>, table: &Table) -> bool {
        let cell = row.get(self.column);
        match self.op {
            Op::IsEmpty => return cell.is_empty(),
            Op::NotEmpty => return !cell.is_empty(),
            Op::Contains => return cell.to_lowercase().contains(&self.text),
            Op::StartsWith => return cell.to_lowercase().starts_with(&self.text),
            _ => {}
        }
        let order = match self.number {
            Some(wanted) => match table.number(row, self.column) {
                Some(value) => value.total_cmp(&wanted),
                None => return self.op == Op::Differs,
            },
            None if cell.is_empty() && !matches!(self.op, Op::Equal | Op::Differs) => return false,
            None => cell.to_lowercase().cmp(&self.text),
        };
        match self.op {
            Op::Equal => order.is_eq(),
            Op::Differs => order.is_ne(),
            Op::Less => order.is_lt(),
            Op::AtMost => order.is_le(),
            Op::More => order.is_gt(),
            _ => order.is_ge(),
        }
    }
}

/// An aggregate that knows its column.
struct Wanted {
    column: Option<usize>,
    function: Function,
    numeric: bool,
    name: String,
}

impl Wanted {
    fn of(aggregate: &Aggregate, table: &Table) -> Result<Self, ApiError> {
        let function = aggregate.function;
        let Some(name) = &aggregate.column else {
            if function == Function::Count {
                return Ok(Self { column: None, function, numeric: false, name: "count".to_owned() });
            }
            return Err(wrong("an aggregate other than `count` needs a `column`"));
        };
        let column = match function {
            Function::Count | Function::Min | Function::Max => table.column(name)?,
            Function::Sum | Function::Mean | Function::Median => table.numeric(name)?,
        };
        let word = format!("{function:?}").to_lowercase();
        let numeric = table.profiles[column].numeric;
        Ok(Self { column: Some(column), function, numeric, name: format!("{word}({})", table.columns[column]) })
    }
}

/// What is known of one aggregate of one group so far.
#[derive(Clone, Default)]
struct State {
    count: u64,
    sum: f64,
    /// What rounding took from the sum (Neumaier's compensated summation).
    lost: f64,
    best: Option<Cell>,
    values: Vec<f64>,
}

impl State {
    fn add(&mut self, wanted: &Wanted, row: &Row<'_>, table: &Table, odd: &mut (u64, String)) {
        let Some(column) = wanted.column else {
            self.count += 1;
            return;
        };
        let text = row.get(column);
        if text.is_empty() {
            return;
        }
        if wanted.function == Function::Count {
            self.count += 1;
            return;
        }
        let value = if wanted.numeric { table.number(row, column) } else { None };
        if wanted.numeric && value.is_none() {
            odd.0 += 1;
            if odd.1.is_empty() {
                odd.1 = text.to_owned();
            }
            return;
        }
        self.count += 1;
        match (wanted.function, value) {
            (Function::Sum | Function::Mean, Some(value)) => {
                let sum = self.sum + value;
                self.lost +=
                    if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
                self.sum = sum;
            }
            (Function::Median, Some(value)) => self.values.push(value),
            (Function::Min | Function::Max, value) => {
                let cell = value.map_or_else(|| Cell::Text(text.chars().take(CELL_CHARS).collect()), Cell::Number);
                let better = match &self.best {
                    None => true,
                    Some(best) if wanted.function == Function::Min => cell.order(best).is_lt(),
                    Some(best) => cell.order(best).is_gt(),
                };
                if better {
                    self.best = Some(cell);
                }
            }
            _ => {}
        }
    }

    fn finish(mut self, wanted: &Wanted) -> Cell {
        match wanted.function {
            Function::Count => Cell::Number(self.count as f64),
            Function::Sum => Cell::Number(self.sum + self.lost),
            _ if self.count == 0 => Cell::Missing,
            Function::Mean => Cell::Number((self.sum + self.lost) / self.count as f64),
            Function::Min | Function::Max => self.best.unwrap_or(Cell::Missing),
            Function::Median => {
                self.values.sort_by(f64::total_cmp);
                quantile(&self.values, 0.5).map_or(Cell::Missing, Cell::Number)
            }
        }
    }
}

/// Of sorted values, with linear interpolation (type 7 of Hyndman and Fan 1996).
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

impl Answer {
    /// A table for the model.
    pub fn text(&self) -> String {
        let mut page = Page::new();
        let shown = match self.results > self.rows.len() {
            true => format!("; {} of {} result rows are shown", self.rows.len(), self.results),
            false => String::new(),
        };
        page.line(&format!("{}: {} of {} rows match{shown}.", self.name, self.matched, self.total));
        for note in &self.notes {
            page.line(note);
        }
        page.line(&self.columns.join(" | "));
        for row in &self.rows {
            page.line(&row.iter().map(Cell::show).collect::<Vec<_>>().join(" | "));
        }
        page.finish("rows")
    }

    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(|row| row.iter().map(Cell::json).collect()).collect();
        json!({"columns": self.columns, "rows": rows, "matched": self.matched, "total": self.total, "notes": self.notes})
    }
}
