//! What can go wrong with credentials, in words, without a secret in them.

use crate::api::{ApiError, ErrorCategory};
use crate::model::{Consumer, Timestamp};
use crate::storage::StorageError;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("there is no credential for {0}")]
    Missing(String),
    #[error("the credential for {0} has expired and was removed")]
    Expired(String),
    /// The person was asked; the same call works once they have allowed it.
    #[error("{consumer} wants to use the credential for {service}, and you have not allowed it yet")]
    NeedsConsent { service: String, consumer: Consumer },
    #[error("{consumer} may not use the credential for {service}")]
    Refused { service: String, consumer: Consumer },
    #[error("the vault is locked")]
    Locked,
    #[error("the passphrase is wrong; {}", tries(*.left))]
    WrongPassphrase { left: u32 },
    #[error("too many wrong passphrases: the vault refuses all for {}", minutes(*.left_ms))]
    LockedOut { until: Timestamp, left_ms: i64 },
    #[error("{what}")]
    Invalid { what: String, advice: &'static str },
    #[error("the system's keychain cannot be used: {0}")]
    Keychain(String),
    #[error("{file} cannot be used: {why}")]
    Damaged { file: String, why: String },
    #[error("{file} could not be read or written: {detail}")]
    Disk { file: String, detail: String },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl CredentialError {
    pub(super) fn invalid(what: impl Into<String>, advice: &'static str) -> Self {
        Self::Invalid { what: what.into(), advice }
    }

    pub(super) fn damaged(file: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Damaged { file: file.into(), why: why.into() }
    }

    pub(super) fn disk(path: &std::path::Path, error: &std::io::Error) -> Self {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::Disk { file, detail: error.to_string() }
    }

    pub fn category(&self) -> ErrorCategory {
        match self {
            Self::Missing(_) | Self::Expired(_) | Self::Invalid { .. } => ErrorCategory::Validation,
            Self::NeedsConsent { .. } | Self::Refused { .. } => ErrorCategory::Authorisation,
            Self::Locked | Self::WrongPassphrase { .. } | Self::LockedOut { .. } => ErrorCategory::Authentication,
            Self::Keychain(_) => ErrorCategory::System,
            Self::Damaged { .. } | Self::Disk { .. } | Self::Storage(_) => ErrorCategory::Storage,
        }
    }

    /// One sentence: what to do next.
    pub fn advice(&self) -> &str {
        match self {
            Self::Missing(_) => "Add one on the Credentials page, or with `rspa credentials set SERVICE`.",
            Self::Expired(_) => "Ask the service for a new key and store it.",
            Self::NeedsConsent { .. } => "Answer the question in the window, or on the Credentials page.",
            Self::Refused { .. } => "Take the refusal back on the Credentials page if you want it now.",
            Self::Locked => "Unlock it with your passphrase on the Credentials page.",
            Self::WrongPassphrase { .. } => "Try again; mind capital letters and the layout of the keyboard.",
            Self::LockedOut { .. } => "Wait until then; restarting or changing the clock does not make it shorter.",
            Self::Invalid { advice, .. } => advice,
            Self::Keychain(_) => {
                "Unlock the keychain of your system, or set security.vault to files to keep credentials in sealed files."
            }
            Self::Damaged { .. } => {
                "Restore the folder credentials from a backup, or remove what cannot be opened and store it anew."
            }
            Self::Disk { .. } => "Check the disk and the permissions of the folder credentials, then try again.",
            Self::Storage(error) => error.advice(),
        }
    }
}

impl From<CredentialError> for ApiError {
    fn from(error: CredentialError) -> Self {
        Self::new(error.category(), error.to_string(), error.advice().to_owned())
    }
}

fn tries(left: u32) -> String {
    match left {
        1 => "one more try before the vault refuses all for a while".to_owned(),
        left => format!("{left} more tries before the vault refuses all for a while"),
    }
}

fn minutes(left_ms: i64) -> String {
    match (left_ms + 59_999) / 60_000 {
        1 => "one more minute".to_owned(),
        minutes => format!("{minutes} more minutes"),
    }
}
