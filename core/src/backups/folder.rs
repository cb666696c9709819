//! A folder of backups: names, what is there, what is known of it, what is too old; and small steps on files.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::BackupError;
use super::archive::Archive;
use super::manifest::{Entry, Manifest};
use super::work::{self, CopyError, Progress, Watch};
use crate::model::{BackupInfo, BackupReason, BackupState, Timestamp};
use crate::storage::disk::Disk;

/// How the names of backups end.
pub const SUFFIX: &str = ".rspa-backup";
const PART: &str = ".rspa-backup.part";
const NAME_FORMAT: &str = "%Y-%m-%dT%H-%M-%SZ";
/// So much stays free for everything else, in bytes.
const SPARE: u64 = 16 << 20;
const DAY_MS: i64 = 86_400_000;
/// So long after the last backup the age of the others is told from it, not from the clock.
const AWAY_MS: i64 = 7 * DAY_MS;

/// A backup file by its name; what is in it may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    pub path: PathBuf,
    pub made: Timestamp,
    pub reason: BackupReason,
}

fn stamp(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().strftime(NAME_FORMAT).to_string()
}

fn read_stamp(text: &str) -> Option<Timestamp> {
    let parsed = jiff::civil::DateTime::strptime(NAME_FORMAT, text).ok()?;
    Some(Timestamp(parsed.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond()))
}

/// The time and reason that a file's name says; none for a name that is no backup's.
fn read_name(name: &str) -> Option<(Timestamp, BackupReason)> {
    let stem = name.strip_suffix(SUFFIX)?;
    let made = read_stamp(stem.get(..20)?)?;
    let rest = stem.get(20..)?.strip_prefix('-')?;
    let reason = rest.split_once('-').map_or(rest, |(reason, _number)| reason);
    Some((made, BackupReason::ALL.into_iter().find(|known| known.name() == reason)?))
}

/// A path at which nothing lies yet.
pub(super) fn free_name(disk: &dyn Disk, folder: &Path, made: Timestamp, reason: BackupReason) -> PathBuf {
    let stem = format!("{}-{}", stamp(made), reason.name());
    let mut path = folder.join(format!("{stem}{SUFFIX}"));
    let mut number = 2;
    while disk.exists(&path) {
        path = folder.join(format!("{stem}-{number}{SUFFIX}"));
        number += 1;
    }
    path
}

pub(super) fn part_of(path: &Path) -> PathBuf {
    path.with_extension("rspa-backup.part")
}

/// The folder that what a restore replaces is kept in.
pub(super) fn replaced_name(at: Timestamp) -> String {
    format!("replaced-{}", stamp(at))
}

/// Newest first. A folder that is not there holds none.
///
/// # Errors
/// When it is there and cannot be read.
pub fn find(disk: &dyn Disk, folder: &Path) -> Result<Vec<Found>, BackupError> {
    if !disk.exists(folder) {
        return Ok(Vec::new());
    }
    let paths = disk.list(folder).map_err(|error| BackupError::io("read", folder, &error))?;
    let mut found: Vec<Found> = paths
        .into_iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let (made, reason) = read_name(&name)?;
            Some(Found { name, path, made, reason })
        })
        .collect();
    found.sort_by(|one, other| (other.made, &other.name).cmp(&(one.made, &one.name)));
    Ok(found)
}

/// What a backup says of itself. One that cannot be read is listed as bad.
pub fn info(disk: &dyn Disk, found: &Found, checks: &Checks, copied: bool) -> BackupInfo {
    let size_bytes = disk.len(&found.path).unwrap_or(0);
    let mut info = BackupInfo {
        name: found.name.clone(),
        path: found.path.clone(),
        made: found.made,
        reason: found.reason,
        size_bytes,
        program: String::new(),
        profiles: Vec::new(),
        chats: 0,
        messages: 0,
        sources: 0,
        state: BackupState::Unknown,
        copied,
    };
    match Archive::open(disk, &found.path) {
        Ok(archive) => describe(&mut info, &archive.manifest),
        Err(error) => info.state = BackupState::Bad { why: error.to_string() },
    }
    if let (BackupState::Unknown, Some(check)) = (&info.state, checks.of(&found.name, size_bytes)) {
        info.state = match &check.problem {
            None => BackupState::Good { verified: check.at },
            Some(why) => BackupState::Bad { why: why.clone() },
        };
    }
    info
}

pub(super) fn describe(info: &mut BackupInfo, manifest: &Manifest) {
    info.made = manifest.made;
    info.program.clone_from(&manifest.program);
    info.profiles.clone_from(&manifest.profiles);
    info.chats = manifest.rows_of("chats");
    info.messages = manifest.rows_of("messages");
    info.sources = manifest.rows_of("sources");
}

/// What was found when backups were last read whole; kept beside the data, since a backup is never written to again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    by_name: BTreeMap<String, Check>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Check {
    at: Timestamp,
    size: u64,
    problem: Option<String>,
}

impl Checks {
    fn place(data: &Path) -> PathBuf {
        data.join("backups").join("checked.json")
    }

