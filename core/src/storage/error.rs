//! What can go wrong with stored data, in words, with what the person can do.

use std::io;

/// Cheap to clone: one failed commit is reported to everybody whose writes were in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    #[error("the data folder is in use by another rspa ({file})")]
    InUse { file: String },
    #[error("{file} was written by a newer rspa (version {found}, this one knows {known})")]
    Newer { file: String, found: u64, known: u64 },
    #[error("{file} is damaged: {detail}")]
    Damaged { file: String, detail: String },
    #[error("{file} could not be opened: {detail}")]
    Open { file: String, detail: String },
    #[error("{file} could not be brought from version {found} to {known}: {detail}")]
    Migration { file: String, found: u64, known: u64, detail: String },
    #[error("the disk is full")]
    Full,
    #[error("reading or writing the database failed: {detail}")]
    Failed { detail: String },
    #[error("a stored {record} cannot be read: {detail}")]
    Record { record: &'static str, detail: String },
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("{0}")]
    Refused(String),
    #[error("{file} is closed")]
    Closed { file: String },
    #[error("a write to {file} stopped unexpectedly: {detail}")]
    Panicked { file: String, detail: String },
}

impl StorageError {
    /// One sentence: what to do next.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "Close its window or stop that command, then try again.",
            Self::Newer { .. } => {
                "Update rspa, or choose another data folder with --data-dir; the file was not touched."
            }
            Self::Damaged { .. } => "The file was kept; move it away or restore a backup, then start again.",
            Self::Migration { .. } => "The file holds what it held before; use the rspa that you had, and report this.",
            Self::Open { .. } => "Check that the data folder exists and that you may write to it.",
            Self::Full => "Free some space on the disk of the data folder, then try again.",
            Self::Failed { .. } | Self::Panicked { .. } => "Restart rspa; if it repeats, run `rspa doctor`.",
            Self::Record { .. } => "Run `rspa doctor`; if rspa was downgraded, update it again.",
            Self::NotFound(_) => "Read the list again; it may have been deleted.",
            Self::Refused(_) => "Change the request, then try again.",
            Self::Closed { .. } => "Start rspa again.",
        }
    }

    pub(super) fn opening(file: &str, error: redb::DatabaseError) -> Self {
        use redb::DatabaseError as D;
        match error {
            D::DatabaseAlreadyOpen => Self::InUse { file: file.to_owned() },
            D::UpgradeRequired(version) => Self::Damaged {
                file: file.to_owned(),
                detail: format!("its file format {version} is not the one this rspa uses"),
            },
            D::Storage(redb::StorageError::Corrupted(detail)) => Self::Damaged { file: file.to_owned(), detail },
            D::Storage(redb::StorageError::Io(error)) => Self::opening_io(file, &error),
            other => Self::Open { file: file.to_owned(), detail: other.to_string() },
        }
    }

    pub(crate) fn opening_io(file: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                Self::Damaged { file: file.to_owned(), detail: error.to_string() }
            }
            io::ErrorKind::StorageFull => Self::Full,
            _ => Self::Open { file: file.to_owned(), detail: error.to_string() },
        }
    }
}

impl From<redb::Error> for StorageError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(io) if io.kind() == io::ErrorKind::StorageFull => Self::Full,
            redb::Error::Corrupted(detail) => Self::Damaged { file: "the database".to_owned(), detail },
            other => Self::Failed { detail: other.to_string() },
        }
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for StorageError {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}
from_redb!(StorageError, TableError, TransactionError, CommitError);
