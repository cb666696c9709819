//! Checks a file page by page against its checksums, and row by row, without changing a byte of it.

use std::path::Path;

use super::backend::{create_untouched, create_untouched_unlocked};
use super::disk::Disk;
use super::migrate::{self, guarded};
use super::rules;
use super::{ReadTxn, Schema, StorageError};
use crate::model::FileReport;

/// Checks a file that nobody has open: its pages, its rows, and the rules that hold between them.
///
/// # Errors
/// In use by somebody, or not to be opened at all. Damage is no error but what the report says.
pub fn file(path: &Path, schema: &Schema, disk: &dyn Disk) -> Result<FileReport, StorageError> {
    examine(path, schema, disk, true, true)
}

/// As [`file()`], but for the rules: quicker, and what they find does not keep the file from being used.
///
/// # Errors
/// As [`file()`].
pub fn pages(path: &Path, schema: &Schema, disk: &dyn Disk) -> Result<FileReport, StorageError> {
    examine(path, schema, disk, true, false)
}

/// As [`file()`], of a file that this process has open and does not write to meanwhile; see [`super::Db::check`].
pub(super) fn open_file(path: &Path, schema: &Schema, disk: &dyn Disk) -> Result<FileReport, StorageError> {
    examine(path, schema, disk, false, true)
}

fn examine(
    path: &Path,
    schema: &Schema,
    disk: &dyn Disk,
    alone: bool,
    with_rules: bool,
) -> Result<FileReport, StorageError> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let bytes = disk.len(path).map_err(|error| StorageError::opening_io(&name, &error))?;
    let mut report = FileReport { file: name.clone(), bytes, version: None, rows: 0, damage: None };
    if bytes == 0 {
        report.damage = Some("it is empty".to_owned());
        return Ok(report);
    }
    let looked = guarded(&name, || look(path, schema, disk, alone, with_rules, &mut report));
    match looked {
        Ok(()) => Ok(report),
        Err(StorageError::Damaged { detail, .. }) => {
            report.damage = Some(detail);
            Ok(report)
        }
        Err(error) => Err(error),
    }
}

fn look(
    path: &Path,
    schema: &Schema,
    disk: &dyn Disk,
    alone: bool,
    with_rules: bool,
    report: &mut FileReport,
) -> Result<(), StorageError> {
    let backend = if alone { disk.database(path) } else { disk.pages(path) };
    let backend = backend.map_err(|error| StorageError::opening(&report.file, error))?;
    let open = if alone { create_untouched } else { create_untouched_unlocked };
    let mut database = open(backend, 4 << 20).map_err(|error| StorageError::opening(&report.file, error))?;
    let sound = database.check_integrity().map_err(|error| StorageError::opening(&report.file, error))?;
    if !sound {
        report.damage = Some("some of its pages do not fit their checksums".to_owned());
    }
    let read = ReadTxn::new(redb::ReadableDatabase::begin_read(&database)?);
    report.version = migrate::read_version(&read)?;
    for table in schema.tables.iter().copied().flatten() {
        for row in table.raw_rows(&read)? {
            row?;
            report.rows += 1;
        }
    }
    // A file whose making was cut off has no tables yet; an older one has other ones.
    if with_rules && report.damage.is_none() && report.version == Some(schema.version) {
        let broken = rules::broken(&read, schema)?;
        report.damage = (!broken.is_empty()).then(|| format!("its rows do not fit together: {}", broken.join("; ")));
    }
    Ok(())
}
