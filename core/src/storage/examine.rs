//! Looks at a closed database without changing a byte of it: that it opens, its version, and how much is in it.

use std::collections::BTreeMap;
use std::path::Path;

use redb::{ReadableDatabase, ReadableTableMetadata, TableHandle};

use super::disk::Disk;
use super::{ReadTxn, StorageError, backend, migrate, profiles, tables};

/// Bytes of pages kept in memory meanwhile.
const CACHE: usize = 4 << 20;

/// What a main database holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Version of its schema.
    pub schema: u64,
    /// By table.
    pub rows: BTreeMap<String, u64>,
    /// Names.
    pub profiles: Vec<String>,
}

/// Whether somebody has this database open now. A damaged one is nobody's.
pub fn is_in_use(disk: &dyn Disk, path: &Path) -> bool {
    disk.exists(path) && matches!(examine(disk, path), Err(StorageError::InUse { .. }))
}

/// A state with nothing in it, for comparing.
///
/// # Errors
/// When there is no memory for it.
pub fn nothing() -> Result<ReadTxn, StorageError> {
    let database = redb::Builder::new()
        .create_with_backend(redb::backends::InMemoryBackend::new())
        .map_err(|error| StorageError::opening("nothing", error))?;
    Ok(ReadTxn::new(database.begin_read()?))
}

/// # Errors
/// Damaged, no database of rspa, or of a newer version.
pub fn examine(disk: &dyn Disk, path: &Path) -> Result<Examined, StorageError> {
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    migrate::guarded(&file, || examine_file(disk, path, &file))
}

fn examine_file(disk: &dyn Disk, path: &Path, file: &str) -> Result<Examined, StorageError> {
    let opening = |error| StorageError::opening(file, error);
    let database = backend::create_untouched(disk.database(path).map_err(opening)?, CACHE).map_err(opening)?;
    let txn = ReadTxn::new(database.begin_read()?);
    let schema = migrate::read_version(&txn)?;
    migrate::check_version(file, schema, &tables::MAIN)?;
    let schema = schema.ok_or_else(|| StorageError::Damaged {
        file: file.to_owned(),
        detail: "it is no database of rspa".to_owned(),
    })?;
    let mut rows = BTreeMap::new();
    for table in txn.raw().list_tables()? {
        rows.insert(table.name().to_owned(), txn.raw().open_untyped_table(table)?.len()?);
    }
    Ok(Examined { schema, rows, profiles: profiles::names(&txn)? })
}
