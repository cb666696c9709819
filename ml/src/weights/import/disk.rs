//! The disk's side of an import: room, a hidden place to build in, and the one step that makes a model visible.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Error, Result};

/// What must stay free beside the models: the program's own writes go on meanwhile.
const SPARE_BYTES: u64 = 64 << 20;
const STAGING_PREFIX: &str = ".import-";

/// A hidden folder inside the model folder, removed with all it holds when the import ends in any way.
pub(super) struct Staging(PathBuf);

impl Staging {
    pub(super) fn create(models_folder: &Path) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = models_folder.join(format!("{STAGING_PREFIX}{}-{number}", std::process::id()));
        fs::create_dir(&path).map_err(|error| Error::io(&path, error))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "could not remove what an import left over");
        }
    }
}

/// Removes what an import left that was killed; a running process keeps its own.
pub(super) fn remove_abandoned(models_folder: &Path) {
    let Ok(listing) = fs::read_dir(models_folder) else { return };
    for item in listing.flatten() {
        let name = item.file_name().to_string_lossy().into_owned();
        let Some(process) = name.strip_prefix(STAGING_PREFIX).and_then(|rest| rest.split('-').next()) else { continue };
        if process.parse().is_ok_and(|process: i32| !is_running(process))
            && let Err(error) = fs::remove_dir_all(item.path())
        {
            tracing::warn!(path = %item.path().display(), %error, "could not remove what an import left over");
        }
    }
}

#[cfg(unix)]
fn is_running(process: i32) -> bool {
    // SAFETY: signal 0 sends nothing; it only asks whether the process exists.
    process <= 0
        || unsafe { libc::kill(process, 0) } == 0
        || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

#[cfg(not(unix))]
fn is_running(process: i32) -> bool {
    u32::try_from(process) == Ok(std::process::id())
}

/// Refuses, with the numbers, what would not fit.
pub(super) fn require_free(folder: &Path, needed: u64) -> Result<()> {
    match free_bytes(folder) {
        Some(free) => enough(folder, needed, free),
        None => Ok(()),
    }
}

fn enough(folder: &Path, needed: u64, free: u64) -> Result<()> {
    if needed <= free.saturating_sub(SPARE_BYTES) {
        return Ok(());
    }
    let message =
        format!("the disk is too full: {} MB are needed, {} MB are free", needed.div_ceil(1_000_000), free / 1_000_000);
    Err(Error::io(folder, io::Error::new(io::ErrorKind::StorageFull, message)))
}

/// Bytes that this user may still write to the disk of `folder`; none where the system does not say.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(folder.as_os_str().as_bytes()).ok()?;
    let mut answer = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `path` ends in a zero byte and `answer` has room for the structure that the call fills.
    if unsafe { libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded and filled the structure; zero bytes are valid for it in any case.
    let answer = unsafe { answer.assume_init() };
    #[allow(clippy::unnecessary_cast, reason = "the width of these fields differs between systems")]
    Some((answer.f_bavail as u64).saturating_mul(answer.f_frsize as u64))
}

#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}

/// A full disk is said in words.
pub(super) fn write_error(target: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Error::io(target, io::Error::new(error.kind(), format!("the disk is full ({error})")))
        }
        _ => Error::io(target, error),
    }
}

/// Moves a finished model to its place, replacing one of the same id in one step, and returns the place.
pub(super) fn publish(staged: &Path, models_folder: &Path) -> Result<PathBuf> {
    let name = staged.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // The id does not tell capitals apart, so a model that differs only in them is the same one.
    let same = |item: &fs::DirEntry| item.file_name().to_string_lossy().eq_ignore_ascii_case(&name);
    let present = fs::read_dir(models_folder)
        .map_err(|error| Error::io(models_folder, error))?
        .flatten()
        .find(same)
        .map(|item| item.path());
    let target = present.clone().unwrap_or_else(|| models_folder.join(&name));
    if staged.is_dir() {
        sync_folder(staged)?;
    }
    match present {
        // A folder cannot be renamed over a folder that holds something: the two change places, and the old one goes
        // with the staging folder.
        Some(present) if present.is_dir() || staged.is_dir() => {
            exchange(staged, &target).map_err(|error| Error::io(&target, error))?;
        }
        _ => fs::rename(staged, &target).map_err(|error| Error::io(&target, error))?,
    }
    Ok(target)
}

/// Swaps two names in one step.
#[cfg(target_os = "linux")]
fn exchange(left: &Path, right: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let (left_c, right_c) =
        (std::ffi::CString::new(left.as_os_str().as_bytes())?, std::ffi::CString::new(right.as_os_str().as_bytes())?);
    // SAFETY: both paths end in a zero byte and live through the call.
    let result = unsafe {
        libc::renameat2(libc::AT_FDCWD, left_c.as_ptr(), libc::AT_FDCWD, right_c.as_ptr(), libc::RENAME_EXCHANGE)
    };
    if result == 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        // Not every file system can (exFAT, some network shares).
        error if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS | libc::ENOTSUP)) => {
            replace_in_two_steps(left, right)
        }
        error => Err(error),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(left: &Path, right: &Path) -> io::Result<()> {
    replace_in_two_steps(left, right)
}

/// The old model steps aside first and comes back when the new one cannot take its place.
fn replace_in_two_steps(staged: &Path, target: &Path) -> io::Result<()> {
    let aside = staged.with_extension("replaced");
    fs::rename(target, &aside)?;
    fs::rename(staged, target).or_else(|error| fs::rename(&aside, target).and(Err(error)))
}

/// Makes renames and new names inside `folder` survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| Error::io(folder, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_refused_with_the_numbers() {
        let error = enough(Path::new("/models"), 2_000_000_000, 1_000_000_000).unwrap_err().to_string();
        assert!(error.contains("2000 MB are needed, 1000 MB are free"), "{error}");
        assert!(enough(Path::new("/models"), u64::MAX, u64::MAX).is_err());
        assert!(enough(Path::new("/models"), 1, 1 << 30).is_ok());
        assert!(require_free(&std::env::temp_dir(), u64::MAX).is_err());
    }

    #[test]
    fn what_a_killed_import_left_is_removed_and_a_running_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let dead = folder.path().join(format!("{STAGING_PREFIX}{}-0", child.id()));
        let alive = folder.path().join(format!("{STAGING_PREFIX}{}-7", std::process::id()));
        fs::create_dir(&dead).unwrap();
        fs::create_dir(&alive).unwrap();
        remove_abandoned(folder.path());
        assert!(!dead.exists() && alive.exists());
    }

    #[test]
    fn two_steps_replace_a_folder_where_names_cannot_be_swapped() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (folder.path().join("new"), folder.path().join("old"));
        for path in [&new, &old] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("name"), path.file_name().unwrap().to_string_lossy().as_bytes()).unwrap();
        }
        replace_in_two_steps(&new, &old).unwrap();
        assert_eq!(fs::read_to_string(old.join("name")).unwrap(), "new");
    }
}
