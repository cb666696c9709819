//! Crews in the trash: their rows stay where they are, out of every list; their names are free for others.

use super::{Deletion, StoredTrash, Trashable, put};
use crate::model::{CrewId, CrewProcess, ProfileId, TrashItem, TrashKind};
use crate::storage::{Db, StorageError, WriteTxn, crews};

pub(super) struct Crews;

impl Trashable for Crews {
    fn restore(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        crews::show(txn, profile, CrewId(row.thing))
    }

    fn erase(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        crews::erase(txn, profile, CrewId(row.thing))
    }

    fn is_trashed(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<bool, StorageError> {
        crews::is_hidden(txn, profile, CrewId(row.thing))
    }
}

/// Puts a crew into the trash.
///
/// # Errors
/// It does not exist in this profile.
pub fn crew(main: &Db, profile: ProfileId, id: CrewId, deletion: Deletion) -> Result<TrashItem, StorageError> {
    main.write(move |txn| {
        let settings = crews::hide(txn, profile, id)?;
        let (count, thing) = match settings.process {
            CrewProcess::Sequential => (settings.steps.len(), "step"),
            CrewProcess::Hierarchical => (settings.members.len(), "member"),
        };
        let stored = StoredTrash {
            kind: TrashKind::Crew,
            thing: id.0,
            title: settings.name,
            detail: format!("{count} {thing}{}", if count == 1 { "" } else { "s" }),
            deleted: deletion.at.0,
            kept: Vec::new(),
        };
        put(txn, profile, deletion, &stored)
    })
}
