//! The tool that takes parts out of JSON, by a JSON pointer (RFC 6901) or a simple path (a part of RFC 9535).

mod path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{parse, short, text, wrong};
use super::output::{Page, plain};
use super::{Proposal, Scope, Tool, ToolSpec, folders, schema, table_query};
use crate::api::ApiError;
use crate::knowledge::readers::text::decode;
use crate::model::{Permission, ToolEffect, ToolOutput};
use path::Path;

/// Of a file, in bytes.
const LARGEST: u64 = 16 << 20;
const MOST_RESULTS: usize = 200;
const VALUE_CHARS: usize = 1_500;

pub struct JsonQuery;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    data: Option<String>,
    path: String,
}

impl Tool for JsonQuery {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "json_query".into(),
            title: "Query JSON".into(),
            description: "Takes values out of a JSON file. A path such as $.orders[*].total, $..name, $.items[0:3] or \
                          $['a b'][-1], or a pointer such as /orders/0/total."
                .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("file", schema::path("JSON file")),
                    ("data", schema::long_text("Instead of a file: the JSON itself.")),
                    ("path", schema::text(300, "Path or pointer; $ for the whole.")),
                ],
                &["path"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        Path::parse(text("path", &given.path, 300)?).map_err(wrong)?;
        if given.file.is_some() == given.data.is_some() {
            return Err(wrong("give either `file` or `data`"));
        }
        table_query::look("Query", given.file.as_deref(), scope)
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        let path = Path::parse(text("path", &given.path, 300)?).map_err(wrong)?;
        let (name, source) = match (given.file, given.data) {
            (Some(file), None) => {
                let place = folders::find(scope, &file)?;
                let decoded =
                    decode(&place.read(LARGEST)?).map_err(|error| wrong(format!("{}: {error}", place.shown())))?;
                (place.shown(), decoded.text)
            }
            (None, Some(data)) => ("the given data".to_owned(), data),
            _ => return Err(wrong("give either `file` or `data`")),
        };
        let root: Value =
            serde_json::from_str(&source).map_err(|error| wrong(format!("{name} is no JSON: {error}")))?;
        let (found, more) = path.find(&root, MOST_RESULTS);
        if found.is_empty() {
            return Ok(super::output::text(format!("Nothing in {name} is at {}.{}", given.path, outline(&root))));
        }
        let mut page = Page::new();
        page.line(&format!("{}{} values:", found.len(), if more { " or more" } else { "" }));
        for (place, value) in &found {
            page.line(&format!("{}: {}", plain(place), short(&value.to_string(), VALUE_CHARS)));
        }
        let values: Vec<&Value> = found.iter().map(|(_, value)| *value).collect();
        let data = json!({"values": values, "more": more});
        // The whole file as a result of `$` would be recorded with the run.
        let data = (super::args::bytes_of(&data, 120).is_some_and(|bytes| bytes < 1 << 20)).then_some(data);
        Ok(ToolOutput { text: page.finish("values"), data, ..ToolOutput::default() })
    }
}

/// What there is instead.
fn outline(root: &Value) -> String {
    match root {
        Value::Object(fields) => {
            let names: Vec<_> = fields.keys().take(30).map(|name| plain(name)).collect();
            format!(" It is an object with: {}.", names.join(", "))
        }
        Value::Array(items) => format!(" It is an array of {} values.", items.len()),
        _ => " It is a single value.".to_owned(),
    }
}
