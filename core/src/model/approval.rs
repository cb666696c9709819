//! Approvals as data: what an agent wants to do, exactly, and what the person said to it.

use serde::{Deserialize, Serialize};

use super::{AgentId, ApprovalId, ApprovalRuleId, ProposedAction, RunId, TaskId, Timestamp};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    pub id: ApprovalId,
    pub at: Timestamp,
    pub agent: AgentId,
    pub agent_name: String,
    pub task: Option<TaskId>,
    pub task_title: String,
    pub run: RunId,
    pub tool: String,
    /// For people, short: "Write report.md".
    pub title: String,
    pub action: ProposedAction,
    /// What "always here" would cover, in words: "writes in ~/work/q4"; none when there is no such choice.
    pub always: Option<String>,
    /// Parts of the conversation that come from documents, pages or commands and may have led to this, in words.
    pub influenced_by: Vec<String>,
    pub state: ApprovalState,
    pub answered: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ApprovalState {
    Waiting,
    Allowed,
    AllowedAlways,
    Denied {
        /// Told to the model; may be empty.
        reason: String,
    },
    /// The person answered a question of the agent.
    Replied {
        text: String,
    },
    /// Nobody needs an answer any more: the task was cancelled or ended.
    Withdrawn,
}

/// What the person says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum ApprovalAnswer {
    Once,
    /// Also from now on, for what `always` says.
    Always,
    Deny {
        reason: String,
    },
    /// To a question.
    Reply {
        text: String,
    },
}

/// What the person allowed once for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRule {
    pub id: ApprovalRuleId,
    pub agent: AgentId,
    pub agent_name: String,
    pub tool: String,
    /// What it covers, such as a folder, a host, a command; compared exactly.
    pub scope: String,
    /// The same in words.
    pub words: String,
    pub created: Timestamp,
}
