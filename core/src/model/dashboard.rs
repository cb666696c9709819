//! The figures of the dashboard over agents, tasks and schedules.

use serde::{Deserialize, Serialize};

use super::{Approval, Schedule, Task, TaskCounts, Timestamp};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dashboard {
    pub at: Timestamp,
    pub agents: u64,
    pub agents_active: u64,
    pub tasks: TaskCounts,
    /// Completed of completed and failed in the window, 0 to 1; none when there was none.
    pub success_rate: Option<f64>,
    /// The same of the window before.
    pub success_rate_before: Option<f64>,
    /// In the window.
    pub execution_hours: f64,
    pub execution_hours_before: f64,
    /// Tasks completed in the window and in the one before.
    pub completed: u64,
    pub completed_before: u64,
    /// Seconds that chat models worked in the window and in the one before.
    pub model_s: f64,
    pub model_s_before: f64,
    pub activities_24h: u64,
    /// The window, oldest first, the last is now.
    pub trend: Vec<TrendPoint>,
    /// Running, then what comes next: in order of the queue.
    pub running: Vec<Task>,
    pub next: Vec<Task>,
    /// Lately ended, newest first.
    pub ended: Vec<Task>,
    pub schedules: Vec<Schedule>,
    pub approvals: Vec<Approval>,
    /// Failed ones that nobody has looked at, and those that wait for a word.
    pub needs_you: Vec<Task>,
    /// What could not be read, one sentence each: its figures are missing above.
    pub problems: Vec<String>,
}

/// One day, or one hour where the window is a day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrendPoint {
    pub at: Timestamp,
    pub created: u32,
    pub completed: u32,
    pub failed: u32,
    pub execution_s: f64,
    pub model_s: f64,
    pub activities: u32,
}
