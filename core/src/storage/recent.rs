//! What happened last, for the dashboard: the newest few hundred items per profile.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use super::{AnyTable, Db, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{ProfileId, RecentItem, Timestamp};

/// Profile and change number: newer items sort later, and no two share a key.
const RECENT: TableDefinition<(u128, u64), &[u8]> = TableDefinition::new("recent");
pub(super) const TABLES: &[&dyn AnyTable] = &[&RECENT];

/// Items that are kept per profile.
const KEPT: usize = 500;

#[derive(Serialize, Deserialize)]
struct StoredItem {
    at: i64,
    kind: String,
    title: String,
}
first_version!(StoredItem, "recent item");

pub async fn add(main: &Db, profile: ProfileId, item: RecentItem) -> Result<(), StorageError> {
    main.write_async(move |txn| insert(txn, profile, &item)).await
}

/// Adds an item within a larger change, and lets the oldest go.
pub fn insert(txn: &WriteTxn<'_>, profile: ProfileId, item: &RecentItem) -> Result<(), StorageError> {
    let profile = profile.0.as_u128();
    let mut table = txn.table(RECENT)?;
    let stored = StoredItem { at: item.at.0, kind: item.kind.clone(), title: item.title.clone() };
    table.put((profile, txn.change()), &stored)?;
    let first_to_go = {
        let mut newest_first = table.range((profile, 0)..=(profile, u64::MAX))?.rev().skip(KEPT);
        match newest_first.next() {
            Some(row) => row?.0.value().1,
            None => return Ok(()),
        }
    };
    table.retain_in((profile, 0)..=(profile, first_to_go), |_key, _value| false)?;
    Ok(())
}

/// Forgets what happened in a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let profile = profile.0.as_u128();
    txn.table(RECENT)?.retain_in((profile, 0)..=(profile, u64::MAX), |_key, _value| false)?;
    Ok(())
}

/// Newest first.
pub fn list(main: &Db, profile: ProfileId, limit: usize) -> Result<Vec<RecentItem>, StorageError> {
    let profile = profile.0.as_u128();
    let table = main.read()?.table(RECENT)?;
    table
        .range((profile, 0)..=(profile, u64::MAX))?
        .rev()
        .take(limit)
        .map(|row| {
            let stored: StoredItem = decode(row?.1.value())?;
            Ok(RecentItem { at: Timestamp(stored.at), kind: stored.kind, title: stored.title })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{DbOptions, tables};

    #[tokio::test]
    async fn the_newest_come_first_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        let (one, other) = (ProfileId(uuid::Uuid::from_u128(1)), ProfileId(uuid::Uuid::from_u128(2)));
        let item = |n: i64| RecentItem { at: Timestamp(n), kind: "test".to_owned(), title: n.to_string() };
        add(&main, other, item(-1)).await.unwrap();
        for n in 0..KEPT as i64 + 3 {
            add(&main, one, item(n)).await.unwrap();
        }
        let all = list(&main, one, usize::MAX).unwrap();
        assert_eq!((all.len(), all[0].title.as_str()), (KEPT, "502"));
        assert_eq!(list(&main, other, 10).unwrap(), vec![item(-1)]);
    }
}
