//! Tables of separated values (CSV, TSV): the delimiter found, each record a line `a | b | c`.

use ::csv::ReaderBuilder;
use rspa_ml::Cancel;

use super::write::Writer;
use super::{Extracted, Limits, ReadError, Reader, text};
use crate::DocumentKind;

pub struct Csv;

/// Bytes at the beginning in which the delimiter is looked for.
const SAMPLE: usize = 64 << 10;
const DELIMITERS: &[u8] = b",;\t|";
const MOST_CELL: usize = 64 << 10;
const MOST_FIELDS: usize = 20_000;

impl Reader for Csv {
    fn read(&self, bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Extracted, ReadError> {
        let decoded = text::decode(bytes)?;
        let Some(delimiter) = delimiter(&decoded.text) else {
            let mut extracted = text::decode_as(DocumentKind::Csv, bytes, limits)?;
            if extracted.lines.text().contains(',') {
                extracted.doubt(0.8, "Its columns could not be told apart; it was read as plain text.");
            }
            return Ok(extracted);
        };
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(decoded.text.as_bytes());
        let mut writer = Writer::new(limits.text_bytes);
        let mut header: Option<Vec<String>> = None;
        let (mut records, mut numbers, mut clipped, mut broken) = (0_usize, false, false, None);
        let mut record = ::csv::StringRecord::new();
        writer.begin_table();
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    broken = Some(error.to_string());
                    break;
                }
            }
            records += 1;
            if records.is_multiple_of(1024) && cancel.is_cancelled() {
                return Err(ReadError::Cancelled);
            }
            let mut line = String::new();
            for (index, field) in record.iter().take(MOST_FIELDS).enumerate() {
                if index > 0 {
                    line.push_str(" | ");
                }
                let field = field.trim();
                let end = field.floor_char_boundary(MOST_CELL);
                clipped |= end < field.len();
                line.extend(field[..end].chars().map(|letter| if letter.is_control() { ' ' } else { letter }));
            }
            clipped |= record.len() > MOST_FIELDS;
            match records {
                1 => header = names(&record),
                2..=20 => numbers |= record.iter().any(is_number),
                _ => {}
            }
            if line.trim_matches([' ', '|']).is_empty() {
                continue;
            }
            writer.line(&line);
            if writer.is_full() {
                break;
            }
        }
        writer.end_table();
        let mut extracted = writer.finish(DocumentKind::Csv);
        if let Some(header) = header.filter(|_| numbers || records > 3) {
            extracted.metadata.push(("columns".to_owned(), header.join(", ")));
        }
        if let Some(note) = decoded.note {
            extracted.doubt(decoded.confidence, note);
        }
        if clipped {
            extracted.doubt(0.8, "Very long records in it were cut.");
        }
        if let Some(broken) = broken {
            extracted.doubt(0.5, &format!("Its later records cannot be read: {broken}."));
        }
        Ok(extracted)
    }

    fn isolated(&self) -> bool {
        true
    }
}

fn is_number(field: &str) -> bool {
    let field = field.trim();
    field.chars().any(|digit| digit.is_ascii_digit())
        && field
            .chars()
            .all(|digit| digit.is_ascii_digit() || matches!(digit, '.' | ',' | '-' | '+' | '%' | 'e' | 'E' | ' '))
}

/// The first record, when it looks like names of columns: all different, none empty or a number.
fn names(record: &::csv::StringRecord) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for field in record.iter().take(200) {
        let name: String = field.trim().chars().take(80).collect();
        if name.is_empty() || is_number(&name) || names.contains(&name) {
            return None;
        }
        names.push(name);
    }
    (names.len() > 1).then_some(names)
}

/// The delimiter that gives most lines the same number of fields; none where there are no columns.
fn delimiter(text: &str) -> Option<u8> {
    let sample = &text[..text.floor_char_boundary(SAMPLE)];
    let mut best: Option<(usize, u8)> = None;
    for &delimiter in DELIMITERS {
        let mut counts: Vec<usize> = Vec::new();
        let (mut count, mut quoted) = (0, false);
        for &byte in sample.as_bytes() {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' if !quoted => counts.push(std::mem::take(&mut count)),
                byte if byte == delimiter && !quoted => count += 1,
                _ => {}
            }
            if counts.len() >= 100 {
                break;
            }
        }
        if sample.len() == text.len() && (count > 0 || counts.is_empty()) {
            counts.push(count);
        }
        counts.sort_unstable();
        let Some(&usual) = counts.get(counts.len() / 2) else { continue };
        if usual == 0 {
            continue;
        }
        let same = counts.iter().filter(|count| **count == usual).count();
        let score = same * 1_000 / counts.len() + usual.min(20);
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, delimiter));
        }
    }
    best.map(|(_, delimiter)| delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Extracted {
        Csv.read(source.as_bytes(), &Limits::default(), &Cancel::new()).unwrap()
    }

    #[test]
    fn delimiters_and_quotes() {
        let read_text = |source: &str| read(source).lines.text().to_owned();
        assert_eq!(read_text("name,price\n\"a, \"\"b\"\"\",1\nc,2\n"), "name | price\na, \"b\" | 1\nc | 2");
        assert_eq!(read_text("name;price\na;1,5\nb;2,5\n"), "name | price\na | 1,5\nb | 2,5");
        assert_eq!(read_text("a\tb\n1\t2\n"), "a | b\n1 | 2");
        assert_eq!(read_text("one\ntwo\n"), "one\ntwo\n");
    }

    #[test]
    fn the_header_is_known() {
        let extracted = read("name,price\nx,1\ny,2\n");
        assert_eq!(extracted.metadata, [("columns".to_owned(), "name, price".to_owned())]);
        assert_eq!(extracted.tables, [(1, 3)]);
        assert!(read("1,2\n3,4\n").metadata.is_empty());
    }
}
