//! Spreadsheets (XLSX, XLSM, XLSB): each sheet a page with its name as heading, each row a line `a | b | c`.

use std::fmt::Write as _;
use std::io::Cursor;

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsb, Xlsx as Workbook, XlsxError};
use rspa_ml::Cancel;

use super::package::{self, Package};
use super::write::Writer;
use super::{Extracted, Limits, ReadError, Reader};
use crate::DocumentKind;

pub struct Xlsx;

/// Empty cells written between two that hold something.
const MOST_EMPTY: u32 = 32;
/// Characters of one cell.
const MOST_CELL: usize = 32 << 10;
const MOST_SHEETS: usize = 2_000;
/// Wrong cells after one another that do not yet mean a broken sheet.
const MOST_WRONG: usize = 300;
const MOST_CELLS: usize = 20_000_000;

impl Reader for Xlsx {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        if let Some(error) = package::compound(bytes) {
            return Err(error);
        }
        let mut package = Package::open(bytes)?;
        if package.is_salvaged() {
            return salvaged(&mut package, limits, cancel);
        }
        package.check_sizes(cancel)?;
        let mut sheets = Sheets {
            writer: Writer::new(limits.text_bytes),
            cells: 0,
            wrong: 0,
            unread: Vec::new(),
            columns: Vec::new(),
        };
        let binary = package.names().iter().any(|name| name == "xl/workbook.bin");
        if binary {
            let Ok(mut book) = Xlsb::new(Cursor::new(bytes)) else {
                return Err(ReadError::Damaged("its workbook cannot be read".to_owned()));
            };
            for name in book.sheet_names().into_iter().take(MOST_SHEETS) {
                sheets.begin(&name);
                match book.worksheet_cells_reader(&name) {
                    Ok(mut reader) => sheets.rows(&name, cancel, || {
                        let cell = reader.next_cell().map_err(|error| error.to_string())?;
                        Ok(cell.map(|cell| (cell.get_position(), shown(cell.get_value(), ""))))
                    })?,
                    Err(error) => sheets.unread.push(format!("{name}: {error}")),
                }
            }
        } else {
            let mut book = match Workbook::new(Cursor::new(bytes)) {
                Ok(book) => book,
                Err(XlsxError::Password) => return Err(ReadError::Encrypted),
                Err(_) => return salvaged(&mut package, limits, cancel),
            };
            for name in book.sheet_names().into_iter().take(MOST_SHEETS) {
                sheets.begin(&name);
                match book.worksheet_cells_reader(&name) {
                    Ok(mut reader) => sheets.rows(&name, cancel, || {
                        let Some((cell, style)) =
                            reader.next_cell_with_style_id().map_err(|error| error.to_string())?
                        else {
                            return Ok(None);
                        };
                        let format = reader.styles().get(style).and_then(|style| style.number_format.as_ref());
                        let format = format.map(|format| format.format_code.as_str()).unwrap_or_default();
                        Ok(Some((cell.get_position(), shown(cell.get_value(), format))))
                    })?,
                    // Sheets that hold only a chart have no cells.
                    Err(XlsxError::NotAWorksheet(_)) => {}
                    Err(error) => sheets.unread.push(format!("{name}: {error}")),
                }
            }
        }
        let Sheets { writer, unread, columns, wrong, cells } = sheets;
        let mut extracted = writer.finish(DocumentKind::Xlsx);
        extracted.metadata.extend(columns);
        if let Ok(Some(properties)) = package.text("docProps/core.xml") {
            package::describe(&mut extracted, &properties, cancel);
        }
        if !unread.is_empty() {
            let count = extracted.pages.len().max(1);
            extracted.doubt(
                (1.0 - unread.len() as f32 / count as f32).max(0.1),
                &format!("{} of its {count} sheets could not be read whole.", unread.len()),
            );
        }
        if wrong > 0 {
            let share = 1.0 - wrong as f32 / cells.max(1) as f32;
            extracted.doubt(share.clamp(0.1, 0.99), &format!("{wrong} of its cells hold values that make no sense."));
        }
        Ok(extracted)
    }

    fn isolated(&self) -> bool {
        true
    }
}

