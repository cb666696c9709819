//! The step of main.redb from version 1 to 2: the few hundred recent items of the dashboard become activities.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::{Activity, ActivityId, ProfileId, Timestamp};
use crate::storage::{StorageError, WriteTxn, decode, first_version};

/// Profile and change number, as version 1 had it.
const RECENT: TableDefinition<(u128, u64), &[u8]> = TableDefinition::new("recent");

#[derive(Serialize, Deserialize)]
struct StoredItem {
    at: i64,
    kind: String,
    title: String,
}
first_version!(StoredItem, "recent item");

pub(in crate::storage) fn from_recent(txn: &WriteTxn<'_>) -> Result<(), StorageError> {
    let mut items = Vec::new();
    for row in txn.table(RECENT)?.iter()? {
        let (key, value) = row?;
        // One that cannot be read was a line on the dashboard: no reason to keep the whole file from opening.
        match decode::<StoredItem>(value.value()) {
            Ok(item) => items.push((key.value(), item)),
            Err(error) => tracing::warn!(%error, "a recent item was left out"),
        }
    }
    for ((profile, change), item) in items {
        let activity = Activity {
            id: ActivityId(id_of(item.at, change)),
            at: Timestamp(item.at),
            kind: item.kind,
            title: item.title,
            description: String::new(),
            agent: None,
            metadata: std::collections::BTreeMap::new(),
        };
        super::insert(txn, ProfileId(Uuid::from_u128(profile)), &activity)?;
    }
    txn.delete_table(RECENT)
}

/// The same for the same row, and in the order of changes: a step may run again after a power cut.
fn id_of(at: i64, change: u64) -> Uuid {
    let mut tail = [0; 10];
    tail[2..].copy_from_slice(&change.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(at).unwrap_or(0), &tail).into_uuid()
}
