//! Where an import reads from: one file, a folder, or a zip archive (a wheel is one). All of it is hostile.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::find::FoundMember;
use crate::{Error, Result};

/// Files looked at in a folder or an archive; model folders have a few dozen.
const MAX_ENTRIES: usize = 50_000;
/// Folders below the chosen one: enough for a wheel that was unpacked and for a hub's cache.
const MAX_DEPTH: usize = 6;
/// Weights hardly shrink when they are packed; what expands more than this was made to fill the disk.
const MAX_EXPANSION: u64 = 100;
/// Below this an expansion cannot hurt.
const HARMLESS_BYTES: u64 = 64 << 20;

/// A file that an import could use.
pub(super) struct Entry {
    /// Relative to the folder or archive, with `/`.
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) place: Place,
}

#[derive(Clone)]
pub(super) enum Place {
    File(PathBuf),
    /// Index in the archive.
    Archived(usize),
}

pub(super) enum Source {
    File(PathBuf),
    Folder(PathBuf),
    Archive(PathBuf, ZipArchive<BufReader<File>>),
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let io_error = |error| Error::io(path, error);
        if fs::metadata(path).map_err(io_error)?.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let mut file = regular_file(path)?;
        let mut magic = Vec::new();
        file.by_ref().take(4).read_to_end(&mut magic).map_err(io_error)?;
        match magic.as_slice() {
            b"GGUF" => Ok(Self::File(path.to_owned())),
            b"PK\x03\x04" => {
                let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| zip_error(path, error))?;
                Ok(Self::Archive(path.to_owned(), archive))
            }
            _ => Err(Error::NothingToImport(path.to_owned())),
        }
    }

    /// All regular files in it.
    pub(super) fn entries(&mut self) -> Result<Vec<Entry>> {
        match self {
            Self::File(path) => {
                let size = fs::metadata(&*path).map_err(|error| Error::io(&*path, error))?.len();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Ok(vec![Entry { name, size, place: Place::File(path.clone()) }])
            }
            Self::Folder(folder) => {
                let mut entries = Vec::new();
                walk(folder, "", 0, &mut entries)?;
                Ok(entries)
            }
            Self::Archive(path, archive) => archive_entries(path, archive),
        }
    }

    pub(super) fn read(&mut self, member: &FoundMember) -> Result<Box<dyn Read + '_>> {
        match (&member.place, self) {
            (Place::Archived(index), Self::Archive(path, archive)) => {
                Ok(Box::new(archive.by_index(*index).map_err(|error| zip_error(path, error))?))
            }
            (Place::File(path), _) => Ok(Box::new(regular_file(path)?)),
            (Place::Archived(_), _) => Err(Error::NothingToImport(member.shown.clone())),
        }
    }
}

/// Opens a file without waiting on a pipe that someone put in its place.
fn regular_file(path: &Path) -> Result<File> {
    let metadata = fs::metadata(path).map_err(|error| Error::io(path, error))?;
    if !metadata.is_file() {
        return Err(Error::malformed(path, "it is not a regular file"));
    }
    File::open(path).map_err(|error| Error::io(path, error))
}

/// Symbolic links to files are followed, as hub caches need it; links to folders are not, so that no loop can form.
fn walk(folder: &Path, prefix: &str, depth: usize, entries: &mut Vec<Entry>) -> Result<()> {
    let listing = fs::read_dir(folder).map_err(|error| Error::io(folder, error))?;
    for item in listing {
        let item = item.map_err(|error| Error::io(folder, error))?;
        if entries.len() >= MAX_ENTRIES {
            return Err(Error::malformed(
                folder,
                format!("it holds more than {MAX_ENTRIES} files; choose the model's own folder"),
            ));
        }
        let (Ok(kind), Ok(name)) = (item.file_type(), item.file_name().into_string()) else { continue };
        let name = format!("{prefix}{name}");
        if kind.is_dir() {
            // An unreadable folder beside the model is no reason to refuse the model.
            if depth < MAX_DEPTH && fs::read_dir(item.path()).is_ok() {
                walk(&item.path(), &format!("{name}/"), depth + 1, entries)?;
            }
        } else if let Some(metadata) = fs::metadata(item.path()).ok().filter(|metadata| metadata.is_file()) {
            entries.push(Entry { name, size: metadata.len(), place: Place::File(item.path()) });
        }
    }
    Ok(())
}

fn archive_entries(path: &Path, archive: &mut ZipArchive<BufReader<File>>) -> Result<Vec<Entry>> {
    if archive.len() > MAX_ENTRIES {
        return Err(Error::malformed(path, format!("it holds more than {MAX_ENTRIES} files")));
    }
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        // Raw: neither decompresses nor asks for a password.
        let file = archive.by_index_raw(index).map_err(|error| zip_error(path, error))?;
        let Some(name) = file.enclosed_name().and_then(|name| name.to_str().map(str::to_owned)) else {
            let name = file.name().map(|name| name.into_owned()).unwrap_or_default();
            return Err(Error::malformed(path, format!("it holds a file named {name:?}, which points outside of it")));
        };
        if !file.is_file() {
            continue;
        }
        let (size, packed) = (file.size(), file.compressed_size());
        if size > HARMLESS_BYTES && size / packed.max(1) > MAX_EXPANSION {
            let reason = format!("{name:?} would grow from {packed} to {size} bytes; no model does");
            return Err(Error::malformed(path, reason));
        }
        entries.push(Entry { name: name.replace('\\', "/"), size, place: Place::Archived(index) });
    }
    Ok(entries)
}

fn zip_error(path: &Path, error: zip::result::ZipError) -> Error {
    match error {
        zip::result::ZipError::Io(error) => read_error(path, error),
        error => Error::malformed(path, error.to_string()),
    }
}

/// What the data itself is to blame for is a damaged file; the rest is the disk.
pub(super) fn read_error(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::Other => Error::malformed(path, error.to_string()),
        _ => Error::io(path, error),
    }
}
