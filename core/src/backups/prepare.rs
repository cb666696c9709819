//! Brings another state into a folder of its own: out of a backup, or out of the change history; and commits it.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::archive::Archive;
use super::work::{Progress, Watch};
use super::{BackupError, Manifest, apply, folder, manifest};
use crate::model::Timestamp;
use crate::storage::disk::Disk;
use crate::storage::{Db, DbOptions, history, snapshot, tables};

/// Another state, unpacked and of the present schema. Its folder goes with it unless it was committed.
pub(super) struct State {
    options: DbOptions,
    folder: PathBuf,
    /// What it consists of; none when only the database is of another time.
    pub manifest: Option<Manifest>,
    pub as_of: Timestamp,
    /// In words, for the person.
    pub from: String,
    keep: bool,
}

impl Drop for State {
    fn drop(&mut self) {
        if !self.keep {
            folder::remove_folder_quietly(self.options.disk.as_ref(), &self.folder);
        }
    }
}

impl State {
    /// Unpacks a backup and brings its database to the present schema. `room` is what is free on the disk, in bytes.
    ///
    /// # Errors
    /// What is wrong with the backup or the disk; nothing is left then.
    pub fn from_backup(
        options: &DbOptions,
        path: &Path,
        into: PathBuf,
        room: u64,
        watch: &dyn Watch,
    ) -> Result<Self, BackupError> {
        let disk = options.disk.as_ref();
        let mut archive = Archive::open(disk, path)?;
        let state = Self {
            options: options.clone(),
            folder: into,
            manifest: Some(archive.manifest.clone()),
            as_of: archive.manifest.made,
            from: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            keep: false,
        };
        folder::check_room(&state.folder, archive.manifest.size(), room)?;
        folder::fresh(disk, &state.folder)?;
        let mut progress = Progress::new(watch, archive.manifest.size());
        for entry in archive.manifest.entries.clone() {
            let to = state.folder.join(&entry.name);
            if let Some(parent) = to.parent() {
                disk.create_folder(parent).map_err(|error| BackupError::io("made", parent, &error))?;
            }
            folder::unpack_entry(disk, &mut archive, &entry, &to, &mut progress)?;
        }
        Ok(state)
    }

    /// The database as it was at the start of that minute.
    ///
    /// # Errors
    /// Refused when the history does not reach back that far; what copying meets.
    pub fn from_history(options: &DbOptions, main: &Db, at: Timestamp, into: PathBuf) -> Result<Self, BackupError> {
        let disk = options.disk.as_ref();
        let as_of = Timestamp(at.0.div_euclid(history::STEP_MS) * history::STEP_MS);
        let from = jiff::Timestamp::from_millisecond(as_of.0).map_or_else(
            |_out_of_range| as_of.0.to_string(),
            |at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
        );
        let state = Self { options: options.clone(), folder: into, manifest: None, as_of, from, keep: false };
        folder::fresh(disk, &state.folder)?;
        let path = state.folder.join(manifest::DATABASE);
        snapshot::copy_to(main, &tables::MAIN, &path, disk)?;
        let copy = state.database()?;
        let undone = history::undo_until(&copy, &tables::MAIN, at);
        copy.close();
        undone?;
        Ok(state)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens its database, brought to the present schema. Close it before the state is committed.
    ///
    /// # Errors
    /// Of a newer version, damaged, or whatever the disk says.
    pub fn database(&self) -> Result<Db, BackupError> {
        Ok(Db::open(&self.folder.join(manifest::DATABASE), &tables::MAIN, self.options.clone())?)
    }

    /// Whether its sealed credentials can be opened where they would come: by a key file that is here, or by a
    /// passphrase where the present ones have one too. Others would lock the person out; they stay in the backup.
    pub fn brings_credentials(&self, data: &Path) -> bool {
        let disk = self.options.disk.as_ref();
        let Some(there) = kept_under(disk, &self.folder) else { return false };
        match there.get("key_file").map(|key| &key["id"]) {
            Some(id) => id.as_str().is_some_and(|id| {
                let is_plain = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
                is_plain && disk.exists(&data.join(manifest::CREDENTIALS).join(format!("vault-{id}.key")))
            }),
            None => kept_under(disk, data).is_none_or(|here| here.get("key_file").is_none()),
        }
    }

    /// Commits it: from now on the next start of the engine puts it in place of what is there.
    ///
    /// # Errors
    /// What the disk says; then the present state stays.
    pub fn commit(mut self, data: &Path, now: Timestamp) -> Result<(), BackupError> {
        let credentials = self.brings_credentials(data);
        let files = match &self.manifest {
            Some(manifest) => {
                let names = manifest.entries.iter().map(|entry| entry.name.clone());
                names.filter(|name| credentials || !apply::is_credential(name)).collect()
            }
            None => vec![manifest::DATABASE.to_owned()],
        };
        if !credentials && self.manifest.is_some() {
            tracing::info!("the sealed credentials stay as they are: those of the backup could not be opened here");
        }
        let plan = apply::Plan {
            from: self.from.clone(),
            as_of: self.as_of,
            at: now,
            files,
            whole: self.manifest.is_some(),
            credentials,
            replaced: folder::replaced_name(now),
        };
        apply::commit(self.options.disk.as_ref(), data, &plan)?;
        self.keep = true;
        Ok(())
    }
}

/// The folder in which a state is prepared that is to be committed.
pub(super) fn preparing(data: &Path) -> PathBuf {
    data.join(apply::PREPARING)
}

/// How the vault of a folder says that it can be opened.
fn kept_under(disk: &dyn Disk, folder: &Path) -> Option<serde_json::Value> {
    let mut bytes = Vec::new();
    disk.open(&folder.join(manifest::VAULT)).ok()?.take(1 << 20).read_to_end(&mut bytes).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    header.get("kept_under").cloned()
}
