//! The tools that keep an agent's own data between runs.

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{bytes_of, parse, refused, text, wrong};
use super::output::{Page, plain, with_data};
use super::{Proposal, Scope, Tool, ToolSpec, schema};
use crate::api::ApiError;
use crate::model::{Permission, ProposedAction, ToolEffect, ToolOutput};

const KEY: usize = 100;
const VALUE_BYTES: usize = 16 << 10;
const MOST_KEYS: usize = 500;

pub struct StoreGet;
pub struct StorePut;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Getting {
    #[serde(default)]
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Putting {
    key: String,
    value: Option<Value>,
}

fn allowed(scope: &Scope) -> Result<(), ApiError> {
    match scope.agent.settings.memory.store {
        true => Ok(()),
        false => Err(refused("this agent keeps no data of its own", "Switch its memory on, on the agent's page.")),
    }
}

impl Tool for StoreGet {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "store_get".into(),
            title: "Look into own data".into(),
            description: "Gives a value that this agent has kept under a key, or without a key the list of its keys."
                .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(&[("key", schema::text(KEY as u32, "Key; empty for the list."))], &[]),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Getting = parse(arguments)?;
        allowed(scope)?;
        if given.key.chars().count() > KEY {
            return Err(wrong(format!("`key` is longer than {KEY} characters")));
        }
        Ok(Proposal {
            title: "Look into its own data".to_owned(),
            action: ProposedAction::Look { what: "what this agent has kept".to_owned() },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Getting = parse(arguments)?;
        allowed(scope)?;
        let data = scope.host.agent_data(scope.agent.id)?;
        let key = given.key.trim();
        if key.is_empty() {
            let mut page = Page::new();
            page.line(&format!("{} keys are kept.", data.len()));
            for datum in &data {
                page.line(&plain(&datum.key));
            }
            let keys: Vec<_> = data.iter().map(|datum| &datum.key).collect();
            return Ok(ToolOutput {
                text: page.finish("keys"),
                data: Some(json!({ "keys": keys })),
                ..ToolOutput::default()
            });
        }
        match data.into_iter().find(|datum| datum.key == key) {
            Some(datum) => {
                let words = match &datum.value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                Ok(with_data(words, json!({"key": datum.key, "value": datum.value})))
            }
            None => Ok(super::output::text(format!("Nothing is kept under {key:?}."))),
        }
    }
}

impl Tool for StorePut {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "store_put".into(),
            title: "Keep own data".into(),
            description: "Keeps a text under a key for later runs of this agent; without a value the key is forgotten."
                .into(),
            effect: ToolEffect::Organises,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("key", schema::text(KEY as u32, "Short name.")),
                    ("value", schema::long_text("Text to keep; up to 16 KB.")),
                ],
                &["key"],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Putting = parse(arguments)?;
        allowed(scope)?;
        let key = text("key", &given.key, KEY)?;
        if given.value.as_ref().is_some_and(|value| bytes_of(value, 16).is_none_or(|bytes| bytes > VALUE_BYTES)) {
            return Err(wrong("`value` is longer than 16 KB; write it to a file"));
        }
        let verb = if given.value.is_some() { "Keep" } else { "Forget" };
        Ok(Proposal {
            title: format!("{verb} {key:?}"),
            action: ProposedAction::Other { tool: "store_put".to_owned(), arguments: arguments.clone() },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Putting = parse(arguments)?;
        allowed(scope)?;
        let key = text("key", &given.key, KEY)?;
        if given.value.is_some() {
            let data = scope.host.agent_data(scope.agent.id)?;
            if data.len() >= MOST_KEYS && data.iter().all(|datum| datum.key != key) {
                return Err(wrong(format!("{MOST_KEYS} keys are kept already; forget some first")));
            }
        }
        let words = if given.value.is_some() { "Kept under" } else { "Forgot" };
        scope.host.put_agent_datum(scope.agent.id, key, given.value)?;
        Ok(super::output::text(format!("{words} {key:?}.")))
    }
}
