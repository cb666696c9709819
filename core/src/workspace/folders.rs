//! A folder's content for the picker inside the window.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::api::{ApiError, ErrorCategory};
use crate::model::{FolderEntry, FolderListing, Place, Timestamp};

/// Entries that are listed at most.
const MOST: usize = 5_000;
/// Entries that are looked at, at most, to find the first by name.
const LOOKED_AT: usize = 200_000;

/// Lists folders and plain files (also behind links); pipes, sockets and devices are left out and never opened.
///
/// # Errors
/// When the folder does not exist, is none, or must not be read.
pub fn list(path: Option<&Path>, home: Option<&Path>, show_hidden: bool) -> Result<FolderListing, ApiError> {
    let root = Path::new(if cfg!(windows) { "C:\\" } else { "/" });
    let path = std::path::absolute(path.or(home).unwrap_or(root)).map_err(|error| cannot(root, &error))?;
    let mut entries = Vec::new();
    let mut truncated = false;
    for (seen, entry) in std::fs::read_dir(&path).map_err(|error| cannot(&path, &error))?.enumerate() {
        if seen >= LOOKED_AT {
            truncated = true;
            break;
        }
        let Ok(entry) = entry else { continue };
        entries.extend(describe(&entry.path()).filter(|entry| show_hidden || !entry.hidden));
    }
    entries.sort_by_cached_key(|entry| (!entry.is_folder, entry.name.to_lowercase(), entry.path.clone()));
    truncated |= entries.len() > MOST;
    entries.truncate(MOST);
    Ok(FolderListing {
        parent: path.parent().map(Path::to_owned),
        entries,
        truncated,
        places: places(home, root),
        path,
    })
}

fn describe(path: &Path) -> Option<FolderEntry> {
    // Follows links; a broken one shows nothing to open.
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_dir() && !metadata.is_file() {
        return None;
    }
    let name = path.file_name()?.to_string_lossy().into_owned();
    Some(FolderEntry {
        hidden: name.starts_with('.'),
        is_folder: metadata.is_dir(),
        size_bytes: if metadata.is_file() { metadata.len() } else { 0 },
        modified: modified(&metadata),
        readable: readable(path),
        name,
        path: path.to_owned(),
    })
}

fn modified(metadata: &Metadata) -> Option<Timestamp> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Timestamp)
}

fn readable(path: &Path) -> bool {
    #[cfg(unix)]
    {
        let Ok(path) = std::ffi::CString::new(crate::model::exact_path::bytes_of(path)) else { return false };
        // SAFETY: `path` ends with a zero byte and lives through the call, which only reads it.
        unsafe { libc::access(path.as_ptr(), libc::R_OK) == 0 }
    }
    #[cfg(not(unix))]
    {
        std::fs::metadata(path).is_ok()
    }
}

fn places(home: Option<&Path>, root: &Path) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some(home) = home {
        places.push(Place { label: "Home".to_owned(), path: home.to_owned() });
        for label in ["Documents", "Desktop", "Downloads"] {
            let path = home.join(label);
            if path.is_dir() {
                places.push(Place { label: label.to_owned(), path });
            }
        }
    }
    places.extend(drives());
    places.push(Place { label: "Computer".to_owned(), path: root.to_owned() });
    places
}

/// Mounted drives: `/media/*/*`, `/run/media/*/*`, `/mnt/*`, `/Volumes/*`.
fn drives() -> Vec<Place> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
        let mut folders: Vec<_> =
            entries.flatten().take(100).map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        folders.sort();
        folders
    };
    let mut drives = Vec::new();
    for users in ["/media", "/run/media"] {
        for user in folders(Path::new(users)) {
            drives.extend(folders(&user));
        }
    }
    drives.extend(folders(Path::new("/mnt")));
    drives.extend(folders(Path::new("/Volumes")));
    let label = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    drives.into_iter().map(|path| Place { label: label(&path), path }).collect()
}

fn cannot(path: &Path, error: &io::Error) -> ApiError {
    let (why, advice) = match error.kind() {
        io::ErrorKind::NotFound => ("does not exist", "Choose another folder."),
        io::ErrorKind::PermissionDenied => ("may not be read by you", "Ask its owner, or choose another folder."),
        io::ErrorKind::NotADirectory => ("is no folder", "Choose the folder that it lies in."),
        _ => {
            let message = format!("{} cannot be read: {error}", path.display());
            return ApiError::new(ErrorCategory::Storage, message, "Choose another folder.");
        }
    };
    ApiError::new(ErrorCategory::Storage, format!("{} {why}", path.display()), advice)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folders_come_first_and_odd_things_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("zoo")).unwrap();
        std::fs::write(at("B.txt"), b"12345").unwrap();
        std::fs::write(at("a.txt"), b"").unwrap();
        std::fs::write(at(".secret"), b"").unwrap();
        symlink("nowhere", at("broken")).unwrap();
        symlink(folder.path(), at("loop")).unwrap();
        let odd = folder.path().join(std::ffi::OsString::from_vec(b"\xffodd".to_vec()));
        std::fs::write(&odd, b"").unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let listing = list(Some(folder.path()), None, false).unwrap();
        let names: Vec<_> = listing.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["loop", "zoo", "a.txt", "B.txt", "\u{fffd}odd"]);
        assert_eq!(listing.entries[4].path, odd);
        assert_eq!(listing.entries[3].size_bytes, 5);
        assert_eq!(listing.parent.as_deref(), folder.path().parent());
        let all = list(Some(folder.path()), None, true).unwrap();
        assert!(all.entries.iter().any(|entry| entry.name == ".secret" && entry.hidden));
    }

    #[test]
    fn home_is_where_it_begins_and_errors_are_words() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("Documents")).unwrap();
        let listing = list(None, Some(home.path()), false).unwrap();
        assert_eq!(listing.path, home.path());
        let labels: Vec<_> = listing.places.iter().map(|place| place.label.as_str()).collect();
        assert_eq!(labels[..2], ["Home", "Documents"]);
        assert_eq!(labels.last(), Some(&"Computer"));
        let missing = list(Some(&home.path().join("gone")), None, false).unwrap_err();
        assert!(missing.message.ends_with("does not exist"), "{missing}");
        std::fs::write(home.path().join("file"), b"").unwrap();
        let file = list(Some(&home.path().join("file")), None, false).unwrap_err();
        assert!(file.message.ends_with("is no folder"), "{file}");
    }
}
