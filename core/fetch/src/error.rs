//! What can go wrong with a download, each with what the person can do about it.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Scheme, host and port alone: the rest of an address may hold a signature or a key.
    #[error("{origin} is not asked: {reason}")]
    NotAllowed { origin: String, reason: &'static str },
    #[error("{host} cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("{origin} answered with status {status}")]
    Status { origin: String, status: u16 },
    #[error("the connection was cut after {received} bytes{}", of(.expected))]
    Cut { received: u64, expected: Option<u64> },
    #[error("the server fell silent for {seconds} seconds after {received} bytes")]
    Stalled { received: u64, seconds: u64 },
    #[error("{host} sent nothing for {seconds} seconds")]
    Silent { host: String, seconds: f32 },
    #[error("the answer is longer than {most} bytes")]
    TooLarge { most: u64 },
    #[error("the file should have {expected} bytes, but the server sends {found}")]
    WrongSize { expected: u64, found: String },
    #[error("the checksum is wrong: SHA-256 should be {expected}, but it is {found}; the file was deleted")]
    WrongChecksum { expected: String, found: String },
    #[error("the disk is full: {} could not be written ({reason})", .path.display())]
    DiskFull { path: PathBuf, reason: String },
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is being downloaded by another process", .0.display())]
    Busy(PathBuf),
    #[error("stopped")]
    Cancelled,
}

impl FetchError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::DiskFull { path: path.to_owned(), reason: source.to_string() }
            }
            _ => Self::Io { path: path.to_owned(), source },
        }
    }

    /// One sentence that says what to do next.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NotAllowed { .. } => "Use an https address.",
            Self::Unreachable { .. } => "Check the network connection, or import the file from a disk instead.",
            Self::Status { .. } => "The file may have moved; try later or choose another model.",
            Self::Cut { .. } | Self::Stalled { .. } => "Try again: it goes on where it stopped.",
            Self::WrongSize { .. } | Self::WrongChecksum { .. } => {
                "Try again; if it repeats, the file at this address is not the one that was named."
            }
            Self::Silent { .. } => "Try again later, or allow it more time.",
            Self::TooLarge { .. } => "Ask for less at once.",
            Self::DiskFull { .. } => "Free some room on this disk and try again: it goes on where it stopped.",
            Self::Io { .. } => "Check that you may write to this folder.",
            Self::Busy(_) => "Wait for the other download to end.",
            Self::Cancelled => "Try again when you are ready: it goes on where it stopped.",
        }
    }

    /// True where the same call may succeed later.
    pub fn is_worth_retrying(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Cut { .. }
                | Self::Stalled { .. }
                | Self::Silent { .. }
                | Self::Status { status: 500.., .. }
        )
    }
}

fn of(expected: &Option<u64>) -> String {
    expected.map(|expected| format!(" of {expected}")).unwrap_or_default()
}
