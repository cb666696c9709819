//! The error that crosses the door: a category, words, and what the person can do.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCategory {
    Authentication,
    Authorisation,
    Validation,
    Processing,
    Network,
    Storage,
    Plugin,
    System,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    pub category: ErrorCategory,
    /// What happened, one sentence, no secrets.
    pub message: String,
    /// What to do next, one sentence.
    pub advice: String,
    /// Trying again, or following the advice, can help.
    pub recoverable: bool,
}

impl ApiError {
    pub fn new(category: ErrorCategory, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { category, message: message.into(), advice: advice.into(), recoverable: true }
    }

    pub fn validation(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(ErrorCategory::Validation, message, advice)
    }

    /// The work was cancelled by the person or replaced by newer work.
    pub fn cancelled() -> Self {
        Self::new(ErrorCategory::Processing, "stopped", "Ask again when you are ready.")
    }
}

impl From<rspa_ml::Error> for ApiError {
    fn from(error: rspa_ml::Error) -> Self {
        use rspa_ml::Error as E;
        let category = match &error {
            E::Io { .. } => ErrorCategory::Storage,
            E::Malformed { .. }
            | E::UnknownFamily(_)
            | E::UnknownPreTokenizer(_)
            | E::UnknownTokenizer(_)
            | E::NothingToImport(_)
            | E::PromptTooLong { .. }
            | E::Template(_) => ErrorCategory::Validation,
            _ => ErrorCategory::Processing,
        };
        Self::new(category, error.to_string(), error.advice())
    }
}

impl From<crate::storage::StorageError> for ApiError {
    fn from(error: crate::storage::StorageError) -> Self {
        use crate::storage::StorageError as S;
        let category = match &error {
            S::NotFound(_) | S::Refused(_) => ErrorCategory::Validation,
            _ => ErrorCategory::Storage,
        };
        Self::new(category, error.to_string(), error.advice())
    }
}
