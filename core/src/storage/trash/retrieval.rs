//! Retrieval tests in the trash: the whole row is kept here.

use super::{Deletion, StoredTrash, Trashable, put};
use crate::model::{ProfileId, RetrievalTestId, TrashItem, TrashKind};
use crate::storage::{Db, StorageError, WriteTxn, retrieval};

pub(super) struct RetrievalTests;

impl Trashable for RetrievalTests {
    fn restore(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        retrieval::put_back(txn, profile, RetrievalTestId(row.thing), &row.kept)
    }

    fn erase(&self, _txn: &WriteTxn<'_>, _profile: ProfileId, _row: &StoredTrash) -> Result<(), StorageError> {
        // Its own store forgot it when it was removed; nothing else is left.
        Ok(())
    }

    fn is_trashed(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<bool, StorageError> {
        Ok(!retrieval::is_there(txn, profile, RetrievalTestId(row.thing))?)
    }
}

/// Puts a retrieval test into the trash.
///
/// # Errors
/// It does not exist in this profile.
pub fn retrieval_test(
    main: &Db,
    profile: ProfileId,
    id: RetrievalTestId,
    deletion: Deletion,
) -> Result<TrashItem, StorageError> {
    main.write(move |txn| {
        let (test, kept) = retrieval::take(txn, profile, id)?;
        let stored = StoredTrash {
            kind: TrashKind::RetrievalTest,
            thing: id.0,
            title: test.question,
            detail: test.wanted.path.display().to_string(),
            deleted: deletion.at.0,
            kept,
        };
        put(txn, profile, deletion, &stored)
    })
}
