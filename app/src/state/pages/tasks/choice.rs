//! What the person chose to see of the tasks; kept over restarts.

use rspa_core::model::{AgentId, Priority, TaskFilter, TaskSort, TaskStatus};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    #[default]
    Board,
    Table,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TasksChoice {
    pub shape: Shape,
    pub text: String,
    pub status: Option<TaskStatus>,
    pub agent: Option<AgentId>,
    pub priority: Option<Priority>,
    pub label: Option<String>,
    pub sort: TaskSort,
}

impl TasksChoice {
    pub fn filter(&self) -> TaskFilter {
        TaskFilter {
            text: self.text.trim().to_owned(),
            status: self.status.into_iter().collect(),
            agent: self.agent,
            priority: self.priority,
            label: self.label.clone(),
            ..TaskFilter::default()
        }
    }

    /// Every task is shown.
    pub fn is_everything(&self) -> bool {
        self.filter() == TaskFilter::default()
    }

    /// As this, with nothing filtered.
    pub fn cleared(&self) -> Self {
        Self { shape: self.shape, sort: self.sort, ..Self::default() }
    }
}
