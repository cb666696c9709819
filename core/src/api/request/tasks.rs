//! Tasks: made, listed, moved on the board, cancelled, tried again.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{
    AgentId, Board, BoardColumn, Page, PageRequest, Priority, Task, TaskCounts, TaskDetail, TaskDraft, TaskFilter,
    TaskId, TaskSort, Timestamp,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListTasks {
    pub filter: TaskFilter,
    pub sort: TaskSort,
    pub page: PageRequest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetBoard {
    pub filter: TaskFilter,
    /// Tasks of a column that are given, at most.
    pub per_column: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CountTasks {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetTask {
    pub id: TaskId,
}

/// By its number, or the beginning of its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindTask {
    pub name: String,
}

/// All of them or none, in one commit; a task may depend on one before it in the list only by an id that exists.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateTasks {
    pub drafts: Vec<TaskDraft>,
}

/// What is none stays as it is. Only a task that does not run can be changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateTask {
    pub id: Option<TaskId>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub agent: Option<Option<AgentId>>,
    pub priority: Option<Priority>,
    pub input: Option<serde_json::Value>,
    pub labels: Option<Vec<String>>,
    pub depends_on: Option<Vec<TaskId>>,
    pub due: Option<Option<Timestamp>>,
    pub not_before: Option<Option<Timestamp>>,
    pub max_retries: Option<u32>,
    pub time_limit_s: Option<u32>,
}

/// Into a column and before a task of it; none puts it last. Backlog and queue hold back or let go, done completes the
/// person's own or cancels, from done to the queue begins anew; what cannot be is refused in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MoveTask {
    pub id: TaskId,
    pub column: BoardColumn,
    pub before: Option<TaskId>,
}

/// The number of those that were cancelled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CancelTasks {
    pub ids: Vec<TaskId>,
}

/// Failed and cancelled ones are queued again, with no tries used; the number of those.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RetryTasks {
    pub ids: Vec<TaskId>,
}

/// The person's word on a task that was cut off: what it did before may be done again, or it counts as failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AllowRepeat {
    pub id: TaskId,
    pub repeat: bool,
}

/// Those that have ended or were not begun, into the trash; the number of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteTasks {
    pub ids: Vec<TaskId>,
}

/// Answers when it has ended; what waits for the person goes on waiting.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WaitForTask {
    pub id: TaskId,
}

/// A paused queue takes nothing new.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PauseQueue {
    pub paused: bool,
}

/// Lets the queue run in this process, as a window does from its start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunQueue {}

family!(Tasks, TasksRequest, TasksResponse {
    ListTasks => Page<Task>,
    GetBoard => Board,
    CountTasks => TaskCounts,
    GetTask => TaskDetail,
    FindTask => Task,
    CreateTasks => Vec<Task>,
    UpdateTask => Task,
    MoveTask => Task,
    CancelTasks => u64,
    RetryTasks => u64,
    AllowRepeat => Task,
    DeleteTasks => u64,
    WaitForTask => Task,
    PauseQueue => TaskCounts,
    RunQueue => TaskCounts,
});

impl TasksRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::AllowRepeat(allow) if allow.repeat => Guard::person(
                "A task that was cut off is run again: what it did outside of the program may happen twice.",
            ),
            _ => Guard::Open,
        }
    }
}
