//! The data folder: where it is on each system, what lies where in it, and how much space is left.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::api::{ApiError, ErrorCategory};
use crate::model::ProfileId;

/// All paths of one data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    data: PathBuf,
    home: Option<PathBuf>,
}

impl Places {
    /// Lowest first: the system's usual place, `./data` with `RSPA_DATABASE_DEV_MODE=true`, a folder `rspa-data` beside
    /// the executable, `--data-dir`.
    ///
    /// # Errors
    /// When the environment names no home folder.
    pub fn find(
        environment: &BTreeMap<String, String>,
        given: Option<&Path>,
        executable: Option<&Path>,
    ) -> Result<Self, ApiError> {
        let home = home_of(environment);
        let portable = executable.and_then(Path::parent).map(|folder| folder.join("rspa-data"));
        let data = if let Some(given) = given {
            given.to_owned()
        } else if let Some(portable) = portable.filter(|folder| folder.is_dir()) {
            portable
        } else if environment.get("RSPA_DATABASE_DEV_MODE").is_some_and(|value| is_true(value)) {
            PathBuf::from("data")
        } else {
            usual_place(environment, home.as_deref()).ok_or_else(|| {
                ApiError::new(
                    ErrorCategory::Storage,
                    "the environment names no home folder to keep data in",
                    "Give a folder with --data-dir.",
                )
            })?
        };
        let data = std::path::absolute(&data).map_err(|error| cannot_use(&data, &error))?;
        Ok(Self { data, home })
    }

    /// Makes the data folder, readable for its owner only.
    pub fn prepare(&self) -> Result<(), ApiError> {
        private_folder(&self.data).map_err(|error| cannot_use(&self.data, &error))
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The person's home folder.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    pub fn main_db(&self) -> PathBuf {
        self.data.join("main.redb")
    }

    pub fn profile(&self, profile: ProfileId) -> PathBuf {
        self.data.join("profiles").join(profile.to_string())
    }

    pub fn knowledge_db(&self, profile: ProfileId) -> PathBuf {
        self.profile(profile).join("knowledge.redb")
    }

    /// Keyword and vector index files of a profile; can be built again.
    pub fn index(&self, profile: ProfileId) -> PathBuf {
        self.data.join("index").join(profile.to_string())
    }

    pub fn cache_db(&self) -> PathBuf {
        self.data.join("cache").join("cache.redb")
    }

    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// Sealed credentials and their key.
    pub fn credentials(&self) -> PathBuf {
        self.data.join("credentials")
    }

    pub fn models(&self) -> PathBuf {
        self.data.join("models")
    }

    /// The sample folder that the program can write.
    pub fn samples(&self) -> PathBuf {
        self.data.join("samples")
    }

    /// Lies here while the program runs.
    pub fn running(&self) -> PathBuf {
        self.data.join("running.json")
    }

    pub fn settings_toml(&self) -> PathBuf {
        self.data.join("settings.toml")
    }

    pub fn settings_json(&self) -> PathBuf {
        self.data.join("settings.json")
    }

    pub fn settings_yaml(&self) -> PathBuf {
        self.data.join("settings.yaml")
    }

    pub fn settings_yml(&self) -> PathBuf {
        self.data.join("settings.yml")
    }
}

fn is_true(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on")
}