/// The words of a damaged workbook, where cells can no longer be told apart.
fn salvaged(package: &mut Package<'_>, limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
    let mut writer = Writer::new(limits.text_bytes);
    for name in package.names().to_vec() {
        if name.ends_with("sharedStrings.xml") || name.contains("worksheets/sheet") {
            let Some(part) = package.text(&name)? else { continue };
            for (_, text) in super::xml::texts(&part, &["t"], cancel) {
                writer.line(&text);
            }
        }
    }
    let mut extracted = writer.finish(DocumentKind::Xlsx);
    if extracted.lines.count() == 0 {
        return Err(ReadError::Damaged("its workbook or its end is missing".to_owned()));
    }
    extracted.doubt(0.3, "It is damaged; only words were saved, not where they stood.");
    Ok(extracted)
}

struct Sheets {
    writer: Writer,
    cells: usize,
    /// Cells whose value makes no sense.
    wrong: usize,
    unread: Vec<String>,
    columns: Vec<(String, String)>,
}

/// Row and column from 0, and what a person sees in the cell.
type Shown = ((u32, u32), String);

impl Sheets {
    fn begin(&mut self, name: &str) {
        self.writer.blank();
        self.writer.page();
        self.writer.heading(1, name);
    }

    /// Writes one sheet. Cells come row by row.
    fn rows(
        &mut self,
        name: &str,
        cancel: &Cancel,
        mut next: impl FnMut() -> Result<Option<Shown>, String>,
    ) -> Result<(), ReadError> {
        let mut line = String::new();
        let (mut row, mut column, mut texts) = (None, 0, 0_usize);
        let mut row_of_errors = 0;
        let mut first = true;
        self.writer.begin_table();
        loop {
            self.cells += 1;
            if self.cells.is_multiple_of(1024) && cancel.is_cancelled() {
                return Err(ReadError::Cancelled);
            }
            let cell = match next() {
                Ok(Some(_)) if self.cells > MOST_CELLS => {
                    self.unread.push(format!("{name}: too many cells"));
                    None
                }
                Ok(cell) => {
                    row_of_errors = 0;
                    cell
                }
                // A cell that is wrong takes itself away alone; a broken sheet gives nothing but errors.
                Err(_) if row_of_errors < MOST_WRONG => {
                    row_of_errors += 1;
                    self.wrong += 1;
                    continue;
                }
                Err(error) => {
                    self.wrong -= row_of_errors;
                    self.unread.push(format!("{name}: {error}"));
                    None
                }
            };
            let place = cell.as_ref().map(|(place, _)| place.0);
            if place != row || place.is_none() {
                if !line.is_empty() {
                    self.writer.line(&line);
                    // A header names its columns in words.
                    if std::mem::take(&mut first) && texts > 1 {
                        let names: String = line.chars().take(500).collect();
                        self.columns.push((format!("columns of {name}"), names.replace(" | ", ", ")));
                    }
                    line.clear();
                }
                (row, column, texts) = (place, 0, 0);
            }
            let Some(((_, at), text)) = cell else { break };
            if text.is_empty() || self.writer.is_full() {
                if self.writer.is_full() {
                    break;
                }
                continue;
            }
            texts += usize::from(text.chars().any(char::is_alphabetic));
            if !line.is_empty() {
                for _ in 0..at.saturating_sub(column).clamp(1, MOST_EMPTY) {
                    line.push_str(" | ");
                }
            }
            column = at;
            line.push_str(&text);
        }
        self.writer.end_table();
        Ok(())
    }
}

/// A cell as a person sees it: dates as dates, shares as percent, no digits that are only rounding.
fn shown(value: &DataRef<'_>, format: &str) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_in_words(*number, format),
        DataRef::String(text) => cell(text),
        DataRef::SharedString(text) => cell(text),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::DateTime(date) => date_in_words(*date),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => cell(&text.replace('T', " ")),
        DataRef::Error(error) => error.to_string(),
    }
}

