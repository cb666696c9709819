//! Puts a prepared state into place, before anything of the data folder is opened.
//!
//! `restore-ready` lies in the data folder once a restore is committed. Its plan names the files. What they replace is
//! moved to `backups/replaced-…`, then they are moved into place, then the plan goes. Each step is a rename that is left
//! out when it has happened already, so that the whole can be begun again after a cut at any point.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{BackupError, folder, write};
use crate::model::Timestamp;
use crate::storage::disk::Disk;

/// The state that is being prepared; worthless until it has its other name.
pub(super) const PREPARING: &str = "restore-preparing";
/// The committed state.
pub(super) const READY: &str = "restore-ready";
const PLAN: &str = "plan.json";
/// What was restored, for the engine to tell.
const NOTE: &str = "restored.json";
const LARGEST_PLAN: u64 = 64 << 20;

/// What a prepared state consists of and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In words: a backup's name, or a time.
    pub from: String,
    pub as_of: Timestamp,
    /// When it was prepared.
    pub at: Timestamp,
    /// Relative to the data folder.
    pub files: Vec<String>,
    /// Settings, notes and credentials that are not among the files go; else they stay.
    pub whole: bool,
    /// The sealed credentials are replaced too.
    pub credentials: bool,
    /// Where what is replaced is kept, within the data folder's `backups`.
    pub replaced: String,
}

/// Whether a restore was begun that is not in place yet.
pub(super) fn has_work(disk: &dyn Disk, data: &Path) -> bool {
    disk.exists(&data.join(READY)) || disk.exists(&data.join(PREPARING))
}

/// Finishes a committed restore and clears away one that was not committed. Nothing of the folder may be open.
///
/// # Errors
/// What the disk says; then nothing is lost, and the next call goes on.
pub(super) fn apply(disk: &dyn Disk, data: &Path) -> Result<Option<Plan>, BackupError> {
    folder::remove_folder_quietly(disk, &data.join(PREPARING));
    let ready = data.join(READY);
    if !disk.exists(&ready) {
        return Ok(None);
    }
    let Some(plan) = read_plan(disk, &ready.join(PLAN))? else {
        // All is in place; only the removal was cut off.
        disk.remove_folder(&ready).map_err(|error| BackupError::io("removed", &ready, &error))?;
        sync(disk, data)?;
        return Ok(None);
    };
    let replaced = data.join("backups").join(&plan.replaced);
    let mut steps = Steps { disk, folders: BTreeSet::new() };
    steps.make_folder(&replaced)?;
    steps.sync()?;
    for name in &plan.files {
        if disk.exists(&ready.join(name)) {
            steps.keep_old(&data.join(name), &replaced.join(name))?;
        }
    }
    if plan.whole {
        let kept = write::kept_files(disk, data)?;
        let goes = |name: &&String| !plan.files.contains(name) && (plan.credentials || !is_credential(name));
        for name in kept.iter().filter(goes) {
            steps.keep_old(&data.join(name), &replaced.join(name))?;
        }
    }
    steps.sync()?;
    for name in &plan.files {
        let from = ready.join(name);
        if disk.exists(&from) {
            steps.rename(&from, &data.join(name))?;
        }
    }
    steps.sync()?;
    let note = serde_json::to_vec(&plan).map_err(|error| BackupError::Refused(error.to_string()))?;
    folder::put_file(disk, &data.join(NOTE), &note)?;
    let done = ready.join(PLAN);
    disk.remove_file(&done).map_err(|error| BackupError::io("removed", &done, &error))?;
    sync(disk, &ready)?;
    disk.remove_folder(&ready).map_err(|error| BackupError::io("removed", &ready, &error))?;
    sync(disk, data)?;
    Ok(Some(plan))
}

