//! Runs: what an agent did at a task, step by step.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{AgentId, Page, PageRequest, Run, RunId, RunStep, TaskId};

/// Newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListRuns {
    pub agent: Option<AgentId>,
    pub task: Option<TaskId>,
    pub page: PageRequest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetRun {
    pub id: RunId,
}

/// In order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetRunSteps {
    pub id: RunId,
    pub page: PageRequest,
}

family!(Runs, RunsRequest, RunsResponse {
    ListRuns => Page<Run>,
    GetRun => Run,
    GetRunSteps => Page<RunStep>,
});

impl RunsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListRuns(_) | Self::GetRun(_) | Self::GetRunSteps(_) => Guard::Open,
        }
    }
}
