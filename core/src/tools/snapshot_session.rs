//! The tool that keeps how the window stands.

use serde::Deserialize;
use serde_json::{Value, json};

use super::args::parse;
use super::output::with_data;
use super::{Proposal, Scope, Tool, ToolSpec, schema};
use crate::api::ApiError;
use crate::model::{Permission, ProposedAction, ToolEffect, ToolOutput};

pub struct SnapshotSession;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {}

impl Tool for SnapshotSession {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "snapshot_session".into(),
            title: "Keep the session".into(),
            description: "Keeps how the window stands now, so that the person can come back to it: page, chat, layout."
                .into(),
            effect: ToolEffect::Organises,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(&[], &[]),
        }
    }

    fn propose(&self, arguments: &Value, _scope: &Scope) -> Result<Proposal, ApiError> {
        let Arguments {} = parse(arguments)?;
        Ok(Proposal {
            title: "Keep the session".to_owned(),
            action: ProposedAction::Look { what: "how the window stands".to_owned() },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, _arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let name = scope.host.snapshot_session()?;
        Ok(with_data(format!("The session was kept as {name:?}."), json!({ "name": name })))
    }
}
