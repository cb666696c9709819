//! The way on when the main database is damaged: what is wrong, what can be read, the newest backup, a new beginning.
//!
//! Outside of the engine, which cannot start then: the window and `rspa db` call it. Nothing here changes the damaged
//! file; whatever is done next, it stays in the data folder under another name.

mod export;
mod rescue;

use std::path::PathBuf;

use serde::Serialize;

pub use export::Exported;
pub use rescue::Rescue;

use crate::api::{ApiError, ErrorCategory};
use crate::model::Timestamp;
use crate::storage::disk::Disk;
use crate::storage::{StorageError, anew, check, salvage, tables};
use crate::workspace::places::Places;

/// The newest backup, as far as recovery needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewestBackup {
    pub name: String,
    /// When it was made.
    pub at: Timestamp,
    pub chats: u64,
    pub messages: u64,
    pub sources: u64,
}

/// Where backups lie; the backups of the data folder are one.
pub trait Shelf {
    /// The newest backup that is whole; none when there is no such backup.
    ///
    /// # Errors
    /// When the folder of backups cannot be read.
    fn newest(&self) -> Result<Option<NewestBackup>, ApiError>;

    /// Puts the state of this backup in place of the present one, at once or at the next start.
    ///
    /// # Errors
    /// What is wrong with the backup or the disk; then nothing is changed.
    fn restore(&self, name: &str) -> Result<(), ApiError>;
}

/// A data folder whose main database is damaged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recovery {
    /// It stays here until the person decides.
    pub file: PathBuf,
    pub bytes: u64,
    /// What is wrong, in words.
    pub detail: String,
    pub readable: Readable,
    pub backup: Option<NewestBackup>,
    /// What the backup holds and what of the damaged file it lacks, in words; empty without a backup.
    pub differences: Vec<String>,
    /// Why it is not known whether there is a backup.
    pub backup_problem: Option<String>,
}

/// How much can still be read of the damaged file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Readable {
    pub chats: usize,
    pub messages: usize,
    pub sources: usize,
    /// What cannot, in words.
    pub missing: Vec<String>,
}

/// Looks at the data folder; none when its main database is sound, or when there is none.
///
/// # Errors
/// When the folder is in use, or the disk does not give the file.
pub fn examine(places: &Places, disk: &dyn Disk, shelf: &dyn Shelf) -> Result<Option<Recovery>, ApiError> {
    let file = places.main_db();
    if !disk.exists(&file) {
        return Ok(None);
    }
    let report = check::pages(&file, &tables::MAIN, disk)?;
    let Some(detail) = report.damage else { return Ok(None) };
    let remains = read(places, disk)?;
    let (backup, backup_problem) = match shelf.newest() {
        Ok(backup) => (backup, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let readable = readable(&remains);
    let differences = backup.as_ref().map(|backup| differences(backup, &remains, &readable)).unwrap_or_default();
    Ok(Some(Recovery { file, bytes: report.bytes, detail, readable, backup, differences, backup_problem }))
}

/// Titles of chats that are told by name.
const NAMED: usize = 5;

fn differences(backup: &NewestBackup, remains: &salvage::Remains, readable: &Readable) -> Vec<String> {
    let count = |what: &str, in_backup: u64, here: usize| {
        format!("{what}: {in_backup} in the backup, {here} can be read of the damaged file")
    };
    let mut lines = vec![
        count("Chats", backup.chats, readable.chats),
        count("Messages", backup.messages, readable.messages),
        count("Sources", backup.sources, readable.sources),
    ];
    let later: Vec<&str> = remains
        .chats
        .items
        .iter()
        .filter_map(|(chat, _)| chat.as_ref().filter(|chat| chat.updated > backup.at))
        .map(|chat| chat.title.as_str())
        .collect();
    if !later.is_empty() {
        let named = later.iter().take(NAMED).map(|title| format!("“{title}”")).collect::<Vec<_>>().join(", ");
        let more = later.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.push(format!("Changed after the backup, so save them first: {named}{more}"));
    }
    lines
}

fn read(places: &Places, disk: &dyn Disk) -> Result<salvage::Remains, ApiError> {
    let file = places.main_db();
    if disk.len(&file).is_ok_and(|bytes| bytes == 0) {
        return Ok(salvage::Remains { closed: Some("the file is empty".to_owned()), ..salvage::Remains::default() });
    }
    Ok(salvage::main(&file, disk)?)
}

fn readable(remains: &salvage::Remains) -> Readable {
    let mut missing: Vec<String> = remains.closed.iter().map(|detail| format!("everything: {detail}")).collect();
    missing.extend(remains.chats.missing.iter().chain(&remains.sources.missing).cloned());
    missing.extend(remains.tables.iter().flat_map(|table| table.rows.missing.iter().cloned()));
    let mut seen = std::collections::HashSet::new();
    missing.retain(|line| seen.insert(line.clone()));
    Readable {
        chats: remains.chats.items.iter().filter(|(chat, _)| chat.is_some()).count(),
        messages: remains.chats.items.iter().map(|(_, messages)| messages.len()).sum(),
        sources: remains.sources.items.len(),
        missing,
    }
}

/// Writes what can be read into a new folder: chats as Markdown and JSON, sources and settings, every table as JSON
/// lines, and a note that says what is missing.
///
/// # Errors
/// When the folder holds something already, or the disk says no.
pub fn export_readable(places: &Places, disk: &dyn Disk, target: &std::path::Path) -> Result<Exported, ApiError> {
    let remains = read(places, disk)?;
    let readable = readable(&remains);
    export::write(places, disk, target, &remains, readable)
}

/// Keeps the damaged file under another name, so that the next start makes an empty database. Where it is kept.
///
/// # Errors
/// When it is in use, or the disk says no; then nothing is changed.
pub fn set_aside_and_start_anew(places: &Places, disk: &dyn Disk, now: Timestamp) -> Result<PathBuf, ApiError> {
    let file = places.main_db();
    // Refused while somebody has it open.
    check::pages(&file, &tables::MAIN, disk)?;
    Ok(anew::set_aside(&file, now, disk)?)
}

/// Restores the newest backup; a copy of the damaged file is kept. Where.
///
/// # Errors
/// When there is none, or what is wrong with it; then the database is as it was.
pub fn restore_newest(
    places: &Places,
    disk: &dyn Disk,
    shelf: &dyn Shelf,
    now: Timestamp,
) -> Result<(NewestBackup, Option<PathBuf>), ApiError> {
    let backup = shelf.newest()?.ok_or_else(no_backup)?;
    let file = places.main_db();
    let kept = match disk.exists(&file) {
        true => {
            check::pages(&file, &tables::MAIN, disk)?;
            Some(anew::copy_aside(&file, now, disk)?)
        }
        false => None,
    };
    shelf.restore(&backup.name)?;
    Ok((backup, kept))
}

fn no_backup() -> ApiError {
    ApiError::new(
        ErrorCategory::Storage,
        "there is no backup to restore",
        "Save what can be read with `rspa db export FOLDER`, then start anew with `rspa db recover --empty`.",
    )
}

/// Whether an error of a start is about a damaged main database: then [`examine`] says more.
pub fn concerns(error: &ApiError) -> bool {
    error.category == ErrorCategory::Storage
}

/// What [`StorageError`] an error of the folder of a recovery is.
pub(crate) fn io(path: &std::path::Path, error: &std::io::Error) -> ApiError {
    StorageError::opening_io(&path.display().to_string(), error).into()
}

#[cfg(test)]
mod tests;
