//! What the person can do with the page "Tasks".

use rspa_core::api::request::tasks::UpdateTask;
use rspa_core::model::{BoardColumn, Priority, RunId, TaskDraft, TaskId, Timestamp, TrashId};

use crate::state::pages::tasks::{Editing, TasksChoice};

#[derive(Clone, Debug, PartialEq)]
pub enum TasksCommand {
    /// Reads it all again.
    Refresh,
    /// Another filter, sort or way to show them; kept over restarts.
    Choose(TasksChoice),
    /// Rows of this page of the table are in view and not there.
    NeedRows(u64),
    /// So many cards of each column are in view.
    NeedCards(u32),
    Select(Option<TaskId>),
    /// Into a column and before a task of it; none puts it last.
    Move {
        id: TaskId,
        column: BoardColumn,
        before: Option<TaskId>,
    },
    MoveAll {
        ids: Vec<TaskId>,
        column: BoardColumn,
    },
    SetPriority {
        ids: Vec<TaskId>,
        priority: Priority,
    },
    Cancel(Vec<TaskId>),
    Retry(Vec<TaskId>),
    Delete(Vec<TaskId>),
    /// So many were deleted since then: the way back is offered.
    OfferUndo {
        since: Timestamp,
        count: u64,
    },
    /// Takes a deletion back.
    Restore(Vec<TrashId>),
    /// The person's word on a task that was cut off.
    AllowRepeat {
        id: TaskId,
        repeat: bool,
    },
    PauseQueue(bool),
    /// Opens the form.
    Edit(Editing),
    CloseForm,
    Create(Box<TaskDraft>),
    Update(Box<UpdateChange>),
    /// Looks for tasks that another one can wait for.
    FindOthers(String),
    /// Another attempt is stepped through.
    ChooseRun(RunId),
}

/// What the form changes.
#[derive(Clone, Debug)]
pub struct UpdateChange(pub UpdateTask);

impl PartialEq for UpdateChange {
    fn eq(&self, other: &Self) -> bool {
        serde_json::to_value(&self.0).ok() == serde_json::to_value(&other.0).ok()
    }
}
