//! Agents: what one is, what it may do, what it is made from, and how it is doing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{AgentId, ModelId, Permission, Timestamp};

/// Only an active agent takes new tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    Active,
    Inactive,
    Training,
    Error,
    Paused,
}

/// What an agent is and may do, as the person writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentDraft {
    /// Unique in its profile, whatever the case.
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// The id of its type, such as `analytical`.
    pub kind: String,
    /// Where its model runs; `embedded` is in this program.
    pub provider: String,
    /// None takes the default chat model.
    #[serde(default)]
    pub model: Option<ModelId>,
    /// 0.0 to 2.0.
    pub temperature: f64,
    /// Of one answer of the model.
    pub max_tokens: u32,
    #[serde(default)]
    pub system_prompt: String,
    #[serde(default)]
    pub tags: Vec<String>,
    /// The name of an icon; empty takes that of the type.
    #[serde(default)]
    pub avatar: String,
    /// By name of the tool; a tool that is not named is denied.
    #[serde(default)]
    pub tools: BTreeMap<String, ToolRule>,
    /// Folders that its tools may use; no other file is ever touched.
    #[serde(default)]
    pub folders: Vec<AllowedFolder>,
    #[serde(default)]
    pub budget: Budget,
    #[serde(default)]
    pub memory: AgentMemory,
    /// The response cache may answer in place of its model.
    #[serde(default = "yes")]
    pub cache: bool,
}

fn yes() -> bool {
    true
}

/// How an agent may use a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolRule {
    pub permission: Permission,
    /// As the tool describes them, such as hosts or limits.
    #[serde(default)]
    pub settings: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedFolder {
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    pub write: bool,
}

/// What one run may use; the first that is used up ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Model calls.
    pub steps: u32,
    /// Written by the model in all.
    pub tokens: u32,
    pub seconds: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: 12, tokens: 8_192, seconds: 900 }
    }
}

/// What it keeps between runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentMemory {
    /// It may read and write its own data store.
    pub store: bool,
    /// Outcomes of so many of its last tasks stand in its prompt.
    pub last_tasks: u32,
}

impl Default for AgentMemory {
    fn default() -> Self {
        Self { store: true, last_tasks: 0 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    pub status: AgentStatus,
    /// Why it has its status, where there is more to say.
    pub status_detail: String,
    pub settings: AgentDraft,
    pub completed: u64,
    pub failed: u64,
    /// Time that its runs took, in all.
    pub worked_ms: u64,
    pub last_active: Option<Timestamp>,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// Made by "sample data".
    pub sample: bool,
}

impl Agent {
    /// Completed of completed and failed, 0 to 1; none before the first.
    pub fn success_rate(&self) -> Option<f64> {
        let all = self.completed + self.failed;
        (all > 0).then(|| self.completed as f64 / all as f64)
    }
}

/// All that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentFilter {
    /// In name, description or tags, whatever the case; empty means all.
    pub text: String,
    pub status: Option<AgentStatus>,
    pub kind: Option<String>,
    pub tag: Option<String>,
    pub sort: AgentSort,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentSort {
    #[default]
    Name,
    /// The latest first.
    LastActive,
    /// The most first.
    Completed,
    SuccessRate,
    /// The newest first.
    Created,
}

/// What an agent can be made from: built in, or a folder with a definition that the person put there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentType {
    /// Letters, digits and hyphens.
    pub id: String,
    pub name: String,
    pub description: String,
    /// The name of an icon.
    pub icon: String,
    pub origin: TypeOrigin,
    /// What a new agent of this type begins with; its name is a suggestion.
    pub defaults: AgentDraft,
    /// Tool calls that are made before the model begins, with `{variables}` of the task's input.
    pub routine: Vec<RoutineCall>,
    /// False when the routine is all: no model is asked.
    pub uses_model: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeOrigin {
    BuiltIn,
    /// Its folder.
    Folder(#[serde(with = "crate::model::exact_path")] PathBuf),
}

/// One call of a type's routine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoutineCall {
    pub tool: String,
    #[serde(default)]
    pub arguments: serde_json::Value,
}

/// All types, and the folders that should be one and are not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentTypeList {
    pub types: Vec<AgentType>,
    pub problems: Vec<TypeProblem>,
    /// Where a folder with a definition is dropped in.
    #[serde(with = "crate::model::exact_path")]
    pub folder: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeProblem {
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    /// With line and column, where there is one.
    pub why: String,
}

/// How an agent did, day by day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentMetrics {
    /// Oldest first, the last is today.
    pub days: Vec<AgentDay>,
    /// Share of the time in the window in which it was active, 0 to 1.
    pub uptime: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentDay {
    /// When the day begins, local time.
    pub at: Timestamp,
    pub completed: u32,
    pub failed: u32,
    pub worked_ms: u64,
    pub tokens: u64,
}

/// One entry of an agent's own data store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentDatum {
    pub key: String,
    pub value: serde_json::Value,
    pub updated: Timestamp,
}
