//! Crews: agents that work on one thing together, step by step along a graph; runs of them, with a checkpoint after each step.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{AgentId, CrewId, CrewRunId, TaskId, TaskOutput, Timestamp};
use crate::api::ApiError;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrewProcess {
    /// Steps along the graph: each output becomes context of those that follow from it; what does not depend on each
    /// other runs at the same time.
    #[default]
    Sequential,
    /// A manager, made automatically where none is named, delegates to the members, collects what they did, and decides.
    Hierarchical,
}

/// A crew as the person writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CrewDraft {
    /// Unique in its profile, whatever the case.
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub process: CrewProcess,
    /// Of a sequential crew: at least one, without cycles.
    #[serde(default)]
    pub steps: Vec<CrewStep>,
    /// Of a hierarchical crew: at least one.
    #[serde(default)]
    pub members: Vec<AgentId>,
    /// Of a hierarchical crew: none makes one.
    #[serde(default)]
    pub manager: Option<AgentId>,
    /// Names of what a run must be given, used as `{name}` in titles and instructions; `input` is always there.
    #[serde(default)]
    pub variables: Vec<String>,
}

/// One step of a crew's graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrewStep {
    /// Small letters, digits and hyphens; unique in the crew.
    pub key: String,
    pub title: String,
    /// What is to be done; `{variables}` stand for what the run was given.
    pub instructions: String,
    /// None when its agent was deleted: it must be named before the crew can run.
    pub agent: Option<AgentId>,
    /// Keys of steps whose outputs it gets.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// Where it stands in the drawn graph, in points; none is laid out.
    #[serde(default)]
    pub at: Option<(f32, f32)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crew {
    pub id: CrewId,
    pub settings: CrewDraft,
    /// Runs so far, and those that completed.
    pub runs: u64,
    pub completed: u64,
    pub last_run: Option<Timestamp>,
    pub created: Timestamp,
    pub updated: Timestamp,
}

/// A ready-made crew; making one makes its agents too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrewTemplate {
    /// Such as `code-review`.
    pub id: String,
    pub name: String,
    pub description: String,
    /// The name of an icon.
    pub icon: String,
    pub process: CrewProcess,
    pub variables: Vec<String>,
    pub steps: Vec<TemplateStep>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateStep {
    pub key: String,
    pub title: String,
    pub instructions: String,
    pub depends_on: Vec<String>,
    /// Of the agent that is made for it: its name after that of the crew, its type, its prompt, its tools.
    pub role: String,
    pub agent_type: String,
    pub system_prompt: String,
    pub tools: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrewRunState {
    #[default]
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl CrewRunState {
    pub fn is_final(self) -> bool {
        self != Self::Running
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// For the steps before it.
    #[default]
    Waiting,
    /// Its task is queued or runs.
    Running,
    /// Its task waits for the person.
    NeedsYou,
    Completed,
    Failed,
    Cancelled,
    /// Taken over from the run that is replayed.
    Recorded,
    /// The person wrote its output for this replay.
    Edited,
}

impl StepState {
    /// Its output is there for those that follow.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Completed | Self::Recorded | Self::Edited)
    }
}

/// One run of a crew, as it was when the run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrewRun {
    pub id: CrewRunId,
    /// Rises by one in each profile; for people.
    pub number: u64,
    pub crew: CrewId,
    pub crew_name: String,
    pub process: CrewProcess,
    pub state: CrewRunState,
    /// What it works on.
    pub input: String,
    pub variables: BTreeMap<String, String>,
    /// A folder that all of its agents may read in this run.
    #[serde(with = "crate::model::exact_path::option")]
    pub folder: Option<PathBuf>,
    /// In an order in which each stands after those it depends on.
    pub steps: Vec<CrewRunStep>,
    /// The run that this one replays.
    pub replay_of: Option<CrewRunId>,
    /// Only embedded models, and no tool that reaches the network.
    pub offline: bool,
    /// Of the last steps, once it is completed.
    pub output: Option<String>,
    pub error: Option<ApiError>,
    pub created: Timestamp,
    pub ended: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrewRunStep {
    pub key: String,
    pub title: String,
    pub instructions: String,
    pub agent: Option<AgentId>,
    pub agent_name: String,
    pub depends_on: Vec<String>,
    pub at: Option<(f32, f32)>,
    pub state: StepState,
    /// Made when the step begins.
    pub task: Option<TaskId>,
    pub output: Option<TaskOutput>,
    pub error: Option<ApiError>,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
}

/// What a run is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CrewRunDraft {
    pub input: String,
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default, with = "crate::model::exact_path::option")]
    pub folder: Option<PathBuf>,
    #[serde(default)]
    pub offline: bool,
}

/// A run once more: what does not follow from an edited step is taken over, the rest runs again without a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayDraft {
    pub run: CrewRunId,
    /// New outputs by step key.
    pub edited: BTreeMap<String, String>,
}
