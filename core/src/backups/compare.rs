//! What restoring would change, told per kind of things.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::manifest::{self, Manifest};
use super::prepare::State;
use super::work::{self, CopyError, Progress, Unwatched};
use super::{BackupError, write};
use crate::model::{DataKind, KindDifference, RestoreFrom, RestorePreview, SettingEntry, SettingOrigin};
use crate::settings::Settings;
use crate::storage::disk::Disk;
use crate::storage::{Db, examine, kinds};
use crate::workspace::places::Places;

const TITLES: usize = 8;

/// `here` is the present database; none when it cannot be opened.
pub(super) fn compare(
    disk: &dyn Disk,
    data: &Path,
    here: Option<&Db>,
    state: &State,
    from: RestoreFrom,
) -> Result<RestorePreview, BackupError> {
    let database = state.database()?;
    let there = database.read()?;
    let here = match here {
        Some(here) => here.read()?,
        None => examine::nothing()?,
    };
    let found = kinds::differences(&here, &there);
    drop(there);
    database.close();
    let mut differences = found?;
    if let Some(manifest) = &state.manifest {
        differences.push(settings(data, state.folder()));
        let mut present = BTreeMap::new();
        for name in write::kept_files(disk, data)? {
            let sum = checksum(disk, &data.join(&name))?;
            present.insert(name, sum);
        }
        if state.brings_credentials(data) {
            differences.push(files(&present, manifest, manifest::CREDENTIALS, DataKind::Credentials));
        }
        differences.push(files(&present, manifest, manifest::FOLDERS[0], DataKind::Notes));
    }
    differences.retain(|difference| !difference.is_none());
    Ok(RestorePreview { from, as_of: state.as_of, differences })
}

fn checksum(disk: &dyn Disk, path: &Path) -> Result<String, BackupError> {
    let mut file = disk.open(path).map_err(|error| BackupError::io("read", path, &error))?;
    let mut progress = Progress::new(&Unwatched, 0);
    match work::copy(&mut file, &mut std::io::sink(), u64::MAX, &mut progress) {
        Ok(copied) => Ok(copied.sha256),
        Err(CopyError::Stopped(error)) => Err(error),
        Err(CopyError::Reading(error) | CopyError::Writing(error)) => Err(BackupError::io("read", path, &error)),
        Err(CopyError::TooLong) => Err(BackupError::damaged(path, "it is too long")),
    }
}

fn files(present: &BTreeMap<String, String>, manifest: &Manifest, folder: &str, kind: DataKind) -> KindDifference {
    let mut difference = KindDifference::none(kind);
    let own = |name: &str| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let there: BTreeMap<&str, &str> =
        manifest.entries.iter().map(|entry| (entry.name.as_str(), entry.sha256.as_str())).collect();
    let names: BTreeSet<&str> = present.keys().map(String::as_str).chain(there.keys().copied()).collect();
    for name in names.into_iter().filter(|name| own(name)) {
        let title = name[folder.len() + 1..].to_owned();
        let (count, titles) = match (present.get(name), there.get(name)) {
            (Some(here), Some(there)) if here == there => continue,
            (Some(_), Some(_)) => (&mut difference.different, &mut difference.both),
            (Some(_), None) => (&mut difference.only_here, &mut difference.here),
            _ => (&mut difference.only_there, &mut difference.there),
        };
        *count += 1;
        if titles.len() < TITLES {
            titles.push(title);
        }
    }
    difference
}

/// The settings that a folder's own files set, by key.
pub(super) fn settings_of(folder: &Path) -> BTreeMap<String, SettingEntry> {
    let (nobody, nothing) = (BTreeMap::new(), BTreeMap::new());
    let loaded =
        Places::find(&nobody, Some(folder), None).and_then(|places| Settings::load(&places, &nobody, &nothing, None));
    match loaded {
        Ok(settings) => settings
            .list()
            .into_iter()
            .filter(|entry| entry.origin == SettingOrigin::File)
            .map(|entry| (entry.key.clone(), entry))
            .collect(),
        Err(error) => {
            tracing::warn!(%error, "settings of another state are unreadable");
            BTreeMap::new()
        }
    }
}

fn settings(here: &Path, there: &Path) -> KindDifference {
    let mut difference = KindDifference::none(DataKind::Settings);
    let (here, there) = (settings_of(here), settings_of(there));
    let keys: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
    for key in keys {
        let (count, titles) = match (here.get(key), there.get(key)) {
            (Some(one), Some(other)) if one.value == other.value => continue,
            (Some(_), Some(_)) => (&mut difference.different, &mut difference.both),
            (Some(_), None) => (&mut difference.only_here, &mut difference.here),
            _ => (&mut difference.only_there, &mut difference.there),
        };
        *count += 1;
        if titles.len() < TITLES {
            titles.push(key.clone());
        }
    }
    difference
}

/// The names of the notes that only the other state has.
pub(super) fn missing_notes(disk: &dyn Disk, data: &Path, manifest: &Manifest) -> Vec<String> {
    let notes = manifest::FOLDERS[0];
    let is_note = |name: &&String| name.starts_with(notes) && name[notes.len()..].starts_with('/');
    let names = manifest.entries.iter().map(|entry| &entry.name);
    names.filter(is_note).filter(|name| !disk.exists(&data.join(name))).cloned().collect()
}
