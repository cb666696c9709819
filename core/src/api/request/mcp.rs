//! Servers of tools that speak the Model Context Protocol.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{McpContent, McpOffer, McpServer, McpServerDraft, McpServerId};

/// By name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListMcpServers {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddMcpServer {
    pub draft: McpServerDraft,
}

/// It is started anew.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateMcpServer {
    pub id: McpServerId,
    pub draft: McpServerDraft,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoveMcpServer {
    pub id: McpServerId,
}

/// Connects now, and says how that went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StartMcpServer {
    pub id: McpServerId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StopMcpServer {
    pub id: McpServerId,
}

/// Its tools, resources and prompts; starts it if need be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetMcpOffer {
    pub id: McpServerId,
}

/// As the person, who sees what is called.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallMcpTool {
    pub id: McpServerId,
    pub tool: String,
    pub arguments: serde_json::Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadMcpResource {
    pub id: McpServerId,
    pub uri: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetMcpPrompt {
    pub id: McpServerId,
    pub name: String,
    pub arguments: BTreeMap<String, String>,
}

family!(Mcp, McpRequest, McpResponse {
    ListMcpServers => Vec<McpServer>,
    AddMcpServer => McpServer,
    UpdateMcpServer => McpServer,
    RemoveMcpServer => (),
    StartMcpServer => McpServer,
    StopMcpServer => McpServer,
    GetMcpOffer => McpOffer,
    CallMcpTool => McpContent,
    ReadMcpResource => McpContent,
    GetMcpPrompt => McpContent,
});

impl McpRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListMcpServers(_)
            | Self::StartMcpServer(_)
            | Self::StopMcpServer(_)
            | Self::GetMcpOffer(_)
            | Self::ReadMcpResource(_)
            | Self::GetMcpPrompt(_) => Guard::Open,
            Self::AddMcpServer(add) => Guard::person(format!("A server of tools is added: {}.", add.draft.words())),
            Self::UpdateMcpServer(update) => {
                Guard::person(format!("A server of tools is changed: {}.", update.draft.words()))
            }
            Self::RemoveMcpServer(_) => Guard::person("A server of tools is removed."),
            Self::CallMcpTool(call) => {
                Guard::person(format!("The tool \"{}\" is called with {}.", call.tool, call.arguments))
            }
        }
    }
}
