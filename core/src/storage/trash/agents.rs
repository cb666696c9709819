//! Agents in the trash.

use super::{StoredTrash, Trashable};
use crate::model::ProfileId;
use crate::storage::{StorageError, WriteTxn};

pub(super) struct Agents;

impl Trashable for Agents {
    fn restore(&self, _txn: &WriteTxn<'_>, _profile: ProfileId, _row: &StoredTrash) -> Result<(), StorageError> {
        Err(StorageError::Refused("this is not there yet".to_owned()))
    }

    fn erase(&self, _txn: &WriteTxn<'_>, _profile: ProfileId, _row: &StoredTrash) -> Result<(), StorageError> {
        Err(StorageError::Refused("this is not there yet".to_owned()))
    }

    fn is_trashed(&self, _txn: &WriteTxn<'_>, _profile: ProfileId, _row: &StoredTrash) -> Result<bool, StorageError> {
        Err(StorageError::Refused("this is not there yet".to_owned()))
    }
}
