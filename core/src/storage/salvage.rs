//! What can still be read of a damaged file, without changing a byte of it.

use std::collections::HashSet;
use std::path::Path;

use redb::ReadableDatabase;

use super::backend::create_untouched;
use super::disk::Disk;
use super::migrate::guarded;
use super::txn::{AnyTable, RawRow};
use super::{ReadTxn, Record, StorageError, chats, decode, knowledge, tables};
use crate::model::{Chat, Message, Source};

/// What was found of one kind of thing, and in words what was not.
#[derive(Clone, Debug, PartialEq)]
pub struct Salvaged<T> {
    pub items: Vec<T>,
    pub missing: Vec<String>,
}

impl<T> Default for Salvaged<T> {
    fn default() -> Self {
        Self { items: Vec::new(), missing: Vec::new() }
    }
}

pub(super) type Rows<T> = Salvaged<T>;

/// All rows of a table that can be read, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct TableText {
    pub table: String,
    /// Key, then value.
    pub rows: Salvaged<(String, serde_json::Value)>,
}

/// What is left of a main database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remains {
    /// Messages without a chat are those whose chat cannot be read.
    pub chats: Salvaged<(Option<Chat>, Vec<Message>)>,
    pub sources: Salvaged<Source>,
    /// Every table, also those above.
    pub tables: Vec<TableText>,
    /// Why nothing at all can be read.
    pub closed: Option<String>,
}

/// Reads what can be read of a main database that cannot be opened. Its file is not changed.
///
/// # Errors
/// In use by another process, or the disk does not give the file.
pub fn main(path: &Path, disk: &dyn Disk) -> Result<Remains, StorageError> {
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let opened = guarded(&file, || {
        let backend = disk.database(path).map_err(|error| StorageError::opening(&file, error))?;
        let database = create_untouched(backend, 4 << 20).map_err(|error| StorageError::opening(&file, error))?;
        let read = ReadTxn::new(database.begin_read()?);
        Ok((database, read))
    });
    let (_database, read) = match opened {
        Ok(opened) => opened,
        Err(StorageError::Damaged { detail, .. }) => {
            return Ok(Remains { closed: Some(detail), ..Remains::default() });
        }
        Err(error) => return Err(error),
    };
    let mut remains =
        Remains { chats: chats::salvage(&read)?, sources: knowledge::salvage_sources(&read)?, ..Remains::default() };
    for table in tables::MAIN.tables.iter().copied().flatten() {
        let rows = rows(&read, *table);
        let mut text = Salvaged { items: Vec::new(), missing: rows.missing };
        for row in &rows.items {
            match guarded(&file, || Ok(table.row_text(row))) {
                Ok(row) => text.items.push(row),
                Err(error) => text.missing.push(format!("a row of {}: {error}", table.table_name())),
            }
        }
        remains.tables.push(TableText { table: table.table_name().to_owned(), rows: text });
    }
    Ok(remains)
}

/// The rows of a table from both ends up to what cannot be read.
fn rows(txn: &ReadTxn, table: &dyn AnyTable) -> Rows<RawRow> {
    let mut found = Salvaged::default();
    let mut seen = HashSet::new();
    let mut broken = None;
    match table.raw_rows(txn) {
        Ok(rows) => {
            for row in rows {
                match row {
                    Ok(row) => {
                        seen.insert(row.key.clone());
                        found.items.push(row);
                    }
                    Err(error) => broken = Some(error.to_string()),
                }
            }
        }
        Err(error) => broken = Some(error.to_string()),
    }
    let Some(broken) = broken else { return found };
    let mut behind = Vec::new();
    if let Ok(rows) = table.raw_rows(txn) {
        behind.extend(rows.rev().map_while(Result::ok).take_while(|row| !seen.contains(&row.key)));
    }
    found.items.extend(behind.into_iter().rev());
    found.missing.push(format!("rows of {}: {broken}", table.table_name()));
    found
}

/// The records of a table that can be read, with their keys.
pub(super) fn records<K, R: Record>(
    txn: &ReadTxn,
    table: &dyn AnyTable,
    key: impl Fn(&[u8]) -> Option<K>,
) -> Result<Rows<(K, R)>, StorageError> {
    let rows = rows(txn, table);
    let mut found = Salvaged { items: Vec::with_capacity(rows.items.len()), missing: rows.missing };
    let mut unreadable = 0;
    for row in rows.items {
        match (key(&row.key), decode::<R>(&row.value)) {
            (Some(key), Ok(record)) => found.items.push((key, record)),
            _ => unreadable += 1,
        }
    }
    if unreadable > 0 {
        found.missing.push(format!("{unreadable} of {} that are garbled", table.table_name()));
    }
    Ok(found)
}
