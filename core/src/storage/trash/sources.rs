//! Sources in the trash: path and options are kept here; what was read of their files goes and is read again.

use super::{Deletion, StoredTrash, Trashable, put};
use crate::model::{ProfileId, SourceId, TrashItem, TrashKind};
use crate::storage::{Db, StorageError, WriteTxn, decode, knowledge};

pub(super) struct Sources;

impl Trashable for Sources {
    fn restore(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        knowledge::put_source_back(txn, profile, SourceId(row.thing), &row.kept)
    }

    fn erase(&self, _txn: &WriteTxn<'_>, _profile: ProfileId, _row: &StoredTrash) -> Result<(), StorageError> {
        // Its passages were cleared away when it was removed; nothing else is left.
        Ok(())
    }

    fn is_trashed(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<bool, StorageError> {
        Ok(!knowledge::has_source(txn, profile, SourceId(row.thing))?)
    }
}

/// Whether a source lies in the trash of a profile.
pub fn holds_source(main: &Db, profile: ProfileId, id: SourceId) -> Result<bool, StorageError> {
    let table = main.read()?.table(super::TRASH)?;
    let owner = profile.0.as_u128();
    for row in table.range((owner, 0)..=(owner, u128::MAX))? {
        let stored: StoredTrash = decode(row?.1.value())?;
        if stored.kind == TrashKind::Source && stored.thing == id.0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts a source into the trash.
///
/// # Errors
/// It does not exist in this profile.
pub fn source(main: &Db, profile: ProfileId, id: SourceId, deletion: Deletion) -> Result<TrashItem, StorageError> {
    main.write(move |txn| {
        let (source, kept) = knowledge::take_source(txn, profile, id)?;
        let stored = StoredTrash {
            kind: TrashKind::Source,
            thing: id.0,
            title: source.name,
            detail: source.path.display().to_string(),
            deleted: deletion.at.0,
            kept,
        };
        put(txn, profile, deletion, &stored)
    })
}
