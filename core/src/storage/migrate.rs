//! The schema of a file: its version, its tables, and the steps from older versions.

use std::collections::HashSet;
use std::path::Path;

use redb::{ReadableDatabase, TableDefinition};

use super::txn::AnyTable;
use super::{ReadTxn, StorageError, WriteTxn};

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
}

/// One step: from `to - 1` to `to`.
pub struct Migration {
    pub to: u64,
    pub run: fn(&WriteTxn<'_>) -> Result<(), StorageError>,
}

/// The version of the file, read without changing a byte of it; none for a new file or one that needs repair first.
pub(super) fn peek_version(path: &Path, file: &str) -> Result<Option<u64>, StorageError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > 0 => {}
        _ => return Ok(None),
    }
    let database = match redb::Builder::new().set_cache_size(1 << 20).open_read_only(path) {
        Ok(database) => database,
        // Not closed in order last time: opening it for writing repairs it, and the version is read then.
        Err(redb::DatabaseError::RepairAborted) => return Ok(None),
        Err(error) => return Err(StorageError::opening(file, error)),
    };
    read_version(&ReadTxn::new(database.begin_read()?))
}

pub(super) fn read_version(txn: &ReadTxn) -> Result<Option<u64>, StorageError> {
    read_meta(txn, SCHEMA_VERSION)
}

pub(super) fn read_meta(txn: &ReadTxn, key: &str) -> Result<Option<u64>, StorageError> {
    match txn.raw().open_table(META) {
        Ok(table) => Ok(table.get(key)?.map(|value| value.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
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
pub(super) fn apply(database: &redb::Database, schema: &Schema) -> Result<(), StorageError> {
    let read = ReadTxn::new(database.begin_read()?);
    let found = read_version(&read)?;
    let present: HashSet<String> =
        read.raw().list_tables()?.map(|table| redb::TableHandle::name(&table).to_owned()).collect();
    drop(read);
    let missing: Vec<_> =
        schema.tables.iter().copied().flatten().filter(|table| !present.contains(table.table_name())).collect();
    if missing.is_empty() && found == Some(schema.version) {
        return Ok(());
    }
    let txn = database.begin_write()?;
    let write = WriteTxn::new(&txn, 0);
    for table in missing {
        table.create(&write)?;
    }
    if let Some(found) = found {
        for migration in schema.migrations.iter().filter(|migration| migration.to > found) {
            (migration.run)(&write)?;
        }
    }
    write.table(META)?.insert(SCHEMA_VERSION, schema.version)?;
    txn.commit()?;
    Ok(())
}
