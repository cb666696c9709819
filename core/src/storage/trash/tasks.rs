//! Tasks in the trash: their rows stay where they are, out of every list.

use super::{Deletion, StoredTrash, Trashable, put};
use crate::model::{ProfileId, TaskId, TaskStatus, TrashItem, TrashKind};
use crate::storage::tasks::{self, Change};
use crate::storage::{Db, StorageError, WriteTxn, runs};

pub(super) struct Tasks;

impl Trashable for Tasks {
    fn restore(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        tasks::show(txn, profile, TaskId(row.thing))
    }

    fn erase(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        runs::remove_task(txn, profile, TaskId(row.thing))?;
        tasks::erase(txn, profile, TaskId(row.thing))
    }

    fn is_trashed(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<bool, StorageError> {
        tasks::is_hidden(txn, profile, TaskId(row.thing))
    }
}

/// Puts tasks into the trash, all of them or none.
///
/// # Errors
/// One runs, or does not exist in this profile.
pub fn tasks(
    main: &Db,
    profile: ProfileId,
    deletions: Vec<(TaskId, Deletion)>,
) -> Result<Vec<TrashItem>, StorageError> {
    main.write(move |txn| {
        let mut items = Vec::with_capacity(deletions.len());
        for (id, deletion) in &deletions {
            let task = tasks::hide(txn, Change { profile, now: deletion.at }, *id)?;
            let state = match task.status {
                TaskStatus::Pending => "not begun",
                TaskStatus::Running => "begun",
                TaskStatus::Completed => "completed",
                TaskStatus::Failed => "failed",
                TaskStatus::Cancelled => "cancelled",
            };
            let stored = StoredTrash {
                kind: TrashKind::Task,
                thing: id.0,
                title: task.title,
                detail: format!("#{}, {state}", task.number),
                deleted: deletion.at.0,
                kept: Vec::new(),
            };
            items.push(put(txn, profile, *deletion, &stored)?);
        }
        Ok(items)
    })
}
