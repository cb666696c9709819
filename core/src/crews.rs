//! Crews: agents that work on one thing together along a graph. Each step of a run is a task of the durable queue, so its
//! tries, approvals, cancellation and recovery are those of tasks; the run itself is stored after each step.

mod advance;
mod delegate;
pub mod fill;
pub mod graph;
mod portable;
mod service;
pub mod templates;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::api::ApiError;
use crate::model::{Agent, AgentDraft, AgentType, CrewRunId, TaskOutput};

pub use delegate::is_plan;
pub use service::{Crews, Parts};

/// The agents, as crews use them.
pub trait KnowsAgents: Send + Sync {
    /// All that are not in the trash, by name.
    fn all(&self) -> Result<Vec<Agent>, ApiError>;

    /// # Errors
    /// It cannot be made so.
    fn make(&self, draft: AgentDraft) -> Result<Agent, ApiError>;

    fn kind(&self, id: &str) -> Option<AgentType>;

    /// Whether agents may be given this folder.
    ///
    /// # Errors
    /// Why not, in words.
    fn check_folder(&self, folder: &Path) -> Result<(), ApiError>;
}

/// What the agent of a step gets beside its task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepWork {
    /// Only embedded models, and no tool that reaches the network.
    pub offline: bool,
    /// May be read in this run.
    pub folder: Option<PathBuf>,
    /// What the run works on, where the instructions do not say it.
    pub input: Option<String>,
    /// Title and output of the steps that it depends on.
    pub before: Vec<(String, TaskOutput)>,
    /// JSON Schema that its answer must hold to.
    pub answer: Option<Value>,
}

/// What the input of a step's task says: where it belongs, and nothing that would give it any right.
pub fn mark(run: CrewRunId, step: &str) -> Value {
    json!({ "crew": { "run": run, "step": step } })
}

/// The run and the step that the input of a task names.
pub fn marked(input: &Value) -> Option<(CrewRunId, &str)> {
    let crew = input.get("crew")?;
    let run = serde_json::from_value(crew.get("run")?.clone()).ok()?;
    Some((run, crew.get("step")?.as_str()?))
}
