//! What the person can do with the page "Agents".

use std::path::PathBuf;

use rspa_core::model::{AgentDraft, AgentId, AgentStatus, Permission};

use crate::state::pages::agents::Editing;

#[derive(Clone, Debug, PartialEq)]
pub enum AgentsCommand {
    /// Reads it all again.
    Refresh,
    Select(Option<AgentId>),
    /// Opens the form.
    Edit(Editing),
    CloseForm,
    Create(Box<AgentDraft>),
    Update {
        id: AgentId,
        draft: Box<AgentDraft>,
    },
    SetStatus {
        id: AgentId,
        status: AgentStatus,
    },
    Duplicate(AgentId),
    Delete(AgentId),
    /// Writes it into this folder.
    Export {
        id: AgentId,
        folder: PathBuf,
    },
    Import(PathBuf),
    /// None removes it.
    PutDatum {
        id: AgentId,
        key: String,
        value: Option<serde_json::Value>,
    },
    /// How many days the figures show.
    ShowDays(u32),
    /// What the profile says of a tool.
    SetPolicy {
        tool: String,
        permission: Option<Permission>,
    },
    /// A folder was picked for the form.
    FolderPicked(PathBuf),
    AddSample,
    RemoveSample,
}