/// Commits what lies in `restore-preparing`, whose files are durable: one rename.
pub(super) fn commit(disk: &dyn Disk, data: &Path, plan: &Plan) -> Result<(), BackupError> {
    let (preparing, ready) = (data.join(PREPARING), data.join(READY));
    if disk.exists(&ready) {
        return Err(BackupError::Refused("another restore waits for the program to start again".to_owned()));
    }
    let text = serde_json::to_vec_pretty(plan).map_err(|error| BackupError::Refused(error.to_string()))?;
    folder::put_file(disk, &preparing.join(PLAN), &text)?;
    let mut steps = Steps { disk, folders: BTreeSet::new() };
    for name in &plan.files {
        steps.changed(&preparing.join(name));
    }
    // Folders within folders: their own names must be durable too.
    steps.folders = steps.folders.iter().flat_map(|folder| within(folder, &preparing)).collect();
    steps.sync()?;
    disk.rename(&preparing, &ready).map_err(|error| BackupError::io("written", &ready, &error))?;
    sync(disk, data)
}

/// Whether the name is that of a sealed credential or of what opens them.
pub(super) fn is_credential(name: &str) -> bool {
    name.split_once('/').is_some_and(|(folder, _)| folder == super::manifest::CREDENTIALS)
}

/// The note of a restore that has come into force, once: it is gone afterwards.
pub fn take_note(disk: &dyn Disk, data: &Path) -> Option<Plan> {
    let path = data.join(NOTE);
    if !disk.exists(&path) {
        return None;
    }
    let plan = read_plan(disk, &path);
    folder::remove_quietly(disk, &path);
    plan.unwrap_or_else(|error| {
        tracing::warn!(%error, "the note of a restore is unreadable");
        None
    })
}

fn read_plan(disk: &dyn Disk, path: &Path) -> Result<Option<Plan>, BackupError> {
    if !disk.exists(path) {
        return Ok(None);
    }
    let failed = |error: std::io::Error| BackupError::io("read", path, &error);
    let mut bytes = Vec::new();
    disk.open(path).map_err(failed)?.take(LARGEST_PLAN).read_to_end(&mut bytes).map_err(failed)?;
    let plan: Plan = serde_json::from_slice(&bytes).map_err(|error| BackupError::damaged(path, error.to_string()))?;
    let stays_inside = |name: &String| super::manifest::is_allowed(name);
    let plain = Path::new(&plan.replaced).components().count() == 1 && plan.replaced.starts_with("replaced-");
    if !plain || !plan.files.iter().all(stays_inside) {
        return Err(BackupError::damaged(path, "it names files outside the data folder"));
    }
    Ok(Some(plan))
}

fn sync(disk: &dyn Disk, folder: &Path) -> Result<(), BackupError> {
    disk.sync_folder(folder).map_err(|error| BackupError::io("written", folder, &error))
}

/// `folder` and those above it, down from `top`.
fn within(folder: &Path, top: &Path) -> Vec<PathBuf> {
    folder.ancestors().take_while(|one| one.starts_with(top)).map(Path::to_owned).collect()
}

/// Renames, and the folders that must be synced after them.
struct Steps<'a> {
    disk: &'a dyn Disk,
    folders: BTreeSet<PathBuf>,
}

impl Steps<'_> {
    fn changed(&mut self, path: &Path) {
        if let Some(folder) = path.parent() {
            self.folders.insert(folder.to_owned());
        }
    }

    fn make_folder(&mut self, folder: &Path) -> Result<(), BackupError> {
        let mut missing = folder;
        while !self.disk.exists(missing) {
            self.changed(missing);
            let Some(parent) = missing.parent() else { break };
            missing = parent;
        }
        self.disk.create_folder(folder).map_err(|error| BackupError::io("made", folder, &error))
    }

    /// Moves what is to be replaced aside, unless that was done before.
    fn keep_old(&mut self, from: &Path, to: &Path) -> Result<(), BackupError> {
        if !self.disk.exists(from) || self.disk.exists(to) {
            return Ok(());
        }
        self.rename(from, to)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<(), BackupError> {
        if let Some(folder) = to.parent()
            && !self.disk.exists(folder)
        {
            self.make_folder(folder)?;
        }
        self.disk.rename(from, to).map_err(|error| BackupError::io("moved", from, &error))?;
        self.changed(from);
        self.changed(to);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), BackupError> {
        for folder in std::mem::take(&mut self.folders) {
            // One that is not there any more, or was only thought of, needs none.
            if self.disk.exists(&folder) {
                sync(self.disk, &folder)?;
            }
        }
        Ok(())
    }
}
