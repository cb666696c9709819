//! What of a table answers a question: the column of numbers, and the column whose values are the groups.

use std::collections::HashMap;

use super::Sum;
use crate::api::ApiError;
use crate::tools::Scope;
use crate::tools::args::short;
use crate::tools::data::number::show;
use crate::tools::data::table::{Row, Table};
use crate::tools::output::plain;

/// Columns that are looked at.
const MOST_COLUMNS: usize = 60;
/// Different values of a column that are counted.
const MOST_DISTINCT: usize = 2_000;
/// More groups say little.
const USEFUL_GROUPS: usize = 60;
/// What columns of figures are often called.
const FIGURES: &[&str] = &[
    "amount", "total", "revenue", "sale", "turnover", "price", "cost", "value", "sum", "profit", "income", "expense",
    "balance", "betrag", "umsatz", "summe", "preis", "kosten",
];
/// Numbers that name things: nobody adds them up.
const NAMES: &[&str] = &["id", "nr", "no", "number", "year", "month", "day", "week", "zip", "code", "phone", "index"];
/// What stands before the word that groups.
const BY: &[&str] = &["by", "per", "each", "every", "nach", "pro", "je"];

/// The words of a text in small letters, without the ending of a plural.
pub fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let parts = lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    parts.map(|word| singular(word).to_owned()).collect()
}

fn singular(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(rest) if rest.chars().count() >= 3 && !rest.ends_with('s') => rest,
        _ => word,
    }
}

/// What the rows tell of each column.
pub struct Seen {
    columns: Vec<Column>,
}

#[derive(Default)]
struct Column {
    filled: u64,
    dates: u64,
    values: HashMap<String, u64>,
    more: bool,
    min: Option<f64>,
    max: Option<f64>,
    first: String,
    last: String,
}

impl Column {
    fn is_date(&self) -> bool {
        self.filled > 0 && self.dates * 10 >= self.filled * 9
    }
}

/// 2026-11-20, alone or with a time.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

impl Seen {
    pub fn of(table: &Table, scope: &Scope) -> Result<Self, ApiError> {
        let mut columns: Vec<Column> = table.columns.iter().take(MOST_COLUMNS).map(|_| Column::default()).collect();
        table.each(scope, |row| {
            for (place, column) in columns.iter_mut().enumerate() {
                let text = row.get(place);
                if text.is_empty() {
                    continue;
                }
                column.filled += 1;
                if table.profiles[place].numeric {
                    if let Some(value) = table.number(row, place) {
                        column.min = Some(column.min.map_or(value, |min| min.min(value)));
                        column.max = Some(column.max.map_or(value, |max| max.max(value)));
                    }
                    continue;
                }
                if is_date(text) {
                    column.dates += 1;
                    let day = &text[..10];
                    if column.first.is_empty() || day < column.first.as_str() {
                        column.first = day.to_owned();
                    }
                    if day > column.last.as_str() {
                        column.last = day.to_owned();
                    }
                }
                let full = column.values.len() >= MOST_DISTINCT;
                if let Some(count) = column.values.get_mut(text) {
                    *count += 1;
                } else if full {
                    column.more = true;
                } else {
                    column.values.insert(text.to_owned(), 1);
                }
            }
            Ok(true)
        })?;
        Ok(Self { columns })
    }

    /// Each column in a few words.
    pub fn lines(&self, table: &Table) -> Vec<String> {
        let line = |(place, column): (usize, &Column)| {
            let name = &table.columns[place];
            let words = match (column.min, column.max) {
                (Some(min), Some(max)) => format!("numbers from {} to {}", show(min), show(max)),
                _ if column.is_date() => format!("dates from {} to {}", column.first, column.last),
                _ if column.filled == 0 => "empty".to_owned(),
                _ => {
                    let mut often: Vec<_> = column.values.iter().collect();
                    often.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
                    let some: Vec<_> = often.iter().take(4).map(|(text, _)| short(&plain(text), 30)).collect();
                    let more = if column.more { "more than " } else { "" };
                    format!("{more}{} different texts: {}", often.len(), some.join(", "))
                }
            };
            format!("- {name}: {words}")
        };
        self.columns.iter().enumerate().map(line).collect()
    }
}

/// By what the rows are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Text(usize),
    Month(usize),
}

