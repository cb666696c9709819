//! The tool that filters, groups and sorts a table.

use serde_json::Value;

use super::data::query::{self, Query};
use super::{Proposal, Scope, Tool, ToolSpec, args, data, folders, schema};
use crate::api::ApiError;
use crate::model::{Permission, ProposedAction, ToolEffect, ToolOutput};

pub struct TableQuery;

impl Tool for TableQuery {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "table_query".into(),
            title: "Query a table".into(),
            description: "Filters, groups, aggregates and sorts a CSV, TSV or JSON table. A group's aggregate is \
                          called such as sum(amount) in `sort`."
                .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(&query::fields(), &[]),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let query: Query = args::parse(arguments)?;
        query.check()?;
        look("Query", query.file.as_deref(), scope)
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let query: Query = args::parse(arguments)?;
        let answer = query.run(scope)?;
        Ok(ToolOutput { text: answer.text(), data: Some(answer.json()), ..ToolOutput::default() })
    }
}

/// What every tool on a table proposes.
pub fn look(verb: &str, file: Option<&str>, scope: &Scope) -> Result<Proposal, ApiError> {
    let (title, what) = match file {
        Some(file) => {
            let place = folders::find(scope, file)?;
            (format!("{verb} {}", place.name()), place.path().display().to_string())
        }
        None => (format!("{verb} a table"), "data that is given in the call".to_owned()),
    };
    Ok(Proposal { title, action: ProposedAction::Look { what }, always: None, harmless: true })
}

/// The fields of a table's source, with those of a tool.
pub fn with_source(own: Vec<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    let mut fields = data::source_fields();
    fields.extend(own);
    fields
}
