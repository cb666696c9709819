//! Writes what matches a filter into a file: entry by entry, whole or not at all, never over a file unasked.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::unreadable;
use crate::api::request::logs::ExportLogs;
use crate::api::{ApiError, ErrorCategory};
use crate::observe::{write_entry, write_head};
use crate::storage::StorageError;
use crate::storage::logs::LogReader;

/// Entries between two looks at whether it is still wanted.
const LOOK: u64 = 256;

pub(super) fn export(reader: &LogReader, request: &ExportLogs, cancel: &CancellationToken) -> Result<u64, ApiError> {
    let path = &request.path;
    if !path.is_absolute() {
        return Err(ApiError::validation("the file needs a whole path", "Name it from the root on."));
    }
    if path.symlink_metadata().is_ok() && !request.overwrite {
        return Err(exists(path));
    }
    let beside = beside(path);
    let written = write(reader, request, &beside, cancel).and_then(|count| {
        place(&beside, path, request.overwrite)?;
        Ok(count)
    });
    if written.is_err() {
        // It may never have been made.
        std::fs::remove_file(&beside).ok();
    }
    written
}

/// A name in the same folder, so that moving it is one step.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

fn write(reader: &LogReader, request: &ExportLogs, path: &Path, cancel: &CancellationToken) -> Result<u64, ApiError> {
    let mut file = BufWriter::new(open(path).map_err(|error| failed(path, &error))?);
    let mut count = 0;
    let done = write_head(request.format, &mut file).map_err(Stop::Io).and_then(|()| {
        reader.each(&request.filter, |entry| {
            count += 1;
            if count % LOOK == 0 && cancel.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            write_entry(request.format, &entry, &mut file).map_err(Stop::Io)
        })
    });
    let done = done.and_then(|()| file.flush().and_then(|()| file.get_ref().sync_all()).map_err(Stop::Io));
    match done {
        Ok(()) => Ok(count),
        Err(Stop::Cancelled) => Err(ApiError::cancelled()),
        Err(Stop::Io(error)) => Err(failed(path, &error)),
        Err(Stop::Storage(error)) => Err(unreadable(error)),
    }
}

/// For its owner only: a log tells much.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Moves the finished file to its place. Without leave to replace, a file that came meanwhile stays.
fn place(from: &Path, to: &Path, overwrite: bool) -> Result<(), ApiError> {
    if !overwrite {
        match OpenOptions::new().write(true).create_new(true).open(to) {
            Ok(_claimed) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(to)),
            Err(error) => return Err(failed(to, &error)),
        }
    }
    std::fs::rename(from, to).map_err(|error| failed(to, &error))
}

/// Why writing ended before the end.
enum Stop {
    Cancelled,
    Io(io::Error),
    Storage(StorageError),
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

fn exists(path: &Path) -> ApiError {
    ApiError::validation(
        format!("{} is there already", path.display()),
        "Choose another name, or say that it is to be replaced.",
    )
}

fn failed(path: &Path, error: &io::Error) -> ApiError {
    let folder = path.parent().unwrap_or(path).display();
    ApiError::new(
        ErrorCategory::Storage,
        format!("the log cannot be written into {folder}: {error}"),
        "Check that the folder exists, that you may write to it, and that the disk has room.",
    )
}
