//! A table as a tool sees it: read from CSV, TSV or JSON, its columns looked at, its rows visited one by one.

use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::Value;

use super::number::{self, Hint, Style};
use crate::api::{ApiError, ErrorCategory};
use crate::knowledge::readers::text::decode;
use crate::tools::args::wrong;
use crate::tools::output::plain;
use crate::tools::{Scope, folders};

/// Of a CSV file, in bytes.
const LARGEST: u64 = 64 << 20;
/// Of JSON, which takes many times its size in memory.
const LARGEST_JSON: usize = 16 << 20;
const LARGEST_INLINE: usize = 1 << 20;
const MOST_ROWS: u64 = 2_000_000;
const MOST_COLUMNS: usize = 500;
/// Rows that tell what a column holds.
const PROFILED: usize = 20_000;
/// Of a column's cells must be numbers for the column to count as one of numbers.
const NUMERIC_SHARE: f64 = 0.9;

/// What the first rows tell of a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    pub numeric: bool,
    pub style: Style,
    pub currency: bool,
    pub percent: bool,
}

pub struct Table {
    /// As errors and results call it.
    pub name: String,
    pub columns: Vec<String>,
    pub profiles: Vec<Profile>,
    /// How it was understood, for the result.
    pub notes: Vec<String>,
    rows: Rows,
}

enum Rows {
    Csv { text: String, delimiter: u8, skip: usize },
    Json(Vec<Vec<String>>),
}

/// One row; cells beyond its end are empty.
pub enum Row<'a> {
    Csv(&'a StringRecord),
    Json(&'a [String]),
}

impl Row<'_> {
    pub fn get(&self, column: usize) -> &str {
        match self {
            Self::Csv(record) => record.get(column).unwrap_or_default(),
            Self::Json(cells) => cells.get(column).map_or("", String::as_str),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Csv(record) => record.len(),
            Self::Json(cells) => cells.len(),
        }
    }
}

/// The table in a file of an allowed folder, or the one given inline.
pub fn load(scope: &Scope, file: Option<&str>, data: Option<&str>) -> Result<Table, ApiError> {
    let mut table = match (file.filter(|file| !file.trim().is_empty()), data.filter(|data| !data.trim().is_empty())) {
        (Some(file), None) => {
            let place = folders::find(scope, file)?;
            let bytes = place.read(LARGEST)?;
            let decoded = decode(&bytes).map_err(|error| wrong(format!("{} is no table: {error}", place.shown())))?;
            drop(bytes);
            let mut table = read(place.shown(), decoded.text)?;
            table.notes.extend(decoded.note.map(str::to_owned));
            table
        }
        (None, Some(data)) if data.len() > LARGEST_INLINE => {
            return Err(wrong("`data` is too long; write it to a file and name that"));
        }
        (None, Some(data)) => read("the given data".to_owned(), data.to_owned())?,
        _ => return Err(wrong("give either `file` or `data`")),
    };
    table.profile(scope)?;
    Ok(table)
}

fn read(name: String, text: String) -> Result<Table, ApiError> {
    let start = text.trim_start();
    if start.starts_with(['[', '{'])
        && let Some(table) = read_json(&name, start)?
    {
        return Ok(table);
    }
    read_csv(name, text)
}