    /// What cannot be read counts as never looked at.
    pub fn read(disk: &dyn Disk, data: &Path) -> Self {
        let mut bytes = Vec::new();
        let read = disk
            .open(&Self::place(data))
            .and_then(|file| std::io::Read::read_to_end(&mut std::io::Read::take(file, 4 << 20), &mut bytes));
        read.ok().and_then(|_| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// # Errors
    /// What writing meets.
    pub fn store(&self, disk: &dyn Disk, data: &Path) -> Result<(), BackupError> {
        let path = Self::place(data);
        let text = serde_json::to_vec(self).map_err(|error| BackupError::Refused(error.to_string()))?;
        if let Some(folder) = path.parent() {
            make(disk, folder)?;
        }
        put_file(disk, &path, &text)
    }

    fn of(&self, name: &str, size: u64) -> Option<&Check> {
        self.by_name.get(name).filter(|check| check.size == size)
    }

    pub fn set(&mut self, name: &str, size: u64, at: Timestamp, problem: Option<String>) {
        self.by_name.insert(name.to_owned(), Check { at, size, problem });
    }

    pub fn forget_others(&mut self, kept: &[Found]) {
        self.by_name.retain(|name, _| kept.iter().any(|found| found.name == *name));
    }
}

/// How long backups are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub count: usize,
    pub days: i64,
}

/// Removes what is too old or too much, and what was left half written; the names that were removed. The newest one
/// that is not known to be bad always stays.
///
/// # Errors
/// When the folder cannot be read. A file that cannot be removed stays and is logged.
pub fn prune(
    disk: &dyn Disk,
    folder: &Path,
    keep: Retention,
    checks: &Checks,
    now: Timestamp,
) -> Result<Vec<String>, BackupError> {
    let all = find(disk, folder)?;
    let is_good = |found: &Found| {
        let known = checks.of(&found.name, disk.len(&found.path).unwrap_or(0));
        known.is_none_or(|check| check.problem.is_none()) && Archive::open(disk, &found.path).is_ok()
    };
    let newest_good = all.iter().position(is_good);
    // A clock that jumped ahead makes nothing old before it has gone on for a day.
    let believed = all.iter().map(|found| found.made.0).filter(|made| *made <= now.0.saturating_sub(DAY_MS)).max();
    let believed = believed.map_or(i64::MIN, |made| now.0.min(made.saturating_add(AWAY_MS)));
    let is_old = |made: Timestamp| believed.saturating_sub(made.0) > keep.days.saturating_mul(DAY_MS);
    let mut removed = Vec::new();
    for (index, found) in all.iter().enumerate() {
        let old = is_old(found.made);
        if Some(index) != newest_good && (index >= keep.count.max(1) || old) && remove_quietly(disk, &found.path) {
            removed.push(found.name.clone());
        }
    }
    for path in disk.list(folder).unwrap_or_default() {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let replaced = name.strip_prefix("replaced-").and_then(|rest| read_stamp(rest.get(..20)?));
        if name.ends_with(PART) {
            remove_quietly(disk, &path);
        } else if replaced.is_some_and(is_old) {
            remove_folder_quietly(disk, &path);
        }
    }
    if let Err(error) = disk.sync_folder(folder) {
        tracing::debug!(folder = %folder.display(), %error, "the folder of backups was not synced");
    }
    Ok(removed)
}

/// Copies a backup into another folder and compares the copy with it.
///
/// # Errors
/// What reading and writing meets; nothing of the copy is left then.
pub fn copy_to(disk: &dyn Disk, path: &Path, folder: &Path, watch: &dyn Watch) -> Result<PathBuf, BackupError> {
    let target = folder.join(path.file_name().unwrap_or_default());
    let part = part_of(&target);
    let copy = || -> Result<(), BackupError> {
        // Not made when it is missing: it may be the place of a drive that is not plugged in.
        if !disk.exists(folder) {
            let detail = "it does not exist; is its drive there?".to_owned();
            return Err(BackupError::Io { doing: "used", path: folder.display().to_string(), detail });
        }
        let size = disk.len(path).map_err(|error| BackupError::io("read", path, &error))?;
        let mut progress = Progress::new(watch, size.saturating_mul(2));
        let mut from = disk.open(path).map_err(|error| BackupError::io("read", path, &error))?;
        let mut to = disk.create(&part).map_err(|error| BackupError::io("written", &part, &error))?;
        let written = work::copy(&mut from, &mut to, u64::MAX, &mut progress).map_err(|e| failed(path, &part, e))?;
        to.sync().map_err(|error| BackupError::io("written", &part, &error))?;
        drop(to);
        let mut back = disk.open(&part).map_err(|error| BackupError::io("read", &part, &error))?;
        let read = work::copy(&mut back, &mut std::io::sink(), u64::MAX, &mut progress)
            .map_err(|error| failed(&part, &part, error))?;
        if read.sha256 != written.sha256 {
            return Err(BackupError::damaged(&target, "the copy is not what was copied"));
        }
        disk.rename(&part, &target).map_err(|error| BackupError::io("written", &target, &error))?;
        disk.sync_folder(folder).map_err(|error| BackupError::io("written", folder, &error))
    };
    copy().inspect_err(|_error| {
        remove_quietly(disk, &part);
    })?;
    Ok(target)
}

/// Copies a file that nobody changes meanwhile.
pub(super) fn copy_file(disk: &dyn Disk, from: &Path, to: &Path) -> Result<(), BackupError> {
    let mut source = disk.open(from).map_err(|error| BackupError::io("read", from, &error))?;
    let mut target = disk.create(to).map_err(|error| BackupError::io("written", to, &error))?;
    let mut progress = Progress::new(&super::Unwatched, 0);
    work::copy(&mut source, &mut target, u64::MAX, &mut progress).map_err(|error| failed(from, to, error))?;
    target.sync().map_err(|error| BackupError::io("written", to, &error))
}

fn failed(from: &Path, to: &Path, error: CopyError) -> BackupError {
    match error {
        CopyError::Reading(error) => BackupError::io("read", from, &error),
        CopyError::Writing(error) => BackupError::io("written", to, &error),
        CopyError::TooLong => BackupError::damaged(from, "it is too long"),
        CopyError::Stopped(error) => error,
    }
}

/// Unpacks an entry to a file and makes its content durable.
pub(super) fn unpack_entry(
    disk: &dyn Disk,
    archive: &mut Archive,
    entry: &Entry,
    to: &Path,
    progress: &mut Progress<'_>,
) -> Result<(), BackupError> {
    let mut file = disk.create(to).map_err(|error| BackupError::io("written", to, &error))?;
    archive.copy_entry(entry, &mut file, to, progress)?;
    file.sync().map_err(|error| BackupError::io("written", to, &error))
}

/// Writes a small file so that a cut leaves the old or the new one.
pub(super) fn put_file(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let failed = |error: std::io::Error| BackupError::io("written", path, &error);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = disk.create(&fresh)?;
        file.write_all(bytes)?;
        file.sync()?;
        drop(file);
        disk.rename(&fresh, path)?;
        disk.sync_folder(path.parent().unwrap_or(path))
    };
    write().map_err(failed).inspect_err(|_error| {
        remove_quietly(disk, &fresh);
    })
}

