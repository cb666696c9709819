//! Chats in the trash: their rows stay where they are, out of every list.

use super::{Deletion, StoredTrash, Trashable, put};
use crate::model::{ChatId, ProfileId, TrashItem, TrashKind};
use crate::storage::{Db, StorageError, WriteTxn, chats};

pub(super) struct Chats;

impl Trashable for Chats {
    fn restore(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        chats::show(txn, profile, ChatId(row.thing))
    }

    fn erase(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        chats::erase(txn, profile, ChatId(row.thing))
    }

    fn is_trashed(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<bool, StorageError> {
        chats::is_hidden(txn, profile, ChatId(row.thing))
    }
}

/// Puts a chat into the trash.
///
/// # Errors
/// It does not exist in this profile.
pub fn chat(main: &Db, profile: ProfileId, id: ChatId, deletion: Deletion) -> Result<TrashItem, StorageError> {
    main.write(move |txn| {
        let summary = chats::hide(txn, profile, id)?;
        let messages = match summary.messages {
            1 => "1 message".to_owned(),
            n => format!("{n} messages"),
        };
        let stored = StoredTrash {
            kind: TrashKind::Chat,
            thing: id.0,
            title: summary.chat.title,
            detail: messages,
            deleted: deletion.at.0,
            kept: Vec::new(),
        };
        put(txn, profile, deletion, &stored)
    })
}
