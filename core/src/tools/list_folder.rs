//! The tool that lists a folder.

use serde::Deserialize;
use serde_json::{Value, json};

use super::beneath::Kind;
use super::output::{Page, plain};
use super::{Proposal, Scope, Tool, ToolSpec, args, folders, schema};
use crate::api::ApiError;
use crate::knowledge::readers::bytes_in_words;
use crate::model::{Permission, ProposedAction, ToolEffect, ToolOutput};

/// Entries that are given at most.
const MOST: usize = 500;

pub struct ListFolder;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    path: String,
}

impl Tool for ListFolder {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "list_folder".into(),
            title: "List a folder".into(),
            description: "Lists files and folders in an allowed folder, with their sizes.".into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[("path", schema::path("Folder; empty for the first allowed folder"))],
                &["path"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = args::parse(arguments)?;
        let place = folders::find(scope, &given.path)?;
        Ok(Proposal {
            title: format!("List {}", place.shown()),
            action: ProposedAction::Look { what: format!("the names in {}", place.path().display()) },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = args::parse(arguments)?;
        let place = folders::find(scope, &given.path)?;
        let folder = place.open_folder()?;
        let (entries, more) = place.entries()?;
        let (mut page, mut rows) = (Page::new(), Vec::new());
        let mut unnamed = 0_usize;
        page.line(&format!(
            "{} ({} entries{})",
            place.path().display(),
            entries.len(),
            if more { " and more" } else { "" }
        ));
        for entry in &entries {
            if scope.cancel.is_cancelled() {
                return Err(ApiError::cancelled());
            }
            if entry.name.to_str().is_none() {
                unnamed += 1;
            }
            let name = plain(&entry.name.to_string_lossy());
            let size = match entry.kind {
                Kind::File if rows.len() < MOST => {
                    folder.file(&entry.name).and_then(|file| file.metadata()).ok().map(|metadata| metadata.len())
                }
                _ => None,
            };
            if rows.len() < MOST {
                let kind = match entry.kind {
                    Kind::Folder => "folder",
                    Kind::File => "file",
                    Kind::Link => "link",
                    Kind::Other => "other",
                };
                rows.push(json!({"name": name, "kind": kind, "bytes": size}));
            }
            page.line(&match entry.kind {
                Kind::Folder => format!("{name}/"),
                Kind::File => match size {
                    Some(size) => format!("{name} ({})", bytes_in_words(size)),
                    None => name,
                },
                Kind::Link => format!("{name} (a link, not followed)"),
                Kind::Other => format!("{name} (a device, pipe or socket)"),
            });
        }
        let mut text = page.finish("entries");
        if unnamed > 0 {
            text.push_str(&format!("\n[{unnamed} names are no valid text; such files cannot be opened by tools]"));
        }
        Ok(ToolOutput { text, data: Some(json!({ "entries": rows, "total": entries.len() })), ..ToolOutput::default() })
    }
}
