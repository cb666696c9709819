//! Profiles: each a separate world of sources, chats and knowledge. One exists from the first start on.

use redb::TableDefinition;
use serde::{Deserialize, Serialize};

use super::{AnyTable, Db, RecordWriting, StorageError, decode, first_version};
use crate::clock::Ids;
use crate::model::{ProfileId, Timestamp};

const PROFILES: TableDefinition<u128, &[u8]> = TableDefinition::new("profiles");
pub(super) const TABLES: &[&dyn AnyTable] = &[&PROFILES];

/// One person's separate world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub id: ProfileId,
    pub name: String,
    pub created: Timestamp,
    pub updated: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StoredProfile {
    name: String,
    created: i64,
    updated: i64,
}
first_version!(StoredProfile, "profile");

/// Oldest first.
pub fn list(main: &Db) -> Result<Vec<Profile>, StorageError> {
    let txn = main.read()?;
    let table = txn.table(PROFILES)?;
    table
        .iter()?
        .map(|row| {
            let (key, value) = row?;
            let stored: StoredProfile = decode(value.value())?;
            Ok(Profile {
                id: ProfileId(uuid::Uuid::from_u128(key.value())),
                name: stored.name,
                created: Timestamp(stored.created),
                updated: Timestamp(stored.updated),
            })
        })
        .collect()
}

/// The profile to work with: the oldest one; a new data folder gets one named "Personal".
pub fn first_or_new(main: &Db, ids: &Ids, now: Timestamp) -> Result<Profile, StorageError> {
    if let Some(profile) = list(main)?.into_iter().next() {
        return Ok(profile);
    }
    let profile = Profile { id: ProfileId(ids.next()), name: "Personal".to_owned(), created: now, updated: now };
    let row = profile.clone();
    main.write(move |txn| {
        let stored = StoredProfile { name: row.name.clone(), created: row.created.0, updated: row.updated.0 };
        txn.table(PROFILES)?.put(row.id.0.as_u128(), &stored)
    })?;
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;
    use crate::storage::{DbOptions, tables};

    #[test]
    fn the_first_profile_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        let ids = Ids::seeded(Arc::new(ManualClock::at(Timestamp(1_000))), 7);
        let first = first_or_new(&main, &ids, Timestamp(1_000)).unwrap();
        let again = first_or_new(&main, &ids, Timestamp(2_000)).unwrap();
        assert_eq!(first, again);
        assert_eq!(list(&main).unwrap(), vec![first]);
    }
}
