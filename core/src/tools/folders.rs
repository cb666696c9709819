//! Where an agent may read and write: a path from a model becomes a place inside one of its folders, or is refused in words.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Scope;
use super::args::{refused, wrong};
use super::beneath::{Dir, Entry, Kind};
use crate::api::{ApiError, ErrorCategory};
use crate::knowledge::readers::{bytes_in_words, words_of};

/// Longer paths are refused, in bytes.
const MOST_PATH: usize = 4_096;
const MOST_DEPTH: usize = 64;

/// Folders and files that hold keys and passwords: never touched, wherever they lie. In small letters.
const SECRET_NAMES: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".password-store",
    ".mozilla",
    ".thunderbird",
    ".netrc",
    "_netrc",
    ".git-credentials",
    ".pgpass",
    ".pypirc",
    ".npmrc",
    ".env",
    "keychains",
    "keyrings",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
];
/// Below `.config` and the like.
const SECRET_PAIRS: &[(&str, &str)] = &[
    (".config", "gcloud"),
    (".config", "gh"),
    (".config", "google-chrome"),
    (".config", "chromium"),
    (".config", "op"),
];
/// What is written here is run by other programs.
const NEVER_WRITTEN: &[&str] = &[".git", ".hg", ".svn"];

/// A place inside an allowed folder, as yet only by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    root: PathBuf,
    names: Vec<OsString>,
    writable: bool,
    path: PathBuf,
}

/// The place that a model named.
///
/// # Errors
/// Category authorisation for everything that is not inside one of the agent's folders.
pub fn find(scope: &Scope, text: &str) -> Result<Place, ApiError> {
    let folders = &scope.agent.settings.folders;
    let Some(first) = folders.first() else {
        return Err(refused("this agent has no folders, so it can touch no files", "Give it a folder on its page."));
    };
    if text.len() > MOST_PATH || text.chars().any(is_deceptive) {
        return Err(wrong("the path is too long or holds characters that cannot be seen"));
    }
    let given = Path::new(text.trim());
    let outside = || {
        let all: Vec<_> = folders.iter().map(|folder| folder.path.display().to_string()).collect();
        refused(
            format!("{text:?} is not inside a folder that this agent may use"),
            format!("Allowed: {}. A path is relative to the first of them, or absolute.", all.join(", ")),
        )
    };
    let (folder, inner) = if given.has_root() || given.is_absolute() {
        let inside = |folder: &&crate::model::AllowedFolder| {
            let resolved = folder.path.canonicalize().ok();
            let inner = given.strip_prefix(&folder.path).ok();
            inner.or_else(|| given.strip_prefix(resolved?).ok()).map(Path::to_owned)
        };
        // The innermost folder decides whether it may be written.
        let found = folders.iter().filter_map(|folder| Some((folder, inside(&folder)?)));
        found.min_by_key(|(_, inner)| inner.components().count()).ok_or_else(outside)?
    } else {
        let named = first.path.join(given);
        let inner = folders.iter().filter_map(|folder| {
            let inner = named.strip_prefix(&folder.path).ok()?;
            Some((folder, inner.to_owned()))
        });
        inner.min_by_key(|(_, inner)| inner.components().count()).ok_or_else(outside)?
    };
    let mut names = Vec::new();
    for part in inner.components() {
        match part {
            Component::Normal(name) => names.push(name.to_owned()),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(outside()),
        }
    }
    if names.len() > MOST_DEPTH {
        return Err(wrong(format!("the path has more than {MOST_DEPTH} folders inside each other")));
    }
    let place = Place {
        path: names.iter().fold(folder.path.clone(), |path, name| path.join(name)),
        root: folder.path.clone(),
        names,
        writable: folder.write,
    };
    place.check_secret(&place.path)?;
    Ok(place)
}

/// Controls, and marks that make a name look like another one or vanish on some file systems.
fn is_deceptive(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Whether a name of an entry is one that is never touched.
pub fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    SECRET_NAMES.contains(&name.as_str())
}

/// Whether this folder is the data folder of this program.
fn is_own_data(folder: &Dir) -> bool {
    let has = |name: &str| folder.kind(OsStr::new(name)).is_some();
    has("main.redb") && (has("profiles") || has("running.json"))
}

impl Place {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its path within the allowed folder; a dot for the folder itself.
    pub fn shown(&self) -> String {
        if self.names.is_empty() {
            return ".".to_owned();
        }
        let names: Vec<_> = self.names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        names.join("/")
    }