fn read_csv(name: String, mut text: String) -> Result<Table, ApiError> {
    let mut told = None;
    // What spreadsheets write to tell each other the delimiter.
    if let Some(rest) = text.strip_prefix("sep=") {
        told = rest.bytes().next().filter(u8::is_ascii);
        let line = text.find('\n').map_or(text.len(), |end| end + 1);
        text.drain(..line);
    }
    let delimiter = told.unwrap_or_else(|| delimiter_of(&text));
    let mut first = StringRecord::new();
    let mut reader = reader(&text, delimiter);
    if !next(&mut reader, &mut first, &name)? {
        return Err(wrong(format!("{name} is empty")));
    }
    if first.len() > MOST_COLUMNS {
        return Err(wrong(format!("{name} has {} columns; {MOST_COLUMNS} are the most", first.len())));
    }
    let mut head = Vec::new();
    let mut record = StringRecord::new();
    while head.len() < 50 && next(&mut reader, &mut record, &name)? {
        head.push(record.clone());
    }
    drop(reader);
    let is_header = is_header(&first, &head);
    let mut notes = Vec::new();
    if !is_header {
        notes.push("It has no header, so the columns are called column_1 and so on.".to_owned());
    }
    let columns = match is_header {
        true => names(first.iter().map(str::to_owned).collect()),
        false => names(vec![String::new(); first.len()]),
    };
    let rows = Rows::Csv { text, delimiter, skip: usize::from(is_header) };
    Ok(Table { name, columns, profiles: Vec::new(), notes, rows })
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).trim(Trim::All).from_reader(text.as_bytes())
}

fn next(reader: &mut csv::Reader<&[u8]>, record: &mut StringRecord, name: &str) -> Result<bool, ApiError> {
    reader.read_record(record).map_err(|error| {
        ApiError::new(ErrorCategory::Processing, format!("{name} is damaged: {error}"), "Look at the file itself.")
    })
}

