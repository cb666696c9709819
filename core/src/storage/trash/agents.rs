//! Agents in the trash: their rows stay where they are, out of every list; their names are free for others.

use super::{Deletion, StoredTrash, Trashable, put};
use crate::model::{AgentId, ProfileId, TrashItem, TrashKind};
use crate::storage::{Db, StorageError, WriteTxn, agents, approvals};

pub(super) struct Agents;

impl Trashable for Agents {
    fn restore(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        agents::show(txn, profile, AgentId(row.thing))
    }

    fn erase(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError> {
        approvals::remove_agent(txn, profile, AgentId(row.thing))?;
        agents::erase(txn, profile, AgentId(row.thing))
    }

    fn is_trashed(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<bool, StorageError> {
        agents::is_hidden(txn, profile, AgentId(row.thing))
    }
}

/// Puts an agent into the trash.
///
/// # Errors
/// It does not exist in this profile.
pub fn agent(main: &Db, profile: ProfileId, id: AgentId, deletion: Deletion) -> Result<TrashItem, StorageError> {
    main.write(move |txn| {
        let agent = agents::hide(txn, profile, id)?;
        let done = match agent.completed + agent.failed {
            0 => "no task done yet".to_owned(),
            1 => "1 task done".to_owned(),
            tasks => format!("{tasks} tasks done"),
        };
        let stored = StoredTrash {
            kind: TrashKind::Agent,
            thing: id.0,
            title: agent.settings.name,
            detail: done,
            deleted: deletion.at.0,
            kept: Vec::new(),
        };
        put(txn, profile, deletion, &stored)
    })
}