impl Group {
    pub fn name_of<'a>(&self, row: &'a Row<'_>) -> &'a str {
        match self {
            Self::Text(column) => row.get(*column),
            Self::Month(column) => {
                let text = row.get(*column);
                if is_date(text) { &text[..7] } else { "" }
            }
        }
    }

    pub fn title(&self, columns: &[String]) -> String {
        match self {
            Self::Text(column) => columns[*column].clone(),
            Self::Month(column) => format!("month of {}", columns[*column]),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Count,
    Sum,
    Mean,
}

/// What is computed.
pub struct Plan {
    pub measure: Option<usize>,
    pub group: Option<Group>,
    kind: Kind,
}

impl Plan {
    pub fn figure(&self, sum: &Sum) -> f64 {
        match self.kind {
            Kind::Count => sum.rows as f64,
            Kind::Sum => sum.total(),
            Kind::Mean => sum.mean().unwrap_or(0.0),
        }
    }

    /// Whether the figures of the groups add up to that of all rows.
    pub fn is_additive(&self) -> bool {
        self.kind != Kind::Mean
    }

    pub fn word(&self, measure: Option<&str>) -> String {
        match (self.kind, measure) {
            (Kind::Sum, Some(measure)) => format!("sum of {measure}"),
            (Kind::Mean, Some(measure)) => format!("mean of {measure}"),
            _ => "count of rows".to_owned(),
        }
    }
}

pub fn plan(table: &Table, seen: &Seen, question: &str) -> Plan {
    let asked = words(question);
    let says = |wanted: &[&str]| asked.iter().any(|word| wanted.contains(&word.as_str()));
    let named = |column: &str| words(column).iter().filter(|word| asked.contains(word)).count();
    // The word after "by" weighs most: "amount of each product by region" groups by region.
    let after_by = |column: &str| {
        let own = words(column);
        asked.windows(2).any(|pair| BY.contains(&pair[0].as_str()) && own.contains(&pair[1]))
    };
    let places = 0..seen.columns.len();
    let measure = places.clone().filter(|place| table.profiles[*place].numeric && seen.columns[*place].filled > 0);
    let measure = measure
        .map(|place| {
            let name = &table.columns[place];
            let own = words(name);
            let is = |names: &[&str]| own.iter().any(|word| names.contains(&word.as_str()));
            let mut rank = 10 * i64::try_from(named(name)).unwrap_or(0);
            rank +=
                4 * i64::from(table.profiles[place].currency) + 3 * i64::from(is(FIGURES)) - 20 * i64::from(is(NAMES));
            (rank, place)
        })
        // Of equal ones the last: tables go from what it was to how much.
        .max()
        .filter(|(rank, _)| *rank > -10)
        .map(|(_, place)| place);
    let month = says(&["month", "monthly", "trend", "time", "monat", "monatlich", "date"]);
    let group = places
        .filter_map(|place| {
            let (name, column) = (&table.columns[place], &seen.columns[place]);
            if table.profiles[place].numeric || column.filled == 0 {
                return None;
            }
            let weight = 30 * i64::from(after_by(name)) + 10 * i64::from(named(name) > 0);
            if column.is_date() {
                let weight = weight + 25 * i64::from(month);
                return Some((weight - 5, Group::Month(place)));
            }
            let distinct = column.values.len();
            let useful = !column.more && (2..=USEFUL_GROUPS).contains(&distinct);
            let often = column.filled as usize >= distinct.saturating_mul(2);
            (useful || weight > 0).then(|| (weight + i64::from(useful) + i64::from(often), Group::Text(place)))
        })
        // Of equal ones the first.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, group)| group);
    let kind = match measure {
        None => Kind::Count,
        Some(_) if says(&["average", "mean", "avg", "durchschnitt", "mittel"]) => Kind::Mean,
        Some(_) if says(&["count", "many", "anzahl"]) => Kind::Count,
        Some(_) => Kind::Sum,
    };
    Plan { measure, group, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_meet_in_the_singular() {
        assert_eq!(words("Sales by Regions, in class_3"), ["sale", "by", "region", "in", "class", "3"]);
        assert!(is_date("2026-01-05") && is_date("2026-01-05T10:00") && !is_date("2026/01/05") && !is_date("20260105"));
    }
}