/// The one that cuts the first rows into the most equal pieces.
fn delimiter_of(text: &str) -> u8 {
    let head = &text[..text.floor_char_boundary(64 << 10)];
    let mut best = (0.0, b',');
    for delimiter in [b',', b';', b'\t', b'|'] {
        let mut counts = std::collections::BTreeMap::<usize, usize>::new();
        for record in reader(head, delimiter).records().take(50).flatten() {
            *counts.entry(record.len()).or_default() += 1;
        }
        let rows: usize = counts.values().sum();
        let Some((&fields, &often)) = counts.iter().max_by_key(|(_, often)| **often) else { continue };
        let score = if fields > 1 { often as f64 / rows as f64 + fields.min(20) as f64 * 0.005 } else { 0.0 };
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

/// Names are distinct, filled and no numbers, or differ from the rows in that.
fn is_header(first: &StringRecord, rows: &[StringRecord]) -> bool {
    let number = |text: &str| number::hint(text) != Hint::NotANumber;
    let mut seen = std::collections::HashSet::new();
    let filled = first.iter().filter(|name| !name.is_empty()).count();
    let distinct = first.iter().filter(|name| !name.is_empty()).all(|name| seen.insert(name.to_lowercase()));
    if filled == 0 || first.iter().any(number) {
        return false;
    }
    let numbers_below = (0..first.len()).any(|column| rows.iter().any(|row| row.get(column).is_some_and(number)));
    numbers_below || (distinct && filled * 2 > first.len())
}

/// Each name once, none empty.
fn names(given: Vec<String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(given.len());
    for (index, name) in given.into_iter().enumerate() {
        let name: String = plain(name.trim()).chars().take(100).collect();
        let name = if name.is_empty() { format!("column_{}", index + 1) } else { name };
        let mut unique = name.clone();
        let mut number = 2;
        while names.contains(&unique) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        names.push(unique);
    }
    names
}

/// None when it is no JSON at all.
fn read_json(name: &str, text: &str) -> Result<Option<Table>, ApiError> {
    if text.len() > LARGEST_JSON {
        return Err(wrong(format!("{name} is JSON larger than 16 MB; make it a CSV file")));
    }
    let mut notes = Vec::new();
    let items = match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(items)) => items,
        Ok(Value::Object(fields)) => {
            let lists = fields
                .iter()
                .filter(|(_, value)| value.as_array().is_some_and(|list| list.iter().any(Value::is_object)));
            let mut lists = lists.map(|(name, value)| (name.clone(), value.clone()));
            match (lists.next(), lists.next()) {
                (Some((field, Value::Array(items))), None) => {
                    notes.push(format!("The rows are those of `{}`.", plain(&field)));
                    items
                }
                (Some(_), Some(_)) => {
                    return Err(wrong(format!(
                        "{name} holds several lists; take one with json_query and give it as `data`"
                    )));
                }
                _ => vec![Value::Object(fields)],
            }
        }
        Ok(_) => return Ok(None),
        Err(error) => {
            // One object on each line.
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            match lines.map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>() {
                Ok(items) => items,
                Err(_) if text.starts_with('{') => return Err(wrong(format!("{name} is no JSON: {error}"))),
                Err(_) => return Ok(None),
            }
        }
    };
    let mut columns: Vec<String> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for fields in items.iter().filter_map(Value::as_object) {
        for field in fields.keys() {
            if !places.contains_key(field) {
                places.insert(field.clone(), columns.len());
                columns.push(field.clone());
            }
        }
        if columns.len() > MOST_COLUMNS {
            return Err(wrong(format!("{name} has more than {MOST_COLUMNS} columns")));
        }
    }
    if columns.is_empty() {
        return Err(wrong(format!("{name} is JSON, but no array of objects")));
    }
    let others = items.iter().filter(|item| !item.is_object()).count();
    if others > 0 {
        notes.push(format!("{others} entries are no objects and were left out."));
    }
    let row = |item: &Value| {
        let mut row = vec![String::new(); columns.len()];
        for (field, value) in item.as_object().into_iter().flatten() {
            row[places[field]] = cell(value);
        }
        row
    };
    let rows = items.iter().filter(|item| item.is_object()).map(row).collect();
    Ok(Some(Table {
        name: name.to_owned(),
        columns: names(columns),
        profiles: Vec::new(),
        notes,
        rows: Rows::Json(rows),
    }))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Table {
    /// Visits the rows in order until `visit` says false; gives how many there were.
    pub fn each(
        &self,
        scope: &Scope,
        mut visit: impl FnMut(&Row<'_>) -> Result<bool, ApiError>,
    ) -> Result<u64, ApiError> {
        let mut count = 0_u64;
        let mut step = |row: &Row<'_>| -> Result<bool, ApiError> {
            count += 1;
            if count > MOST_ROWS {
                return Err(wrong(format!("{} has more than {MOST_ROWS} rows", self.name)));
            }
            if count.is_multiple_of(4_096) && scope.cancel.is_cancelled() {
                return Err(ApiError::cancelled());
            }
            visit(row)
        };
        match &self.rows {
            Rows::Csv { text, delimiter, skip } => {
                let mut reader = reader(text, *delimiter);
                let mut record = StringRecord::new();
                let mut skip = *skip;
                while next(&mut reader, &mut record, &self.name)? {
                    if skip > 0 {
                        skip -= 1;
                    } else if !step(&Row::Csv(&record))? {
                        break;
                    }
                }
            }
            Rows::Json(rows) => {
                for row in rows {
                    if !step(&Row::Json(row))? {
                        break;
                    }
                }
            }
        }
        Ok(count)
    }

    /// The place of a column by its name, whatever the case.
    pub fn column(&self, name: &str) -> Result<usize, ApiError> {
        let exact = self.columns.iter().position(|column| column == name.trim());
        let found = exact
            .or_else(|| self.columns.iter().position(|column| column.to_lowercase() == name.trim().to_lowercase()));
        found.ok_or_else(|| {
            let some: Vec<_> = self.columns.iter().take(60).map(String::as_str).collect();
            wrong(format!("{} has no column {name:?}; it has: {}", self.name, some.join(", ")))
        })
    }

    /// A column of numbers.
    pub fn numeric(&self, name: &str) -> Result<usize, ApiError> {
        let column = self.column(name)?;
        if self.profiles[column].numeric {
            return Ok(column);
        }
        let numeric: Vec<_> = self.columns.iter().zip(&self.profiles).filter(|(_, profile)| profile.numeric).collect();
        let numeric: Vec<_> = numeric.iter().take(60).map(|(name, _)| name.as_str()).collect();
        let numeric = if numeric.is_empty() { "none".to_owned() } else { numeric.join(", ") };
        Err(wrong(format!("{name:?} is not a column of numbers; those are: {numeric}")))
    }

    pub fn number(&self, row: &Row<'_>, column: usize) -> Option<f64> {
        number::parse(row.get(column), self.profiles[column].style)
    }

    /// Looks at the first rows to see what the columns hold and how their numbers are written.
    fn profile(&mut self, scope: &Scope) -> Result<(), ApiError> {
        #[derive(Clone, Default)]
        struct Seen {
            filled: usize,
            point: usize,
            comma: usize,
            numbers: [usize; 2],
            currency: usize,
            percent: usize,
            either: Option<String>,
        }
        let mut seen = vec![Seen::default(); self.columns.len()];
        let (mut rows, mut ragged) = (0, 0_usize);
        self.each(scope, |row| {
            rows += 1;
            ragged += usize::from(row.len() != seen.len());
            for (column, seen) in seen.iter_mut().enumerate() {
                let text = row.get(column);
                if text.is_empty() {
                    continue;
                }
                seen.filled += 1;
                let hint = number::hint(text);
                match hint {
                    Hint::NotANumber => continue,
                    Hint::Point => seen.point += 1,
                    Hint::Comma => seen.comma += 1,
                    Hint::Plain => {}
                    Hint::Either => seen.either = seen.either.take().or_else(|| Some(text.to_owned())),
                }
                seen.numbers[0] += usize::from(hint != Hint::Comma);
                seen.numbers[1] += usize::from(hint != Hint::Point);
                let (currency, percent) = number::unit(text);
                seen.currency += usize::from(currency);
                seen.percent += usize::from(percent);
            }
            Ok(rows < PROFILED)
        })?;
        let (mut comma, mut assumed, mut mixed) = (Vec::new(), Vec::new(), Vec::new());
        for (name, seen) in self.columns.iter().zip(&seen) {
            let style = if seen.comma > seen.point { Style::Comma } else { Style::Point };
            let numbers = seen.numbers[usize::from(style == Style::Comma)];
            let numeric = seen.filled > 0 && numbers as f64 >= seen.filled as f64 * NUMERIC_SHARE;
            if numeric {
                if style == Style::Comma {
                    comma.push(name.as_str());
                }
                if seen.point.min(seen.comma) > 0 {
                    mixed.push(name.as_str());
                }
                if let (Some(text), 0, 0) = (&seen.either, seen.point, seen.comma) {
                    let value = number::parse(text, style).map(number::show).unwrap_or_default();
                    assumed.push(format!("{name} ({text} as {value})"));
                }
            }
            let (currency, percent) = (seen.currency > 0, seen.percent > 0);
            self.profiles.push(Profile { numeric, style, currency, percent });
        }
        let money = self.columns.iter().zip(&self.profiles).filter(|(_, profile)| profile.numeric && profile.currency);
        let money: Vec<_> = money.map(|(name, _)| name.as_str()).collect();
        let mut note = |found: &[&str], words: &str| {
            if !found.is_empty() {
                let names = found.iter().take(12).copied().collect::<Vec<_>>().join(", ");
                self.notes.push(format!("{words}: {names}."));
            }
        };
        note(&comma, "Read with decimal commas (1.234,56)");
        note(&assumed.iter().map(String::as_str).collect::<Vec<_>>(), "Ambiguous numbers, please check");
        note(&mixed, "Decimal points and commas are mixed; cells in the rarer form count as missing");
        note(&money, "Currency marks were dropped, and amounts of different currencies are not converted");
        if ragged > 0 {
            self.notes
                .push(format!("{ragged} of the first {rows} rows have more or fewer cells than there are columns."));
        }
        Ok(())
    }
}