fn absolute_from(environment: &BTreeMap<String, String>, name: &str) -> Option<PathBuf> {
    environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn home_of(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    absolute_from(environment, if cfg!(windows) { "USERPROFILE" } else { "HOME" })
}

fn usual_place(environment: &BTreeMap<String, String>, home: Option<&Path>) -> Option<PathBuf> {
    if cfg!(windows) {
        let local = absolute_from(environment, "LOCALAPPDATA")?;
        return Some(local.join("Roostership").join("RSPersonalAgent"));
    }
    if cfg!(target_os = "macos") {
        return Some(home?.join("Library/Application Support/RSPersonalAgent"));
    }
    let share = absolute_from(environment, "XDG_DATA_HOME").or_else(|| Some(home?.join(".local/share")))?;
    Some(share.join("RSPersonalAgent"))
}

fn cannot_use(folder: &Path, error: &io::Error) -> ApiError {
    ApiError::new(
        ErrorCategory::Storage,
        format!("the data folder {} cannot be used: {error}", folder.display()),
        "Check its permissions, or choose another folder with --data-dir.",
    )
}

/// Makes a folder with its parents; those that are new are readable for their owner only.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file, readable for its owner only, so that a power cut leaves the old or the new one, never half of it.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || -> io::Result<()> {
        let mut file = options.open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        #[cfg(unix)]
        if let Some(parent) = path.parent() {
            std::fs::File::open(parent)?.sync_all()?;
        }
        Ok(())
    };
    write().inspect_err(|_error| {
        // It may not exist; the first error is the one that matters.
        std::fs::remove_file(&fresh).ok();
    })
}

/// Bytes that this user can still write to the disk of `folder`.
pub fn free_disk(folder: &Path) -> io::Result<u64> {
    #[cfg(unix)]
    {
        let path = std::ffi::CString::new(crate::model::exact_path::bytes_of(folder))?;
        let mut figures = std::mem::MaybeUninit::<libc::statvfs>::uninit();
        // SAFETY: `path` ends with a zero byte and `figures` has room for the one struct that the call fills.
        let result = unsafe { libc::statvfs(path.as_ptr(), figures.as_mut_ptr()) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so the struct is filled.
        let figures = unsafe { figures.assume_init() };
        #[allow(clippy::unnecessary_cast, clippy::useless_conversion, reason = "the widths differ between systems")]
        Ok(figures.f_bavail as u64 * figures.f_frsize as u64)
    }
    #[cfg(not(unix))]
    {
        let disks = sysinfo::Disks::new_with_refreshed_list();
        let disk = disks.iter().filter(|disk| folder.starts_with(disk.mount_point()));
        disk.max_by_key(|disk| disk.mount_point().as_os_str().len())
            .map(sysinfo::Disk::available_space)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// Bytes of all files below `folder`; links are not followed, what cannot be read counts nothing.
pub fn folder_bytes(folder: &Path) -> u64 {
    let mut open = vec![folder.to_owned()];
    let mut total = 0_u64;
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => open.push(entry.path()),
                Ok(metadata) if metadata.is_file() => total = total.saturating_add(metadata.len()),
                _ => {}
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_order_of_places() {
        let beside = tempfile::tempdir().unwrap();
        let executable = beside.path().join("rspa");
        let home = environment(&[("HOME", "/home/ada")]);
        let find = |environment: &_, given: Option<&str>| {
            Places::find(environment, given.map(Path::new), Some(&executable)).map(|places| places.data)
        };
        assert_eq!(find(&home, None).unwrap(), Path::new("/home/ada/.local/share/RSPersonalAgent"));
        let xdg = environment(&[("HOME", "/home/ada"), ("XDG_DATA_HOME", "/xdg")]);
        assert_eq!(find(&xdg, None).unwrap(), Path::new("/xdg/RSPersonalAgent"));
        let dev = environment(&[("HOME", "/home/ada"), ("RSPA_DATABASE_DEV_MODE", "true")]);
        assert_eq!(find(&dev, None).unwrap(), std::env::current_dir().unwrap().join("data"));
        std::fs::create_dir(beside.path().join("rspa-data")).unwrap();
        assert_eq!(find(&dev, None).unwrap(), beside.path().join("rspa-data"));
        assert_eq!(find(&dev, Some("/given")).unwrap(), Path::new("/given"));
        std::fs::remove_dir(beside.path().join("rspa-data")).unwrap();
        assert!(find(&environment(&[]), None).unwrap_err().message.contains("home folder"));
    }

    #[test]
    #[cfg(unix)]
    fn folders_and_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/b");
        private_folder(&folder).unwrap();
        let file = folder.join("settings.toml");
        write_private(&file, b"one").unwrap();
        write_private(&file, b"two").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
        assert_eq!(folder_bytes(outer.path()), 3);
        assert!(free_disk(&folder).unwrap() > 0);
    }
}
