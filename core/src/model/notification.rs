//! What the person was told, kept until they clear it.

use serde::{Deserialize, Serialize};

use super::{AgentId, ApprovalId, NotificationId, TaskId, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    Done,
    Failed,
    /// Something waits for the person.
    NeedsYou,
    Info,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    pub id: NotificationId,
    pub at: Timestamp,
    pub kind: NotificationKind,
    pub title: String,
    pub detail: String,
    pub read: bool,
    /// What it leads to.
    pub task: Option<TaskId>,
    pub agent: Option<AgentId>,
    pub approval: Option<ApprovalId>,
}
