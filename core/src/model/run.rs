//! What an agent did, recorded step by step, so that it can be stepped through afterwards.

use serde::{Deserialize, Serialize};

use super::{AgentId, ApprovalId, ProposedAction, RunId, TaskId, Timestamp, ToolCall, ToolOutput};
use crate::api::ApiError;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: RunId,
    pub agent: AgentId,
    pub task: Option<TaskId>,
    /// From 1.
    pub attempt: u32,
    pub model: String,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    /// None while it goes on.
    pub outcome: Option<RunOutcome>,
    pub steps: u32,
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
    /// Waiting for the person not counted.
    pub worked_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum RunOutcome {
    Completed,
    Failed {
        error: ApiError,
    },
    Cancelled,
    /// The program ended while it went on.
    CutOff,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStep {
    /// From 0, without gaps.
    pub index: u32,
    pub at: Timestamp,
    pub ms: u64,
    pub kind: StepKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "most steps use tools, and only those of one run are in memory")]
pub enum StepKind {
    /// The model was asked.
    Model {
        /// What it was given, the last part in full, the first parts as recorded before.
        prompt: String,
        /// What it said, as it said it.
        said: String,
        prompt_tokens: u32,
        answer_tokens: u32,
        ttft_ms: f64,
        /// It could only say what parses.
        constrained: bool,
    },
    /// What it plans to do, in words.
    Plan { text: String },
    /// A tool was called, or should have been.
    Tool {
        call: ToolCall,
        action: ProposedAction,
        verdict: Verdict,
        /// None while it runs, and when it never ran.
        output: Option<ToolOutput>,
        error: Option<ApiError>,
    },
    /// Something that the program told the model, or did: a limit was reached, an answer could not be read.
    Note { text: String },
    /// The result.
    Answer { text: String },
}

/// Why a call was or was not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The agent and the profile allow the tool.
    Allowed,
    /// A rule that the person made.
    Rule,
    /// The person was asked.
    Person { approval: ApprovalId, allowed: bool, reason: String },
    /// Agent or profile deny it.
    Denied { why: String },
    /// The call itself is not valid, or outside of what the agent may touch.
    Refused { why: String },
    /// The person has not answered yet.
    Waits { approval: ApprovalId },
}
