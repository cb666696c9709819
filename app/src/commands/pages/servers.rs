//! What the person can do on the page "Tool servers".

use std::collections::BTreeMap;
use std::path::PathBuf;

use rspa_core::model::{McpServerDraft, McpServerId};

use crate::state::pages::servers::Editing;

#[derive(Clone, Debug, PartialEq)]
pub enum ServersCommand {
    /// Reads it all again.
    Refresh,
    Select(Option<McpServerId>),
    Edit(Editing),
    CloseForm,
    Add(Box<McpServerDraft>),
    Update {
        id: McpServerId,
        draft: Box<McpServerDraft>,
    },
    /// The person was asked.
    Remove(McpServerId),
    Start(McpServerId),
    Stop(McpServerId),
    /// The person saw exactly this.
    Call {
        id: McpServerId,
        tool: String,
        arguments: serde_json::Value,
    },
    Read {
        id: McpServerId,
        uri: String,
    },
    Prompt {
        id: McpServerId,
        name: String,
        arguments: BTreeMap<String, String>,
    },
    /// What came last is not wanted any more.
    CloseResult,
    /// A folder for the form.
    FolderPicked(PathBuf),
}
