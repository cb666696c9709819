//! Servers of tools that speak the Model Context Protocol: how they are reached, how they are doing, what they offer.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{AllowedFolder, McpServerId, Permission, Timestamp};

/// A server as the person sets it up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct McpServerDraft {
    /// Unique in its profile; small letters, digits and underscores: its tools are called `mcp_NAME_TOOL`.
    pub name: String,
    pub transport: McpTransport,
    /// Started when it is first needed.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Of one call.
    #[serde(default = "call_seconds")]
    pub call_seconds: u32,
    /// What agents that are given one of its tools may do with it, unless they say otherwise.
    #[serde(default = "ask")]
    pub default: Permission,
}

fn yes() -> bool {
    true
}

fn call_seconds() -> u32 {
    60
}

fn ask() -> Permission {
    Permission::Ask
}

impl McpServerDraft {
    /// What is started or reached, for questions to the person.
    pub fn words(&self) -> String {
        match &self.transport {
            McpTransport::Stdio { command, args, .. } => {
                format!("{}, the program {command} {}", self.name, args.join(" "))
            }
            McpTransport::Http { url, .. } => format!("{}, {url}", self.name),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "transport", rename_all = "snake_case")]
pub enum McpTransport {
    /// A program that is started here, confined as commands are.
    Stdio {
        command: String,
        #[serde(default)]
        args: Vec<String>,
        #[serde(default)]
        env: BTreeMap<String, McpSecret>,
        /// Where it is started; none is an empty folder of its own.
        #[serde(default, with = "crate::model::exact_path::option")]
        folder: Option<PathBuf>,
        /// What it may see, beside the system's programs and libraries.
        #[serde(default)]
        folders: Vec<AllowedFolder>,
        /// It may reach the network; only where the profile's policy lets everything pass.
        #[serde(default)]
        network: bool,
    },
    /// Streamable HTTP through the egress door.
    Http {
        url: String,
        #[serde(default)]
        headers: BTreeMap<String, McpSecret>,
    },
}

/// A value that may lie in the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum McpSecret {
    Plain(String),
    /// The service of a credential.
    Credential(String),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum McpState {
    #[default]
    Stopped,
    Starting,
    Ready {
        /// What the server calls itself.
        server: String,
        version: String,
        /// Of the protocol.
        protocol: String,
    },
    Failed {
        why: String,
        /// It is not started again before this time.
        until: Option<Timestamp>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct McpServer {
    pub id: McpServerId,
    pub settings: McpServerDraft,
    pub state: McpState,
    pub tools: u32,
    pub resources: u32,
    pub prompts: u32,
    /// How it is confined on this computer, or that it is not; empty for one over HTTP.
    pub confinement: String,
    /// Times it was started again after it ended on its own, since this program was started.
    pub restarts: u32,
    /// The end of what it wrote to standard error; hostile text.
    pub log: String,
}

/// What it offers. Names and descriptions are the server's words: hostile text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct McpOffer {
    pub instructions: String,
    pub tools: Vec<McpTool>,
    pub resources: Vec<McpResource>,
    pub prompts: Vec<McpPrompt>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct McpTool {
    /// As the server calls it.
    pub name: String,
    /// As agents call it: `mcp_SERVER_TOOL`.
    pub tool: String,
    pub title: String,
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: serde_json::Value,
    /// The server says that it changes nothing; not believed where approvals decide.
    pub read_only: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpResource {
    pub uri: String,
    pub name: String,
    pub description: String,
    pub mime: String,
    pub size: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpPrompt {
    pub name: String,
    pub description: String,
    /// Name, description, whether it is required.
    pub arguments: Vec<(String, String, bool)>,
}

/// What a call, a resource or a prompt gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct McpContent {
    pub text: String,
    /// Parts that are no text, in words: "image/png, 12 KB".
    pub other: Vec<String>,
    pub data: Option<serde_json::Value>,
    /// The server says that the call failed; `text` says why.
    pub failed: bool,
}
