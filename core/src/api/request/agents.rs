//! Agents: made, changed, listed, exported; their types, tools, figures and data.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{
    Agent, AgentDatum, AgentDraft, AgentFilter, AgentId, AgentMetrics, AgentStatus, AgentTypeList, Permission,
    ToolEffect, ToolInfo, TrashItem,
};
use crate::tools;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListAgents {
    pub filter: AgentFilter,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetAgent {
    pub id: AgentId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateAgent {
    pub draft: AgentDraft,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateAgent {
    pub id: AgentId,
    pub draft: AgentDraft,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetAgentStatus {
    pub id: AgentId,
    pub status: AgentStatus,
}

/// The copy is inactive and has a name of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DuplicateAgent {
    pub id: AgentId,
}

/// Into the trash. Its running task is cancelled, its waiting ones wait for another agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteAgent {
    pub id: AgentId,
}

/// The text of a file that [`ImportAgent`] reads: TOML, without secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportAgent {
    pub id: AgentId,
}

/// TOML, YAML or JSON. What the file would allow is asked again: tools come in as `ask` at most, folders are left out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportAgent {
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListAgentTypes {}

/// All tools that there are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListTools {}

/// What this profile says of a tool; none leaves it to the agents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetToolPolicy {
    pub tool: String,
    pub permission: Option<Permission>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetAgentMetrics {
    pub id: AgentId,
    pub days: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListAgentData {
    pub id: AgentId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PutAgentDatum {
    pub id: AgentId,
    pub key: String,
    /// None removes it.
    pub value: Option<Value>,
}

/// One agent of each type, tasks in each state, schedules and activities, all marked as samples.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddSampleData {}

/// Removes what [`AddSampleData`] made and nothing else; the number of things.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemoveSampleData {}

family!(Agents, AgentsRequest, AgentsResponse {
    ListAgents => Vec<Agent>,
    GetAgent => Agent,
    CreateAgent => Agent,
    UpdateAgent => Agent,
    SetAgentStatus => Agent,
    DuplicateAgent => Agent,
    DeleteAgent => TrashItem,
    ExportAgent => String,
    ImportAgent => Agent,
    ListAgentTypes => AgentTypeList,
    ListTools => Vec<ToolInfo>,
    SetToolPolicy => Vec<ToolInfo>,
    GetAgentMetrics => AgentMetrics,
    ListAgentData => Vec<AgentDatum>,
    PutAgentDatum => Vec<AgentDatum>,
    AddSampleData => u64,
    RemoveSampleData => u64,
});

impl AgentsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListAgents(_)
            | Self::GetAgent(_)
            | Self::SetAgentStatus(_)
            | Self::DuplicateAgent(_)
            | Self::DeleteAgent(_)
            | Self::ExportAgent(_)
            | Self::ImportAgent(_)
            | Self::ListAgentTypes(_)
            | Self::ListTools(_)
            | Self::GetAgentMetrics(_)
            | Self::ListAgentData(_)
            | Self::PutAgentDatum(_)
            | Self::AddSampleData(_)
            | Self::RemoveSampleData(_) => Guard::Open,
            Self::CreateAgent(create) => may(&create.draft, "is made and"),
            Self::UpdateAgent(update) => may(&update.draft, "is changed and"),
            Self::SetToolPolicy(set) if set.permission == Some(Permission::Deny) => Guard::Open,
            Self::SetToolPolicy(set) => Guard::person(match set.permission {
                Some(Permission::Ask) => {
                    format!("Agents of this profile may use the tool {} when you allow it.", set.tool)
                }
                _ => format!("Each agent may use the tool {} as its own settings say.", set.tool),
            }),
        }
    }
}

/// Whoever gives an agent a free hand must be the person.
fn may(draft: &AgentDraft, what: &str) -> Guard {
    // What only looks at what the folders and the index hold already harms nothing.
    let is_grave = |name: &str| tools::find(name).is_none_or(|tool| tool.spec().effect > ToolEffect::Organises);
    let allowed = draft.tools.iter().filter(|(_, rule)| rule.permission == Permission::Allow);
    let free: Vec<&str> = allowed.map(|(name, _)| name.as_str()).filter(|name| is_grave(name)).collect();
    let folders: Vec<String> = draft.folders.iter().map(|folder| folder.path.display().to_string()).collect();
    if free.is_empty() && folders.is_empty() {
        return Guard::Open;
    }
    let mut words = format!("The agent \"{}\" {what}", draft.name);
    if !free.is_empty() {
        words += &format!(" may use without asking: {}", free.join(", "));
    }
    if !folders.is_empty() {
        words += if free.is_empty() { " may use these folders: " } else { "; in these folders: " };
        words += &folders.join(", ");
    }
    Guard::person(words + ".")
}