    pub fn name(&self) -> String {
        self.names.last().map_or_else(|| ".".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> PathBuf {
        if self.names.is_empty() { self.path.clone() } else { self.path.parent().unwrap_or(&self.root).to_owned() }
    }

    /// What lies in this place under these names.
    pub fn below(&self, names: &[OsString]) -> Self {
        let mut below = self.clone();
        for name in names {
            below.path.push(name);
            below.names.push(name.clone());
        }
        below
    }

    /// # Errors
    /// When the folder may only be read, or the place is one where written files are run.
    pub fn check_writable(&self) -> Result<(), ApiError> {
        if !self.writable {
            return Err(refused(
                format!("{} may be read but not written", self.root.display()),
                "Write into a folder that may be written, or allow it on the agent's page.",
            ));
        }
        let special = |name: &OsString| NEVER_WRITTEN.contains(&name.to_string_lossy().to_lowercase().as_str());
        if self.names.iter().any(special) {
            return Err(refused(
                format!("{} belongs to version control and is not written", self.path.display()),
                "Write another file.",
            ));
        }
        Ok(())
    }

    fn check_secret(&self, path: &Path) -> Result<(), ApiError> {
        let names: Vec<_> = path.iter().map(|name| name.to_string_lossy().to_lowercase()).collect();
        let single = path.iter().find(|name| is_secret(name)).map(|name| name.to_string_lossy().into_owned());
        let pair = names.windows(2).find(|pair| SECRET_PAIRS.contains(&(pair[0].as_str(), pair[1].as_str())));
        let Some(found) = single.or_else(|| pair.map(|pair| pair.join("/"))) else { return Ok(()) };
        Err(refused(
            format!("{found} usually holds keys or passwords, so tools never touch it"),
            "Do without it, or ask the person.",
        ))
    }

    /// The allowed folder itself, held open.
    fn open_root(&self) -> Result<Dir, ApiError> {
        let root = Dir::open(&self.root).map_err(|error| self.io(&error))?;
        let resolved = self.root.canonicalize().map_err(|error| self.io(&error))?;
        self.check_secret(&resolved)?;
        for folder in resolved.ancestors().skip(1) {
            let Ok(above) = Dir::open(folder) else { continue };
            if is_own_data(&above) && !resolved.starts_with(folder.join("samples")) {
                return Err(own_data());
            }
        }
        if is_own_data(&root) && self.names.first().is_none_or(|name| name != "samples") {
            return Err(own_data());
        }
        Ok(root)
    }

    /// Goes down through these names, name by name.
    fn descend(&self, names: &[OsString], make: bool) -> Result<Dir, ApiError> {
        let mut at = self.open_root()?;
        for (index, name) in names.iter().enumerate() {
            if make && at.kind(name).is_none() {
                match at.make_folder(name) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(self.io(&error)),
                    _ => {}
                }
            }
            at = at.folder(name).map_err(|error| self.refine(at.kind(name), &error))?;
            if is_own_data(&at) && self.names.get(index + 1).is_none_or(|next| next != "samples") {
                return Err(own_data());
            }
        }
        Ok(at)
    }

    /// This place as a folder, held open.
    pub fn open_folder(&self) -> Result<Dir, ApiError> {
        self.descend(&self.names, false)
    }

    /// The folder that it lies in, held open, and its name in it. With `make`, folders on the way are made.
    pub fn open_parent(&self, make: bool) -> Result<(Dir, &OsStr), ApiError> {
        let Some((name, above)) = self.names.split_last() else {
            return Err(wrong(format!("{} is a folder, not a file", self.path.display())));
        };
        Ok((self.descend(above, make)?, name))
    }

    /// What is here; none when nothing is.
    pub fn kind(&self) -> Result<Option<Kind>, ApiError> {
        let Some((name, above)) = self.names.split_last() else { return Ok(Some(Kind::Folder)) };
        let mut at = self.open_root()?;
        for name in above {
            match at.kind(name) {
                None => return Ok(None),
                Some(kind) => at = at.folder(name).map_err(|error| self.refine(Some(kind), &error))?,
            }
        }
        Ok(at.kind(name))
    }

    pub fn open_file(&self) -> Result<File, ApiError> {
        let (folder, name) = self.open_parent(false)?;
        folder.file(name).map_err(|error| self.refine(folder.kind(name), &error))
    }

    /// The whole file, which may have at most so many bytes.
    pub fn read(&self, most: u64) -> Result<Vec<u8>, ApiError> {
        let file = self.open_file()?;
        let size = file.metadata().map_err(|error| self.io(&error))?.len();
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(most)).unwrap_or(0) + 1);
        file.take(most + 1).read_to_end(&mut bytes).map_err(|error| self.io(&error))?;
        if bytes.len() as u64 > most {
            return Err(ApiError::validation(
                format!(
                    "{} is {} large; this tool takes files up to {}",
                    self.shown(),
                    bytes_in_words(size.max(bytes.len() as u64)),
                    bytes_in_words(most)
                ),
                "Use a smaller file, or part of it.",
            ));
        }
        Ok(bytes)
    }

    /// The entries of this folder, sorted by kind and name; true when there were more than are read.
    pub fn entries(&self) -> Result<(Vec<Entry>, bool), ApiError> {
        let (mut entries, more) = self.open_folder()?.entries().map_err(|error| self.io(&error))?;
        entries.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        Ok((entries, more))
    }

    /// Writes the file in one step, if it still is as `before` says; an old file keeps its permissions.
    pub fn replace(&self, bytes: &[u8], before: Option<&str>, most: u64) -> Result<(), ApiError> {
        self.check_writable()?;
        let (folder, name) = self.open_parent(true)?;
        let unchanged = || -> Result<(), ApiError> {
            let now = match folder.kind(name) {
                None => None,
                Some(_) => Some(hex(&self.read(most)?)),
            };
            if now.as_deref() == before {
                return Ok(());
            }
            Err(ApiError::validation(
                format!("{} was changed since this write was proposed, so it was not written", self.shown()),
                "Read it again and propose the change anew.",
            ))
        };
        unchanged()?;
        let mut fresh = OsString::from(".");
        fresh.push(name);
        fresh.push(format!(".{}.new", uuid::Uuid::now_v7().simple()));
        let permissions = match folder.file(name) {
            Ok(old) => old.metadata().ok().map(|metadata| metadata.permissions()),
            Err(_) => None,
        };
        let write = || -> Result<(), ApiError> {
            // What the old file allows is given to the new one only when it is whole.
            let mut file = folder.create(&fresh, permissions.is_some()).map_err(|error| self.io(&error))?;
            file.write_all(bytes).map_err(|error| self.io(&error))?;
            if let Some(permissions) = permissions {
                file.set_permissions(permissions).map_err(|error| self.io(&error))?;
            }
            file.sync_all().map_err(|error| self.io(&error))?;
            drop(file);
            unchanged()?;
            folder.rename(&fresh, name).map_err(|error| self.io(&error))
        };
        write().inspect_err(|_error| {
            // It may not exist; the first error is the one that matters.
            folder.remove(&fresh).ok();
        })?;
        folder.sync().map_err(|error| self.io(&error))
    }

    /// What the system said, or better words where what lies there explains it.
    fn refine(&self, kind: Option<Kind>, error: &io::Error) -> ApiError {
        match kind {
            Some(Kind::Link) => refused(
                format!("{} leads through a link; links are not followed", self.shown()),
                "Name the real file, inside an allowed folder.",
            ),
            Some(Kind::Other) => {
                refused(format!("{} is a device, a pipe or a socket", self.shown()), "Name a regular file.")
            }
            Some(Kind::File) if error.kind() == io::ErrorKind::NotADirectory => {
                wrong(format!("{} leads through a file as if it were a folder", self.shown()))
            }
            Some(Kind::Folder) => match error.kind() {
                io::ErrorKind::PermissionDenied => self.io(error),
                _ => wrong(format!("{} is a folder, not a file", self.shown())),
            },
            _ => self.io(error),
        }
    }

    pub fn io(&self, error: &io::Error) -> ApiError {
        match error.kind() {
            io::ErrorKind::NotFound => ApiError::validation(
                format!("{} does not exist", self.shown()),
                "List the folder to see which names there are.",
            ),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                ApiError::new(ErrorCategory::Storage, "the disk is full", "Free some room and try again.")
            }
            _ => ApiError::new(
                ErrorCategory::Storage,
                format!("{}: {}", self.shown(), words_of(error)),
                "Check that the file may be used.",
            ),
        }
    }
}

fn own_data() -> ApiError {
    refused("this is the program's own data folder, which tools never touch", "Use another folder.")
}

/// SHA-256 in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
