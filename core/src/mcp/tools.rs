//! Tools of servers as agents see them: never believed to be harmless, asked about with their exact arguments.

use serde_json::{Value, json};

use super::service::{Servers, is_remote, object};
use super::words::line;
use crate::api::ApiError;
use crate::model::{McpContent, McpServerId, McpTool, Permission, ProposedAction, ToolEffect, ToolOutput};
use crate::storage::mcp::Row;
use crate::tools::{Proposal, RuleScope, Scope, Tool, ToolSpec};

/// Characters of a description that a model reads.
const LONGEST_DESCRIPTION: usize = 1_000;
/// Characters of a result that a model reads.
const LONGEST_RESULT: usize = 64 << 10;

/// One tool of one server.
pub struct ServerTool {
    servers: Servers,
    /// As agents call it.
    name: String,
    /// None when the server was removed.
    server: Option<Server>,
    /// None when the server has it no more.
    tool: Option<McpTool>,
    start: bool,
}

struct Server {
    id: McpServerId,
    name: String,
    remote: bool,
    default: Permission,
}

impl Server {
    fn of(row: &Row) -> Self {
        let settings = &row.settings;
        Self { id: row.id, name: settings.name.clone(), remote: is_remote(row), default: settings.default }
    }
}

impl ServerTool {
    pub fn of(servers: Servers, row: &Row, tool: McpTool, start: bool) -> Self {
        Self { servers, name: tool.tool.clone(), server: Some(Server::of(row)), tool: Some(tool), start }
    }

    /// Of a server that has no tool of this name now.
    pub fn missing(servers: Servers, row: &Row, name: &str) -> Self {
        Self { servers, name: name.to_owned(), server: Some(Server::of(row)), tool: None, start: false }
    }

    /// Of a server that is not there.
    pub fn gone(servers: Servers, name: &str) -> Self {
        Self { servers, name: name.to_owned(), server: None, tool: None, start: false }
    }

    fn both(&self) -> Result<(&Server, &McpTool), ApiError> {
        match (&self.server, &self.tool) {
            (Some(server), Some(tool)) => Ok((server, tool)),
            _ => Err(ApiError::validation(
                self.unavailable().unwrap_or_else(|| "this tool is not there".to_owned()),
                "Take the tool from the agent, or add its server again.",
            )),
        }
    }
}

impl Tool for ServerTool {
    fn spec(&self) -> ToolSpec {
        let server = self.server.as_ref();
        let known = self.tool.as_ref();
        let own = known.map_or(self.name.as_str(), |tool| tool.name.as_str());
        let of = server.map_or("a server that is gone", |server| server.name.as_str());
        let said = known.map(|tool| line(&tool.description, LONGEST_DESCRIPTION)).unwrap_or_default();
        ToolSpec {
            name: self.name.clone().into(),
            title: known.map_or_else(|| self.name.clone(), |tool| format!("{} ({of})", tool.title)).into(),
            description: match said.is_empty() {
                true => format!("The tool {own} of the server {of}."),
                false => format!("Of the server {of}, which says of it: {said}"),
            }
            .into(),
            // What a server says of its tools is not believed.
            effect: match server.is_some_and(|server| server.remote) {
                true => ToolEffect::Network,
                false => ToolEffect::Executes,
            },
            default: server.map_or(Permission::Ask, |server| server.default),
            repeatable: false,
            parameters: known.map_or_else(|| json!({ "type": "object" }), |tool| tool.parameters.clone()),
        }
    }

    fn unavailable(&self) -> Option<String> {
        let Some(server) = &self.server else { return Some("its tool server was removed".to_owned()) };
        let unusable = self.servers.unusable(server.id, self.start);
        let missing =
            || self.tool.is_none().then(|| format!("the tool server \"{}\" does not offer it (any more)", server.name));
        unusable.or_else(missing)
    }

    fn propose(&self, arguments: &Value, _scope: &Scope) -> Result<Proposal, ApiError> {
        let (server, tool) = self.both()?;
        let arguments = Value::Object(object(arguments)?);
        let own = line(&tool.name, 100);
        Ok(Proposal {
            title: format!("Call {own} of the tool server {}", server.name),
            action: ProposedAction::Other { tool: self.name.clone(), arguments },
            always: Some(RuleScope {
                scope: format!("mcp:{}:{}", server.name, tool.name),
                words: format!("calling {own} of the tool server {} with any arguments", server.name),
            }),
            harmless: false,
        })
    }

    fn run(&self, arguments: &Value, proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let (server, tool) = self.both()?;
        if self.propose(arguments, scope)?.action != proposal.action {
            return Err(ApiError::validation(
                "what would be called was changed since it was proposed",
                "Propose it anew.",
            ));
        }
        let given = self.servers.call_and_wait(server.id, &tool.name, arguments, &scope.cancel)?;
        let changed = format!("called {} of the tool server {}", line(&tool.name, 100), server.name);
        Ok(output(given, changed))
    }
}

/// What the model reads: fenced by the loop as what others wrote.
fn output(given: McpContent, changed: String) -> ToolOutput {
    let mut text = String::new();
    if given.failed {
        text.push_str("The server says that the call failed:\n");
    }
    let end = given.text.char_indices().nth(LONGEST_RESULT).map_or(given.text.len(), |(at, _)| at);
    text.push_str(&given.text[..end]);
    if end < given.text.len() {
        text.push_str(&format!("\n[{} bytes more were left out]", given.text.len() - end));
    }
    for part in &given.other {
        text.push_str(&format!("\n[not shown: {part}]"));
    }
    if text.is_empty() {
        text.push_str("The call gave nothing.");
    }
    ToolOutput { text, data: given.data.filter(|_| !given.failed), chart: None, changed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_told_in_words_and_a_failure_is_said() {
        let given = McpContent {
            text: "x".repeat(LONGEST_RESULT + 5),
            other: vec!["image/png, 12 KB".to_owned()],
            data: Some(json!(1)),
            failed: true,
        };
        let output = output(given, "called".to_owned());
        assert!(output.text.starts_with("The server says that the call failed:\nxxx"));
        assert!(output.text.contains("[5 bytes more were left out]"));
        assert!(output.text.ends_with("[not shown: image/png, 12 KB]"));
        assert_eq!((output.data, output.changed.as_str()), (None, "called"));
    }
}
