//! What can go wrong with backups, in words, with what the person can do.

use std::io;
use std::path::Path;

use crate::storage::StorageError;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    #[error("{path} is not a backup of rspa: {detail}")]
    NotABackup { path: String, detail: String },
    #[error("{path} was made by a newer rspa (format {found}, this one knows {known})")]
    Newer { path: String, found: u64, known: u64 },
    #[error("the backup {path} is damaged: {detail}")]
    Damaged { path: String, detail: String },
    #[error("there is no backup {0}")]
    NotFound(String),
    #[error("the disk of {folder} is full")]
    Full { folder: String },
    #[error("{folder} has too little room: {needed} MiB are needed, {free} MiB are free")]
    NoRoom { folder: String, needed: u64, free: u64 },
    #[error("{path} cannot be {doing}: {detail}")]
    Io { doing: &'static str, path: String, detail: String },
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{0}")]
    Refused(String),
    #[error("stopped")]
    Cancelled,
}

impl BackupError {
    /// One sentence: what to do next.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NotABackup { .. } => "Choose a file that ends with .rspa-backup; `rspa backup list` shows all.",
            Self::Newer { .. } => "Update rspa, then try again; nothing was changed.",
            Self::Damaged { .. } => "Choose another backup; nothing was changed.",
            Self::NotFound(_) => "Read the list again; it may have been removed.",
            Self::Full { .. } | Self::NoRoom { .. } => {
                "Free some space there, or choose another folder in the settings (backups.folder)."
            }
            Self::Io { .. } => "Check that the folder exists and that you may write to it, then try again.",
            Self::Storage(error) => error.advice(),
            Self::Refused(_) => "Change the request, then try again.",
            Self::Cancelled => "Ask again when you are ready.",
        }
    }

    pub(super) fn io(doing: &'static str, path: &Path, error: &io::Error) -> Self {
        let shown = path.display().to_string();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { folder: path.parent().unwrap_or(path).display().to_string() }
            }
            _ => Self::Io { doing, path: shown, detail: words(error) },
        }
    }

    pub(super) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged { path: name(path), detail: detail.into() }
    }

    pub(super) fn not_a_backup(path: &Path, detail: impl Into<String>) -> Self {
        Self::NotABackup { path: name(path), detail: detail.into() }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The usual reasons without the system's numbers.
fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "its disk is read-only".to_owned(),
        io::ErrorKind::NotADirectory => "a part of its path is no folder".to_owned(),
        _ => error.to_string(),
    }
}
