//! Schedules in the trash: their rows stay where they are, out of every list and never due.

use super::{Deletion, StoredTrash, Trashable, put};
use crate::model::{ProfileId, ScheduleId, TrashItem, TrashKind};
use crate::storage::{Db, StorageError, WriteTxn, schedules};

pub(super) struct Schedules;

impl Trashable for Schedules {
    fn restore(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        schedules::show(txn, profile, ScheduleId(row.thing))
    }

    fn erase(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        schedules::erase(txn, profile, ScheduleId(row.thing))
    }

    fn is_trashed(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<bool, StorageError> {
        schedules::is_hidden(txn, profile, ScheduleId(row.thing))
    }
}

/// Puts a schedule into the trash.
///
/// # Errors
/// It does not exist in this profile.
pub fn schedule(
    main: &Db,
    profile: ProfileId,
    id: ScheduleId,
    words: &str,
    deletion: Deletion,
) -> Result<TrashItem, StorageError> {
    let words = words.to_owned();
    main.write(move |txn| {
        let settings = schedules::hide(txn, profile, id)?;
        let stored = StoredTrash {
            kind: TrashKind::Schedule,
            thing: id.0,
            title: settings.name,
            detail: words.clone(),
            deleted: deletion.at.0,
            kept: Vec::new(),
        };
        put(txn, profile, deletion, &stored)
    })
}
