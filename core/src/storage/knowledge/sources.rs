//! Sources: the folders and files that the person chose. They lie in main.redb, since they cannot be built again.

use std::collections::HashSet;
use std::path::PathBuf;

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::{DataKind, Merged, ProfileId, Source, SourceId, SourceKind, Timestamp};
use crate::storage::kinds::Kind;
use crate::storage::salvage::{self, Rows, Salvaged};
use crate::storage::{AnyTable, Db, ReadTxn, RecordWriting, StorageError, WriteTxn, decode, first_version};

/// `(profile, source)` to the source.
const SOURCES: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("sources");
pub(in crate::storage) const TABLES: &[&dyn AnyTable] = &[&SOURCES];

#[derive(Serialize, Deserialize)]
struct StoredSource {
    #[serde(with = "crate::storage::path")]
    path: PathBuf,
    name: String,
    #[serde(default)]
    kind: SourceKind,
    #[serde(default)]
    address: Option<String>,
    sample: bool,
    paused: bool,
    created: i64,
    updated: i64,
}
first_version!(StoredSource, "source");

fn source_of(profile: ProfileId, id: SourceId, stored: StoredSource) -> Source {
    Source {
        id,
        profile,
        path: stored.path,
        name: stored.name,
        kind: stored.kind,
        address: stored.address,
        sample: stored.sample,
        paused: stored.paused,
        created: Timestamp(stored.created),
        updated: Timestamp(stored.updated),
    }
}

/// Oldest first.
pub fn list(main: &Db, profile: ProfileId) -> Result<Vec<Source>, StorageError> {
    let txn = main.read()?;
    let table = txn.table(SOURCES)?;
    let owner = profile.0.as_u128();
    table
        .range((owner, 0)..=(owner, u128::MAX))?
        .map(|row| {
            let (key, value) = row?;
            Ok(source_of(profile, SourceId(Uuid::from_u128(key.value().1)), decode(value.value())?))
        })
        .collect()
}

/// What can be read of the sources of a damaged file.
pub(in crate::storage) fn salvage(txn: &ReadTxn) -> Result<Salvaged<Source>, StorageError> {
    let keys = |key: &[u8]| {
        let (profile, source) = key.split_at_checked(16)?;
        Some((u128::from_le_bytes(profile.try_into().ok()?), u128::from_le_bytes(source.try_into().ok()?)))
    };
    let rows: Rows<((u128, u128), StoredSource)> = salvage::records(txn, &SOURCES, keys)?;
    let source =
        |((profile, id), stored)| source_of(ProfileId(Uuid::from_u128(profile)), SourceId(Uuid::from_u128(id)), stored);
    let items = rows.items.into_iter().map(source).collect();
    Ok(Salvaged { items, missing: rows.missing })
}

pub fn put(main: &Db, source: &Source) -> Result<(), StorageError> {
    let row = source.clone();
    main.write(move |txn| {
        let stored = StoredSource {
            path: row.path.clone(),
            name: row.name.clone(),
            kind: row.kind,
            address: row.address.clone(),
            sample: row.sample,
            paused: row.paused,
            created: row.created.0,
            updated: row.updated.0,
        };
        txn.table(SOURCES)?.put((row.profile.0.as_u128(), row.id.0.as_u128()), &stored)
    })
}

/// Takes a source out of the list: what it was, and the record that [`put_back`] makes it again from.
pub fn take(txn: &WriteTxn<'_>, profile: ProfileId, id: SourceId) -> Result<(Source, Vec<u8>), StorageError> {
    let mut table = txn.table(SOURCES)?;
    let record = table.remove((profile.0.as_u128(), id.0.as_u128()))?.map(|value| value.value().to_vec());
    let record = record.ok_or_else(|| StorageError::NotFound("this source".to_owned()))?;
    Ok((source_of(profile, id, decode(&record)?), record))
}

/// Puts a source back under its old id.
///
/// # Errors
/// `Refused` when its folder is among the sources again.
pub fn put_back(txn: &WriteTxn<'_>, profile: ProfileId, id: SourceId, record: &[u8]) -> Result<(), StorageError> {
    let stored: StoredSource = decode(record)?;
    let mut table = txn.table(SOURCES)?;
    let owner = profile.0.as_u128();
    for row in table.range((owner, 0)..=(owner, u128::MAX))? {
        let other: StoredSource = decode(row?.1.value())?;
        if other.path == stored.path {
            return Err(StorageError::Refused(format!("{} is among the sources again", stored.path.display())));
        }
    }
    table.put((owner, id.0.as_u128()), &stored)
}

/// Whether the source is in the list.
pub(in crate::storage) fn is_there(txn: &WriteTxn<'_>, profile: ProfileId, id: SourceId) -> Result<bool, StorageError> {
    Ok(txn.table(SOURCES)?.get((profile.0.as_u128(), id.0.as_u128()))?.is_some())
}

/// Removes all sources of a profile, within a larger change.
pub(in crate::storage) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(SOURCES)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    Ok(())
}

pub(in crate::storage) static KIND: Kind = Kind {
    kind: DataKind::Sources,
    table: &SOURCES,
    title: |row| decode(row).ok().map(|row: StoredSource| row.name),
    is_there: |_row| true,
};

/// Adds the sources that only `other` has. A folder that is a source here already stays the one it is.
pub(in crate::storage) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<Merged, StorageError> {
    let mut merged = Merged { kind: DataKind::Sources, added: 0, kept: 0 };
    let mut table = txn.table(SOURCES)?;
    let mut paths = HashSet::new();
    for row in table.iter()? {
        let (key, value) = row?;
        paths.insert((key.value().0, decode::<StoredSource>(value.value())?.path));
    }
    for row in other.table(SOURCES)?.iter()? {
        let (key, value) = row?;
        let here = table.get(key.value())?.map(|here| here.value() == value.value());
        let stored: StoredSource = decode(value.value())?;
        match here {
            Some(same) => merged.kept += u64::from(!same),
            None if paths.insert((key.value().0, stored.path.clone())) => {
                table.put(key.value(), &stored)?;
                merged.added += 1;
            }
            None => merged.kept += 1,
        }
    }
    Ok(merged)
}
