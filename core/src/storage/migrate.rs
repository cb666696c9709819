//! The schema of a file: its version, its tables, and the steps from older versions.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{ReadableDatabase, TableDefinition};

use super::backend::create_untouched;
use super::disk::Disk;
use super::history::{self, Tracking};
use super::txn::AnyTable;
use super::{ReadTxn, StorageError, WriteTxn};
use crate::panics;

/// Numbers that belong to the file itself.
pub(super) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
pub(super) const SCHEMA_VERSION: &str = "schema_version";
pub(super) const LAST_CHANGE: &str = "last_change";

/// What a file must look like. Tables that are missing are made when it is opened, so a new table needs no new version.
pub struct Schema {
    /// From 1; raised when existing rows must change their shape.
    pub version: u64,
    /// Per store, the tables that it owns.
    pub tables: &'static [&'static [&'static dyn AnyTable]],
    /// In order; all that lie above the file's version run in one transaction.
    pub migrations: &'static [Migration],
    /// Which tables have a history of changes.
    pub tracking: Tracking,
}

/// One step: from `to - 1` to `to`.
pub struct Migration {
    pub to: u64,
    pub run: fn(&WriteTxn<'_>) -> Result<(), StorageError>,
}

/// The version of the file, read without changing a byte of it, also after an unclean end; none for a new file.
pub(super) fn peek_version(path: &Path, file: &str, disk: &dyn Disk) -> Result<Option<u64>, StorageError> {
    if !disk.exists(path) {
        return Ok(None);
    }
    let length = disk.len(path).map_err(|error| StorageError::opening_io(file, &error))?;
    if length == 0 {
        // A database is made beside its place and moved there whole, so that an empty one has lost what it held.
        return Err(StorageError::Damaged { file: file.to_owned(), detail: "it is empty".to_owned() });
    }
    guarded(file, || {
        let backend = disk.database(path).map_err(|error| StorageError::opening(file, error))?;
        let database = create_untouched(backend, 1 << 20).map_err(|error| StorageError::opening(file, error))?;
        read_version(&ReadTxn::new(database.begin_read()?))
    })
}

/// Runs what reads a file; a panic in it means that the file is damaged, as redb trusts what it reads.
pub(super) fn guarded<T>(file: &str, work: impl FnOnce() -> Result<T, StorageError>) -> Result<T, StorageError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(StorageError::Damaged { file: file.to_owned(), detail: panics::text(panic.as_ref()).to_owned() })
    })
}

pub(super) fn read_version(txn: &ReadTxn) -> Result<Option<u64>, StorageError> {
    read_meta(txn, SCHEMA_VERSION)
}

pub(super) fn read_meta(txn: &ReadTxn, key: &str) -> Result<Option<u64>, StorageError> {
    let Some(table) = txn.table_if_there(META)? else { return Ok(None) };
    Ok(table.get(key)?.map(|value| value.value()))
}

pub(super) fn check_version(file: &str, found: Option<u64>, schema: &Schema) -> Result<(), StorageError> {
    match found {
        Some(found) if found > schema.version => {
            Err(StorageError::Newer { file: file.to_owned(), found, known: schema.version })
        }
        _ => Ok(()),
    }
}

/// Makes missing tables and runs missing migrations, all in one transaction; nothing is written when nothing is missing.
///
/// # Errors
/// `Migration` when a step fails or panics: the file then holds what it held.
pub(super) fn apply(database: &redb::Database, file: &str, schema: &Schema) -> Result<(), StorageError> {
    let read = ReadTxn::new(database.begin_read()?);
    let found = read_version(&read)?;
    let present: HashSet<String> =
        read.raw().list_tables()?.map(|table| redb::TableHandle::name(&table).to_owned()).collect();
    drop(read);
    let own: &[&dyn AnyTable] = if matches!(schema.tracking, Tracking::Off) { &[] } else { history::OWN_TABLES };
    let tables = schema.tables.iter().copied().flatten().chain(own);
    let missing: Vec<_> = tables.filter(|table| !present.contains(table.table_name())).collect();
    if missing.is_empty() && found == Some(schema.version) {
        return Ok(());
    }
    let txn = database.begin_write()?;
    let stepped = catch_unwind(AssertUnwindSafe(|| steps(&txn, &missing, found, schema)))
        .unwrap_or_else(|panic| Err(StorageError::Failed { detail: panics::text(panic.as_ref()).to_owned() }));
    match stepped {
        Ok(()) => Ok(txn.commit()?),
        Err(error) => {
            txn.abort()?;
            let Some(found) = found.filter(|found| *found < schema.version) else { return Err(error) };
            Err(StorageError::Migration {
                file: file.to_owned(),
                found,
                known: schema.version,
                detail: error.to_string(),
            })
        }
    }
}

fn steps(
    txn: &redb::WriteTransaction,
    missing: &[&&dyn AnyTable],
    found: Option<u64>,
    schema: &Schema,
) -> Result<(), StorageError> {
    let write = WriteTxn::new(txn, 0, None);
    for table in missing {
        table.create(&write)?;
    }
    if let Some(found) = found {
        for migration in schema.migrations.iter().filter(|migration| migration.to > found) {
            (migration.run)(&write)?;
        }
        if found < schema.version {
            // Rows of the old shape cannot be put back into tables of the new one.
            history::clear(txn)?;
        }
    }
    write.table(META)?.insert(SCHEMA_VERSION, schema.version)?;
    Ok(())
}

#[cfg(test)]
mod tests;
