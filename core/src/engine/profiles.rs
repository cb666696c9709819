//! What remains of deleted profiles on the disk: removed when they are deleted, or at the next start.

use std::io;

use crate::api::ApiError;
use crate::model::ProfileId;
use crate::storage::disk::Disk;
use crate::storage::{Db, profiles};
use crate::workspace::places::Places;

/// Removes the folders of profiles whose rows are gone. One that cannot be removed now is tried again at the next start.
///
/// # Errors
/// When the list of them cannot be read or written.
pub fn remove_leftovers(main: &Db, places: &Places, disk: &dyn Disk) -> Result<(), ApiError> {
    for profile in profiles::deleted(main)? {
        match remove_folders(places, disk, profile) {
            Ok(()) => profiles::forget_deleted(main, profile)?,
            Err(error) => tracing::warn!(%error, "the folders of a deleted profile are still there"),
        }
    }
    Ok(())
}

fn remove_folders(places: &Places, disk: &dyn Disk, profile: ProfileId) -> io::Result<()> {
    for folder in [places.profile(profile), places.index(profile)] {
        if !disk.exists(&folder) {
            continue;
        }
        disk.remove_folder(&folder)?;
        if let Some(parent) = folder.parent() {
            disk.sync_folder(parent)?;
        }
    }
    Ok(())
}
