//! Reads a backup whole: checksums, and that the database in it opens and is of a version that is known.

use std::path::Path;

use super::archive::Archive;
use super::work::{Progress, Watch};
use super::{BackupError, Manifest, folder, manifest};
use crate::storage::disk::Disk;
use crate::storage::examine;

/// `working` is a folder that is made for this and removed afterwards.
///
/// # Errors
/// What is wrong with the backup, or with the disk.
pub fn verify(
    disk: &dyn Disk,
    path: &Path,
    working: &Path,
    room: u64,
    watch: &dyn Watch,
) -> Result<Manifest, BackupError> {
    let mut archive = Archive::open(disk, path)?;
    let result = look(disk, &mut archive, path, working, room, watch);
    folder::remove_folder_quietly(disk, working);
    result.map(|()| archive.manifest)
}

fn look(
    disk: &dyn Disk,
    archive: &mut Archive,
    path: &Path,
    working: &Path,
    room: u64,
    watch: &dyn Watch,
) -> Result<(), BackupError> {
    let mut progress = Progress::new(watch, archive.manifest.size());
    let database = working.join(manifest::DATABASE);
    for entry in archive.manifest.entries.clone() {
        if entry.name == manifest::DATABASE {
            folder::check_room(working, entry.size, room)?;
            folder::fresh(disk, working)?;
            folder::unpack_entry(disk, archive, &entry, &database, &mut progress)?;
        } else {
            archive.copy_entry(&entry, &mut std::io::sink(), path, &mut progress)?;
        }
    }
    let examined = examine::examine(disk, &database)?;
    if examined.schema != archive.manifest.schema {
        return Err(BackupError::damaged(path, "its database is of another version than its manifest says"));
    }
    Ok(())
}
