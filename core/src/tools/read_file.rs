//! The tool that reads a file: text by lines, PDF and DOCX as their readable text.

use std::path::Path;
use std::sync::Arc;

use rspa_ml::Cancel;
use serde::Deserialize;
use serde_json::{Value, json};

use super::folders::Place;
use super::output::{MOST_BYTES, bounded_to};
use super::{Proposal, Scope, Tool, ToolSpec, args, folders, schema};
use crate::api::{ApiError, ErrorCategory};
use crate::knowledge::readers::{self, Extracted, Format, Limits, ReadError};
use crate::model::{Permission, ProposedAction, ToolEffect, ToolOutput};

/// Larger files are not read, in bytes.
const LARGEST: u64 = 32 << 20;
/// Of text and code more than this may be read in parts.
const MOST_LINES: u32 = 2_000;

pub struct ReadFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    #[serde(default)]
    first_line: Option<u32>,
    #[serde(default)]
    last_line: Option<u32>,
}

impl Tool for ReadFile {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_file".into(),
            title: "Read a file".into(),
            description: "Reads a text, code, PDF or DOCX file in an allowed folder, with line numbers. Long \
                          files are read in parts: name the lines."
                .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("path", schema::path("File")),
                    ("first_line", schema::integer(1, 10_000_000, "From 1.")),
                    ("last_line", schema::integer(1, 10_000_000, "Inclusive.")),
                ],
                &["path"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = args::parse(arguments)?;
        let place = folders::find(scope, &given.path)?;
        Ok(Proposal {
            title: format!("Read {}", place.name()),
            action: ProposedAction::Look { what: place.path().display().to_string() },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = args::parse(arguments)?;
        let place = folders::find(scope, &given.path)?;
        let read = extract(&place, LARGEST)?;
        let total = read.lines.count();
        let first = given.first_line.unwrap_or(1).max(1);
        if total > 0 && first > total {
            return Err(args::wrong(format!("{} has {total} lines; line {first} is beyond its end", place.shown())));
        }
        let wanted = given.last_line.unwrap_or(u32::MAX).min(total).min(first.saturating_add(MOST_LINES - 1));
        let (mut text, mut last) = (String::new(), first.saturating_sub(1));
        for number in first..=wanted {
            let line = read.lines.line(number);
            // One endless line must not hide that it was cut.
            let line = bounded_to(line, MOST_BYTES / 2);
            let numbered = format!("{number}: {line}\n");
            if !text.is_empty() && text.len() + numbered.len() > MOST_BYTES - 400 {
                break;
            }
            text.push_str(&numbered);
            last = number;
        }
        let mut head = match total {
            0 => format!("{} is empty.", place.shown()),
            _ => format!("{}, lines {first} to {last} of {total}:", place.shown()),
        };
        if let Some(note) = &read.note {
            head.push_str(&format!(" ({note})"));
        }
        let rest = match last < given.last_line.unwrap_or(total).min(total) {
            true => format!("[goes on: read from line {}]", last + 1),
            false => String::new(),
        };
        Ok(ToolOutput {
            text: format!("{head}\n{text}{rest}").trim_end().to_owned(),
            data: Some(
                json!({"path": place.path().display().to_string(), "first_line": first, "last_line": last, "lines": total}),
            ),
            ..ToolOutput::default()
        })
    }
}

/// The readable text of a file, by the reader of its format.
pub fn extract(place: &Place, largest: u64) -> Result<Extracted, ApiError> {
    let bytes = place.read(largest)?;
    let format = match readers::format_of(Path::new(place.path())) {
        // As it is written, so that a part of it can be replaced.
        None | Some(Format::Html | Format::Csv | Format::Email | Format::Mbox) => Format::Unknown,
        Some(format) => format,
    };
    let limits = Limits { file_bytes: largest, ..Limits::default() };
    readers::extract(format, Arc::new(bytes), &limits, &Cancel::new()).map_err(|error| unreadable(place, &error))
}

fn unreadable(place: &Place, error: &ReadError) -> ApiError {
    ApiError::new(
        ErrorCategory::Processing,
        format!("{} cannot be read. {error}", place.shown()),
        "Use another file, or another form of it.",
    )
}
