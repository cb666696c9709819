//! What a PDF's lines are: headings by the outline or by their letters' size, tables by cells that stand below each other.

use std::collections::{HashMap, HashSet};

use hayro_interpret::hayro_syntax::Pdf as Parsed;
use hayro_interpret::hayro_syntax::object::{Dict, String as PdfString};

use super::layout::Line;
use crate::write::Writer;
use crate::{DocumentKind, Extracted, Heading};

const MOST_OUTLINE: usize = 20_000;
const MOST_OUTLINE_DEPTH: u8 = 9;
const MOST_HEADING_CHARS: usize = 140;

/// Text of a PDF string: UTF-16 or UTF-8 by its mark, else PDFDocEncoding, nearly Windows-1252 (ISO 32000-2, 7.9.2).
pub fn text_string(bytes: &[u8]) -> String {
    if bytes.starts_with(&[0xFE, 0xFF]) {
        encoding_rs::UTF_16BE.decode(bytes).0.into_owned()
    } else if bytes.starts_with(&[0xFF, 0xFE]) {
        encoding_rs::UTF_16LE.decode(bytes).0.into_owned()
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        text.trim_start_matches('\u{FEFF}').to_owned()
    } else {
        encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned()
    }
}

/// Titles of the outline in order, with their depth from 1.
pub fn outline(document: &Parsed) -> Vec<(u8, String)> {
    let xref = document.xref();
    let Some(catalog) = xref.get::<Dict<'_>>(xref.root_id()) else { return Vec::new() };
    let first = catalog.get::<Dict<'_>>(b"Outlines").and_then(|outlines| outlines.get::<Dict<'_>>(b"First"));
    let mut titles = Vec::new();
    let mut seen = HashSet::new();
    let mut open: Vec<(u8, Dict<'_>)> = first.map(|item| (1, item)).into_iter().collect();
    while let Some((level, item)) = open.pop() {
        if titles.len() >= MOST_OUTLINE || item.obj_id().is_some_and(|id| !seen.insert(id)) {
            break;
        }
        if let Some(title) = item.get::<PdfString<'_>>(b"Title") {
            let title = text_string(title.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" ");
            titles.push((level, title.chars().take(MOST_HEADING_CHARS).collect()));
        }
        if let Some(next) = item.get::<Dict<'_>>(b"Next") {
            open.push((level, next));
        }
        if level < MOST_OUTLINE_DEPTH
            && let Some(child) = item.get::<Dict<'_>>(b"First")
        {
            open.push((level + 1, child));
        }
    }
    titles
}

/// Letters and digits alone, in small letters, without the number of a section: to compare titles with lines.
fn bare(text: &str) -> String {
    text.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.' || letter.is_whitespace())
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Puts the pages together.
pub fn document(pages: Vec<Vec<Line>>, outline: &[(u8, String)]) -> Extracted {
    let sizes = sizes(&pages);
    let titles: HashMap<String, u8> =
        outline.iter().map(|(level, title)| (bare(title), *level)).filter(|(title, _)| title.len() > 2).collect();
    let mut writer = Writer::new(usize::MAX);
    let mut by_outline = Vec::new();
    for page in &pages {
        writer.page();
        let tables = tables(page);
        for (index, line) in page.iter().enumerate() {
            let table = tables.iter().find(|(first, last)| (*first..=*last).contains(&index));
            if table.is_some_and(|(first, _)| *first == index) {
                writer.blank();
                writer.begin_table();
            } else if line.gap && table.is_none() {
                writer.blank();
            }
            let text: String =
                if table.is_some() { line.text.replace('\t', " | ") } else { line.text.replace('\t', "  ") };
            let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            if table.is_none() && text.len() <= MOST_HEADING_CHARS * 2 {
                if let Some(level) = titles.get(&bare(text)).filter(|_| line.gap || line.size > sizes.body * 1.05) {
                    by_outline.push(Heading { line: writer.line_number(), level: *level, title: text.to_owned() });
                }
                if let Some(level) = sizes.level(line, text) {
                    writer.note_heading(level, text);
                }
            }
            writer.line(text);
            if table.is_some_and(|(_, last)| *last == index) {
                writer.end_table();
                writer.blank();
            }
        }
        writer.blank();
    }
    let mut extracted = writer.finish(DocumentKind::Pdf);
    if by_outline.len() >= 2 && by_outline.len() * 3 >= titles.len() {
        extracted.headings = by_outline;
    }
    extracted
}

struct Sizes {
    body: f32,
    /// Sizes of headings, largest first.
    headings: Vec<i32>,
}

fn rounded(size: f32) -> i32 {
    (size * 2.0).round() as i32
}

fn sizes(pages: &[Vec<Line>]) -> Sizes {
    let mut letters: HashMap<i32, usize> = HashMap::new();
    for line in pages.iter().flatten() {
        *letters.entry(rounded(line.size)).or_default() += line.text.len();
    }
    let body = letters.iter().max_by_key(|(size, count)| (**count, **size)).map_or(0, |(size, _)| *size);
    let all: usize = letters.values().sum();
    let mut headings: Vec<i32> = letters
        .iter()
        .filter(|(size, count)| **size as f32 > body as f32 * 1.12 && **count * 5 < all)
        .map(|(size, _)| *size)
        .collect();
    headings.sort_unstable_by(|a, b| b.cmp(a));
    headings.truncate(6);
    Sizes { body: body as f32 / 2.0, headings }
}

impl Sizes {
    fn level(&self, line: &Line, text: &str) -> Option<u8> {
        let rank = self.headings.iter().position(|size| *size == rounded(line.size))?;
        let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
        let words = letters >= 3 && text.chars().count() <= MOST_HEADING_CHARS && letters * 2 > text.chars().count();
        (words && line.cells.len() < 3).then_some(rank as u8 + 1)
    }
}

/// First and last index of rows whose cells stand below each other.
fn tables(lines: &[Line]) -> Vec<(usize, usize)> {
    let below = |above: &Line, row: &Line| {
        let near = |place: &f32| above.cells.iter().any(|other| (other - place).abs() < 0.6 * row.size.max(4.0));
        above.cells.len() >= 2 && row.cells.len() >= 2 && row.cells.iter().filter(|place| near(place)).count() >= 2
    };
    let mut tables = Vec::new();
    let mut first = 0;
    for index in 1..=lines.len() {
        if index < lines.len() && below(&lines[index - 1], &lines[index]) {
            continue;
        }
        if index - first >= 3 {
            tables.push((first, index - 1));
        }
        first = index;
    }
    tables
}
