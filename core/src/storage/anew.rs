//! Files that can be built again: a damaged one is kept aside under another name, and a new one takes its place.

use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::{Db, DbOptions, Schema, StorageError};
use crate::model::Timestamp;

/// A file that was damaged and is kept under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAside {
    /// `knowledge.redb`.
    pub file: String,
    pub kept: PathBuf,
    /// What was wrong with it.
    pub detail: String,
}

/// As [`Db::open`]; when the file is damaged, it is kept aside and a new one is made.
///
/// # Errors
/// As [`Db::open`], but not that it is damaged.
pub fn open_or_anew(path: &Path, schema: &Schema, options: DbOptions) -> Result<(Db, Option<KeptAside>), StorageError> {
    match Db::open(path, schema, options.clone()) {
        Err(StorageError::Damaged { file, detail }) => {
            let kept = set_aside(path, options.clock.now(), options.disk.as_ref())?;
            tracing::error!(file, detail, kept = %kept.display(), "a damaged file is kept aside and made anew");
            Ok((Db::open(path, schema, options)?, Some(KeptAside { file, kept, detail })))
        }
        opened => opened.map(|db| (db, None)),
    }
}

/// Moves a file beside itself, to `<name>.damaged-<time>`.
///
/// # Errors
/// What the disk says; the file is then where it was.
pub fn set_aside(path: &Path, now: Timestamp, disk: &dyn Disk) -> Result<PathBuf, StorageError> {
    let failed = |error| StorageError::opening_io(&name_of(path), &error);
    let kept = name_aside(path, now, disk);
    disk.rename(path, &kept).map_err(failed)?;
    let mark = super::read_table::mark_of(path);
    if disk.exists(&mark) {
        disk.remove_file(&mark).map_err(failed)?;
    }
    disk.sync_folder(path.parent().unwrap_or(path)).map_err(failed)?;
    Ok(kept)
}

/// As [`set_aside`], with a copy: the file itself stays where it is too.
///
/// # Errors
/// What the disk says.
pub fn copy_aside(path: &Path, now: Timestamp, disk: &dyn Disk) -> Result<PathBuf, StorageError> {
    let failed = |error| StorageError::opening_io(&name_of(path), &error);
    let kept = name_aside(path, now, disk);
    let (mut from, mut to) = (disk.open(path).map_err(failed)?, disk.create(&kept).map_err(failed)?);
    std::io::copy(&mut from, &mut to).map_err(failed)?;
    to.sync().map_err(failed)?;
    disk.sync_folder(path.parent().unwrap_or(path)).map_err(failed)?;
    Ok(kept)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A name beside the file that is not taken.
fn name_aside(path: &Path, now: Timestamp, disk: &dyn Disk) -> PathBuf {
    let file = name_of(path);
    let time = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default().strftime("%Y%m%d-%H%M%S").to_string();
    let mut kept = path.with_file_name(format!("{file}.damaged-{time}"));
    let mut number = 2;
    while disk.exists(&kept) {
        kept = path.with_file_name(format!("{file}.damaged-{time}-{number}"));
        number += 1;
    }
    kept
}