/// Makes a folder with its parents, if they are not there, so that a power cut does not take them away again.
pub(super) fn make(disk: &dyn Disk, folder: &Path) -> Result<(), BackupError> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|one| !disk.exists(one)).collect();
    disk.create_folder(folder).map_err(|error| BackupError::io("made", folder, &error))?;
    for parent in missing.iter().filter_map(|one| one.parent()) {
        disk.sync_folder(parent).map_err(|error| BackupError::io("made", folder, &error))?;
    }
    Ok(())
}

/// An empty folder at this place, whatever was there.
pub(super) fn fresh(disk: &dyn Disk, folder: &Path) -> Result<(), BackupError> {
    if disk.exists(folder) {
        disk.remove_folder(folder).map_err(|error| BackupError::io("removed", folder, &error))?;
    }
    disk.create_folder(folder).map_err(|error| BackupError::io("made", folder, &error))
}

/// # Errors
/// When `free` bytes are too few for `needed`.
pub(super) fn check_room(folder: &Path, needed: u64, free: u64) -> Result<(), BackupError> {
    if needed.saturating_add(SPARE) > free {
        let folder = folder.parent().unwrap_or(folder).display().to_string();
        return Err(BackupError::NoRoom { folder, needed: needed.saturating_add(SPARE) >> 20, free: free >> 20 });
    }
    Ok(())
}

/// True when it is gone and was there.
pub(super) fn remove_quietly(disk: &dyn Disk, path: &Path) -> bool {
    match disk.remove_file(path) {
        Ok(()) => true,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a file could not be removed");
            false
        }
    }
}

pub(super) fn remove_folder_quietly(disk: &dyn Disk, path: &Path) {
    if disk.exists(path)
        && let Err(error) = disk.remove_folder(path)
    {
        tracing::warn!(path = %path.display(), %error, "a folder could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_time_and_reason_and_nothing_else_is_taken_for_one() {
        let made = Timestamp(1_763_628_900_000);
        for reason in BackupReason::ALL {
            let path = free_name(&crate::storage::disk::SystemDisk, Path::new("/nowhere"), made, reason);
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert_eq!(read_name(&name), Some((made, reason)), "{name}");
            assert_eq!(read_name(&name.replace(SUFFIX, "-12.rspa-backup")), Some((made, reason)));
        }
        for other in ["a.rspa-backup", "2026-11-20T09-15-00Z.rspa-backup", "2026-11-20T09-15-00Z-daily.zip", "ü", ""] {
            assert_eq!(read_name(other), None, "{other}");
        }
        assert_eq!(read_name("2026-11-20T09-15-00Z-other.rspa-backup"), None);
        assert_eq!(read_name("2026-13-40T09-15-00Z-daily.rspa-backup"), None);
    }
}
