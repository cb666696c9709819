//! Where the socket of a data folder lies: in a folder that only this person can enter, named by a hash.
//!
//! Not in the data folder: that may lie on a file system without sockets, or its path be too long for one.

use std::collections::BTreeMap;
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

use sha2::{Digest, Sha256};

/// Bytes that a path of a socket may have: `sun_path` is 104 on macOS and 108 on Linux, with a zero at its end.
#[cfg(unix)]
const LONGEST_PATH: usize = 100;

/// The places where the socket of one data folder may be.
#[derive(Clone, Debug)]
pub struct Place {
    /// 32 characters.
    name: String,
    /// Best first. The owner takes the first that it can use; whoever looks for it looks into all.
    #[cfg(unix)]
    folders: Vec<PathBuf>,
}

impl Place {
    /// Of the data folder, for a process with this environment.
    pub fn of(environment: &BTreeMap<String, String>, data: &Path) -> Self {
        let canonical = data.canonicalize().unwrap_or_else(|_missing| data.to_owned());
        let hash = Sha256::digest(crate::model::exact_path::bytes_of(&canonical));
        let name = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        #[cfg(not(unix))]
        {
            let _ = environment;
            Self { name }
        }
        #[cfg(unix)]
        {
            let absolute = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
            let user = user();
            let mut folders: Vec<PathBuf> =
                absolute("XDG_RUNTIME_DIR").map(|folder| folder.join("rspa")).into_iter().collect();
            // A shell without a session may lack the variable but not the folder.
            folders.push(PathBuf::from(format!("/run/user/{user}/rspa")));
            folders.push(absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp")).join(format!("rspa-{user}")));
            // Short in any case.
            folders.push(PathBuf::from(format!("/tmp/rspa-{user}")));
            folders.dedup();
            let fits = |folder: &PathBuf| folder.as_os_str().len() + 1 + 32 <= LONGEST_PATH;
            folders.retain(fits);
            Self { name, folders }
        }
    }

    /// The path to listen at; its folder is made, and nobody else can enter it.
    ///
    /// # Errors
    /// When there is no such folder and none can be made.
    #[cfg(unix)]
    pub fn to_bind(&self) -> std::io::Result<PathBuf> {
        let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
        for folder in &self.folders {
            match prepare(folder) {
                Ok(()) => return Ok(folder.join(&self.name)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The paths where an owner may listen: something is there, in a folder that only this person can enter.
    #[cfg(unix)]
    pub fn to_connect(&self) -> Vec<PathBuf> {
        let own = self.folders.iter().filter(|folder| check(folder).is_ok());
        own.map(|folder| folder.join(&self.name)).filter(|path| path.symlink_metadata().is_ok()).collect()
    }

    /// Whether an owner may listen; quick, and never wrong when it says no.
    pub fn may_be_served(&self) -> bool {
        #[cfg(unix)]
        return !self.to_connect().is_empty();
        #[cfg(not(unix))]
        return true;
    }

    /// The name of the pipe.
    #[cfg(windows)]
    pub fn pipe(&self) -> String {
        format!(r"\\.\pipe\rspa-{}", self.name)
    }
}

/// The id of the user that this process works as.
#[cfg(unix)]
pub(super) fn user() -> u32 {
    // SAFETY: geteuid has no arguments and cannot fail.
    unsafe { libc::geteuid() }
}

/// Makes the folder if it is not there, and refuses one that another person made or can enter.
#[cfg(unix)]
fn prepare(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    check(folder)
}

#[cfg(unix)]
fn check(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    // Of a link itself, not of what it points to.
    let metadata = folder.symlink_metadata()?;
    if metadata.is_dir() && metadata.uid() == user() && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(std::io::Error::new(
        std::io::ErrorKind::PermissionDenied,
        format!("{} is not a folder that only this person can enter", folder.display()),
    ))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place(runtime: &Path, data: &Path) -> Place {
        Place::of(&BTreeMap::from([("XDG_RUNTIME_DIR".to_owned(), runtime.display().to_string())]), data)
    }

    #[test]
    fn one_name_for_one_folder_however_it_is_reached() {
        let outer = tempfile::tempdir().unwrap();
        let data = outer.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, outer.path().join("link")).unwrap();
        let bound = place(outer.path(), &data).to_bind().unwrap();
        assert_eq!(bound, place(outer.path(), &outer.path().join("link")).to_bind().unwrap());
        assert_ne!(bound, place(outer.path(), outer.path()).to_bind().unwrap());
        assert!(place(outer.path(), &data).to_connect().is_empty());
        std::fs::write(&bound, "").unwrap();
        assert_eq!(place(outer.path(), &data).to_connect(), [bound]);
    }

    #[test]
    fn a_long_runtime_folder_is_left_for_a_short_one() {
        let outer = tempfile::tempdir().unwrap();
        let long = outer.path().join("x".repeat(120));
        std::fs::create_dir(&long).unwrap();
        let bound = place(&long, &long.join("data")).to_bind().unwrap();
        assert!(bound.as_os_str().len() <= LONGEST_PATH, "{}", bound.display());
    }

    #[test]
    fn a_folder_that_others_can_enter_or_a_link_is_not_used() {
        let outer = tempfile::tempdir().unwrap();
        let open = outer.path().join("rspa");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(prepare(&open).is_err());
        assert!(!place(outer.path(), outer.path()).to_bind().unwrap().starts_with(&open));
        let private = outer.path().join("private");
        prepare(&private).unwrap();
        let link = outer.path().join("link");
        std::os::unix::fs::symlink(&private, &link).unwrap();
        assert!(prepare(&link).is_err());
        assert!(prepare(&private).is_ok());
    }
}
