//! The tool that reads more of an indexed document, around what a search found.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, text, wrong};
use super::output::{Page, plain};
use super::{Proposal, Scope, Tool, ToolSpec, schema};
use crate::api::ApiError;
use crate::model::{Permission, ProposedAction, ToolEffect, ToolOutput};

const MOST_LINES: u32 = 400;

pub struct ReadPassage;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    first_line: u32,
    last_line: u32,
}

impl Arguments {
    fn check(&self) -> Result<(), ApiError> {
        text("path", &self.path, 1_000)?;
        if !Path::new(self.path.trim()).is_absolute() {
            return Err(wrong("`path` must be the whole path, as search_knowledge gave it"));
        }
        if self.first_line == 0 || self.last_line < self.first_line {
            return Err(wrong("lines count from 1, and `last_line` is not before `first_line`"));
        }
        Ok(())
    }
}

impl Tool for ReadPassage {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_passage".into(),
            title: "Read a passage".into(),
            description: "Reads lines of an indexed document, such as those around a passage that search_knowledge \
                          gave."
                .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("path", schema::text(1_000, "As search_knowledge gave it.")),
                    ("first_line", schema::integer(1, 10_000_000, "From 1.")),
                    ("last_line", schema::integer(1, 10_000_000, "Inclusive; at most 400 lines are given.")),
                ],
                &["path", "first_line", "last_line"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, _scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        given.check()?;
        let path = plain(&given.path);
        Ok(Proposal {
            title: format!("Read lines {} to {}", given.first_line, given.last_line),
            action: ProposedAction::Look { what: format!("{path}, lines {} to {}", given.first_line, given.last_line) },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        given.check()?;
        let last = given.last_line.min(given.first_line.saturating_add(MOST_LINES - 1));
        let document = scope.host.read_document(Path::new(given.path.trim()), given.first_line, last)?;
        let mut page = Page::new();
        let path = plain(&document.path.to_string_lossy());
        let changed = if document.changed { "; the file has changed since it was indexed" } else { "" };
        page.line(&format!("{path} ({} lines{changed})", document.total_lines));
        for (line, number) in document.lines.iter().zip(document.first_line..) {
            page.line(&format!("{number}: {line}"));
        }
        Ok(ToolOutput {
            text: page.finish("lines"),
            data: Some(json!({"path": path, "first_line": document.first_line, "lines": document.lines.len()})),
            ..ToolOutput::default()
        })
    }
}
