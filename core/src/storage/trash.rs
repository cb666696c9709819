//! The trash: what was deleted, with all that brings it back, until it expires. Each kind of thing is one file below.

mod agents;
mod chats;
mod crews;
mod retrieval;
mod schedules;
mod sources;
mod tasks;

use std::collections::HashSet;

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use agents::agent;
pub use chats::chat;
pub use crews::crew;
pub use retrieval::retrieval_test;
pub use schedules::schedule;
pub use sources::{holds_source, source};
pub use tasks::tasks;

use super::kinds::Kind;
use super::{AnyTable, Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{DataKind, Merged, Page, PageRequest, ProfileId, Timestamp, TrashId, TrashItem, TrashKind};

/// (profile, trash id) to what lies there; ids rise with the time of deletion.
const TRASH: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("trash");
pub(super) const TABLES: &[&dyn AnyTable] = &[&TRASH];

const LARGEST_PAGE: u32 = 1_000;
const DAY_MS: i64 = 86_400_000;

/// A kind of thing that can lie in the trash. Its own store hides it and keeps its rows; this brings them back or removes
/// them. To add a kind: a file here, a variant of [`TrashKind`], an arm of [`of`].
trait Trashable {
    /// Makes it be there again as it was.
    ///
    /// # Errors
    /// `Refused` when something stands in its place now; it stays in the trash then.
    fn restore(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError>;

    /// Removes every row of it.
    fn erase(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<(), StorageError>;

    /// Whether its own store says that it lies in the trash.
    fn is_trashed(&self, txn: &WriteTxn<'_>, profile: ProfileId, row: &StoredTrash) -> Result<bool, StorageError>;
}

fn of(kind: TrashKind) -> &'static dyn Trashable {
    match kind {
        TrashKind::Chat => &chats::Chats,
        TrashKind::Source => &sources::Sources,
        TrashKind::Agent => &agents::Agents,
        TrashKind::Task => &tasks::Tasks,
        TrashKind::Schedule => &schedules::Schedules,
        TrashKind::Crew => &crews::Crews,
        TrashKind::RetrievalTest => &retrieval::RetrievalTests,
    }
}

#[derive(Serialize, Deserialize)]
struct StoredTrash {
    kind: TrashKind,
    /// The id that it has in its own store.
    thing: Uuid,
    title: String,
    detail: String,
    deleted: i64,
    /// What its own store does not keep meanwhile.
    #[serde(default)]
    kept: Vec<u8>,
}
first_version!(StoredTrash, "thing in the trash");

/// Where and when something goes into the trash.
#[derive(Clone, Copy, Debug)]
pub struct Deletion {
    pub id: TrashId,
    pub at: Timestamp,
    /// Days until it goes for good.
    pub days: i64,
}

/// A thing that left the trash.
#[derive(Clone, Debug, PartialEq)]
pub struct Emptied {
    pub item: TrashItem,
    /// The id that it has in its own store.
    pub thing: Uuid,
}

fn item_of(id: Uuid, stored: &StoredTrash, days: i64) -> TrashItem {
    TrashItem {
        id: TrashId(id),
        kind: stored.kind,
        title: stored.title.clone(),
        detail: stored.detail.clone(),
        deleted: Timestamp(stored.deleted),
        expires: Timestamp(stored.deleted.saturating_add(days.saturating_mul(DAY_MS))),
    }
}

fn put(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    deletion: Deletion,
    stored: &StoredTrash,
) -> Result<TrashItem, StorageError> {
    txn.table(TRASH)?.put((profile.0.as_u128(), deletion.id.0.as_u128()), stored)?;
    Ok(item_of(deletion.id.0, stored, deletion.days))
}

fn own(txn: &WriteTxn<'_>, profile: ProfileId, id: TrashId) -> Result<StoredTrash, StorageError> {
    let stored: Option<StoredTrash> = txn.table(TRASH)?.record((profile.0.as_u128(), id.0.as_u128()))?;
    stored.ok_or_else(|| StorageError::NotFound("this thing in the trash".to_owned()))
}

fn remove(txn: &WriteTxn<'_>, profile: ProfileId, id: TrashId) -> Result<(), StorageError> {
    txn.table(TRASH)?.remove((profile.0.as_u128(), id.0.as_u128()))?;
    Ok(())
}

/// Newest first. `days` is how long things stay.
pub fn list(main: &Db, profile: ProfileId, days: i64, page: PageRequest) -> Result<Page<TrashItem>, StorageError> {
    let table = main.read()?.table(TRASH)?;
    let owner = profile.0.as_u128();
    let mut found = Page { items: Vec::new(), total: 0, offset: page.offset };
    for row in table.range((owner, 0)..=(owner, u128::MAX))?.rev() {
        let (key, value) = row?;
        if found.total >= page.offset && found.items.len() < page.limit.min(LARGEST_PAGE) as usize {
            let stored: StoredTrash = decode(value.value())?;
            found.items.push(item_of(Uuid::from_u128(key.value().1), &stored, days));
        }
        found.total += 1;
    }
    Ok(found)
}

/// Things in the trash of all profiles.
pub fn count(main: &Db) -> Result<u64, StorageError> {
    Ok(main.read()?.table(TRASH)?.len()?)
}

/// Forgets the trash of a profile, within a larger change; the rows of its things go with their own stores.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(TRASH)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    Ok(())
}

/// Brings a thing back.
///
/// # Errors
/// It is not there, or cannot come back; then it stays.
pub fn restore(main: &Db, profile: ProfileId, id: TrashId, days: i64) -> Result<Emptied, StorageError> {
    main.write(move |txn| {
        let stored = own(txn, profile, id)?;
        of(stored.kind).restore(txn, profile, &stored)?;
        remove(txn, profile, id)?;
        Ok(Emptied { item: item_of(id.0, &stored, days), thing: stored.thing })
    })
}

/// Removes a thing for good.
pub fn erase(main: &Db, profile: ProfileId, id: TrashId, days: i64) -> Result<Emptied, StorageError> {
    main.write(move |txn| {
        let stored = own(txn, profile, id)?;
        of(stored.kind).erase(txn, profile, &stored)?;
        remove(txn, profile, id)?;
        Ok(Emptied { item: item_of(id.0, &stored, days), thing: stored.thing })
    })
}

/// Removes for good what was deleted before this time, in all profiles; how many things went, by profile.
/// Each in a commit of its own: a chat may have many messages.
pub fn expire(main: &Db, before: Timestamp) -> Result<u64, StorageError> {
    let mut due = Vec::new();
    {
        let table = main.read()?.table(TRASH)?;
        for row in table.iter()? {
            let (key, value) = row?;
            let stored: StoredTrash = decode(value.value())?;
            if stored.deleted < before.0 {
                let (profile, id) = key.value();
                due.push((ProfileId(Uuid::from_u128(profile)), TrashId(Uuid::from_u128(id))));
            }
        }
    }
    let mut gone = 0;
    for (profile, id) in due {
        match erase(main, profile, id, 0) {
            Ok(_) => gone += 1,
            // Brought back or deleted meanwhile.
            Err(StorageError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(gone)
}

pub(super) static KIND: Kind = Kind {
    kind: DataKind::Trash,
    table: &TRASH,
    title: |row| decode(row).ok().map(|row: StoredTrash| row.title),
    is_there: |_row| true,
};

/// Takes out of the trash what lives again, and adds what lies in the trash of `other` alone; after the other stores.
pub(super) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<Merged, StorageError> {
    let mut merged = Merged { kind: DataKind::Trash, added: 0, kept: 0 };
    let mut rows = Vec::new();
    for row in txn.table(TRASH)?.iter()? {
        let (key, value) = row?;
        rows.push((key.value(), decode::<StoredTrash>(value.value())?));
    }
    let mut lying = HashSet::new();
    for (key, stored) in rows {
        if of(stored.kind).is_trashed(txn, ProfileId(Uuid::from_u128(key.0)), &stored)? {
            lying.insert((key.0, stored.thing));
        } else {
            txn.table(TRASH)?.remove(key)?;
        }
    }
    for row in other.table(TRASH)?.iter()? {
        let (key, value) = row?;
        let (key, stored) = (key.value(), decode::<StoredTrash>(value.value())?);
        if of(stored.kind).is_trashed(txn, ProfileId(Uuid::from_u128(key.0)), &stored)?
            && lying.insert((key.0, stored.thing))
        {
            txn.table(TRASH)?.put(key, &stored)?;
            merged.added += 1;
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests;