fn cell(text: &str) -> String {
    let mut words = String::with_capacity(text.len().min(MOST_CELL));
    for word in text.split_whitespace() {
        if words.len() + word.len() > MOST_CELL {
            break;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

fn number_in_words(number: f64, format: &str) -> String {
    // The first of up to four parts of a format is that of positive numbers (ECMA-376 part 1, 18.8.31).
    let format = format.split(';').next().unwrap_or_default();
    let decimals = match format.split_once('.') {
        Some((_, after)) => after.chars().take_while(|digit| matches!(digit, '0' | '#')).count().min(15),
        None => 0,
    };
    if format.ends_with('%') {
        return format!("{:.decimals$}%", number * 100.0);
    }
    if !format.is_empty()
        && format != "General"
        && format != "@"
        && format.contains('0')
        && !format.contains(['E', '/', '?'])
    {
        return format!("{number:.decimals$}");
    }
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return format!("{number:.0}");
    }
    // Fifteen digits are what a sheet keeps; the sixteenth is noise.
    let exact = format!("{number:.14e}").parse::<f64>().unwrap_or(number);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ok =
        if exact.abs() < 1e-5 || exact.abs() >= 1e15 { write!(text, "{exact:e}") } else { write!(text, "{exact}") };
    text
}

fn date_in_words(date: ExcelDateTime) -> String {
    let value = date.as_f64();
    if date.is_duration() {
        let seconds = (value.abs() * 86_400.0).round().min(1e15) as u64;
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    let clock = match (hour, minute, second) {
        (0, 0, 0) => String::new(),
        (_, _, 0) => format!("{hour:02}:{minute:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    };
    if (0.0..1.0).contains(&value) && !clock.is_empty() {
        return clock;
    }
    format!("{year:04}-{month:02}-{day:02} {clock}").trim_end().to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::package::tests::zipped;
    use super::*;

    /// A workbook of one sheet with these rows of XML.
    pub(crate) fn xlsx(rows: &str) -> Vec<u8> {
        let relations = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
        let book = r#"<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Prices" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
        let styles = r#"<styleSheet><numFmts count="1"><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd"/></numFmts><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="165"/><xf numFmtId="10"/></cellXfs></styleSheet>"#;
        let sheet = format!(r#"<worksheet><dimension ref="A1:C3"/><sheetData>{rows}</sheetData></worksheet>"#);
        zipped(&[
            ("_rels/.rels", br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#),
            ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
            ("xl/workbook.xml", book.as_bytes()),
            ("xl/styles.xml", styles.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
            ("docProps/core.xml", b"<p><dc:title>Price list</dc:title></p>"),
        ])
    }

    fn read(bytes: &[u8]) -> Result<Extracted, ReadError> {
        Xlsx.read(bytes, &Limits::default(), &Cancel::new())
    }

    #[test]
    fn rows_are_lines_and_numbers_are_as_they_are_seen() {
        let rows = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>Fruit</t></is></c><c r="B1" t="inlineStr"><is><t>Price</t></is></c><c r="C1" t="inlineStr"><is><t>Since</t></is></c></row>
<row r="2"><c r="A2" t="inlineStr"><is><t>Apple</t></is></c><c r="B2"><v>0.30000000000000004</v></c><c r="C2" s="1"><v>45943</v></c></row>
<row r="3"><c r="A3" t="inlineStr"><is><t>Share</t></is></c><c r="C3" s="2"><v>0.125</v></c></row>"#;
        let extracted = read(&xlsx(rows)).unwrap();
        assert_eq!(
            extracted.lines.text(),
            "Prices\n\nFruit | Price | Since\nApple | 0.3 | 2025-10-13\nShare |  | 12.50%"
        );
        assert_eq!((extracted.pages.as_slice(), extracted.tables.as_slice()), ([1].as_slice(), [(3, 5)].as_slice()));
        assert_eq!(extracted.headings[0].title, "Prices");
        assert_eq!(extracted.title.as_deref(), Some("Price list"));
        assert!(extracted.metadata.contains(&("columns of Prices".to_owned(), "Fruit, Price, Since".to_owned())));
    }

    #[test]
    fn a_cell_far_away_costs_nothing() {
        let rows = r#"<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>"#;
        let extracted = read(&xlsx(rows)).unwrap();
        assert_eq!(extracted.lines.line(3), "1");
        assert_eq!(extracted.lines.line(4), "2");
    }
}
