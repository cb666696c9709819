//! Small files: read within bounds, replaced in one step, overwritten before they are removed.

use std::io::{self, Read, Write};
use std::path::Path;

use super::cipher::{self, Random};
use crate::credentials::CredentialError;
use crate::storage::disk::Disk;

/// No file of the vault is larger, in bytes.
pub(super) const LARGEST: u64 = 64 << 10;
/// The end of the name of a file that is being written.
pub(super) const FRESH: &str = ".new";

/// None when there is no such file.
pub(super) fn read(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, CredentialError> {
    if !disk.exists(path) {
        return Ok(None);
    }
    let failed = |error: io::Error| CredentialError::disk(path, &error);
    let length = disk.len(path).map_err(failed)?;
    if length > LARGEST {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        return Err(CredentialError::damaged(name, format!("it has {length} bytes, far too many")));
    }
    // Room for all of it from the start: growing would leave copies behind.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    disk.open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(Some(bytes))
}

/// A power cut leaves the old file or the new one.
pub(super) fn write(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), CredentialError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(FRESH);
    let fresh = path.with_file_name(name);
    let folder = path.parent().unwrap_or(path);
    let write = || -> io::Result<()> {
        let mut file = disk.create(&fresh)?;
        file.write_all(bytes)?;
        file.sync()?;
        drop(file);
        disk.rename(&fresh, path)?;
        disk.sync_folder(folder)
    };
    write().map_err(|error| CredentialError::disk(path, &error))
}

/// Overwrites its bytes where they lie, then removes it. False when there was none.
pub(super) fn remove(disk: &dyn Disk, path: &Path, random: Random) -> Result<bool, CredentialError> {
    if !disk.exists(path) {
        return Ok(false);
    }
    let failed = |error: io::Error| CredentialError::disk(path, &error);
    let length = disk.len(path).map_err(failed)?.min(LARGEST);
    let mut noise = vec![0; usize::try_from(length).unwrap_or(0)];
    cipher::fill(random, &mut noise)?;
    let remove = || -> io::Result<()> {
        let mut file = disk.overwrite(path)?;
        file.write_all(&noise)?;
        file.sync()?;
        drop(file);
        disk.remove_file(path)?;
        disk.sync_folder(path.parent().unwrap_or(path))
    };
    remove().map_err(failed)?;
    Ok(true)
}

/// The names in the folder; none when there is no folder.
pub(super) fn names(disk: &dyn Disk, folder: &Path) -> Result<Vec<String>, CredentialError> {
    if !disk.exists(folder) {
        return Ok(Vec::new());
    }
    let paths = disk.list(folder).map_err(|error| CredentialError::disk(folder, &error))?;
    Ok(paths.iter().filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect())
}
