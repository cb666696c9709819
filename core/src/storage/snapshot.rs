//! Copies of an open file: consistent, made while others read and write, compact, and with the history.

use std::path::Path;

use super::backend::create;
use super::disk::Disk;
use super::{Db, ReadTxn, Schema, StorageError, WriteTxn, history};

/// Bytes of rows after which a copy is committed in between, so that its memory stays bounded.
const PART: usize = 16 << 20;

/// Writes a copy of `db` as it is now to `target`, a path at which nothing lies. It holds all tables of the schema,
/// the change numbers and the history, and is durable when this returns.
///
/// # Errors
/// What reading or writing meets; then `target` is removed.
pub fn copy_to(db: &Db, schema: &Schema, target: &Path, disk: &dyn Disk) -> Result<(), StorageError> {
    copy(&db.read()?, schema, target, disk)
}

/// As [`copy_to`], of a view that was taken before.
///
/// # Errors
/// As [`copy_to`].
pub fn copy(from: &ReadTxn, schema: &Schema, target: &Path, disk: &dyn Disk) -> Result<(), StorageError> {
    let file = target.file_name().unwrap_or(target.as_os_str()).to_string_lossy().into_owned();
    if disk.exists(target) {
        return Err(StorageError::Refused(format!("{} is there already", target.display())));
    }
    let copied = fill(from, schema, target, &file, disk);
    if copied.is_err()
        && let Err(error) = disk.remove_file(target)
    {
        tracing::debug!(path = %target.display(), %error, "half a copy stays behind");
    }
    copied
}

fn fill(from: &ReadTxn, schema: &Schema, target: &Path, file: &str, disk: &dyn Disk) -> Result<(), StorageError> {
    let backend = disk.database(target).map_err(|error| StorageError::opening(file, error))?;
    let database = create(backend, 16 << 20).map_err(|error| StorageError::opening(file, error))?;
    let tables = || schema.tables.iter().copied().flatten().copied();
    let txn = database.begin_write()?;
    for table in tables().chain(history::OWN_TABLES.iter().copied()) {
        table.create(&WriteTxn::new(&txn, 0, None))?;
    }
    txn.commit()?;
    // The numbers of the file last: a copy that was cut off has no version.
    for table in tables().chain(history::OWN_TABLES.iter().rev().copied()) {
        let mut rows = table.raw_rows(from)?.peekable();
        while rows.peek().is_some() {
            let txn = database.begin_write()?;
            let mut open = table.raw_table(&WriteTxn::new(&txn, 0, None))?;
            let mut part = 0;
            while part < PART
                && let Some(row) = rows.next()
            {
                let row = row?;
                part += row.key.len() + row.value.len();
                open.put(&row.key, &row.value)?;
            }
            drop(open);
            txn.commit()?;
        }
    }
    drop(database);
    if let Some(folder) = target.parent() {
        disk.sync_folder(folder).map_err(|error| StorageError::opening_io(file, &error))?;
    }
    Ok(())
}
