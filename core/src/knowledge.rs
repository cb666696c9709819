//! Knowledge: sources are read, cut into passages, and searched by words and by meaning.
//!
//! [`Service`] is the whole of it for one profile. Three kinds of threads work for it, all at low priority: one
//! indexer that takes sources in turn (with two readers while it works), one that watches folders, and one that
//! loads vectors, builds graphs and lets an installed encoder catch up. Truth is in the store; both indexes follow it.

pub mod bench;
pub mod chunk;
mod describe;
mod documents;
pub mod fuse;
mod healing;
pub(crate) mod ignored;
mod indexer;
pub mod keyword;
mod kinds;
mod late;
pub mod prepare;
pub mod rank;
pub mod reports;
mod runtime;
mod sample;
mod search;
mod service;
pub mod snippet;
pub mod stale;
pub mod trial;
mod upgrade;
mod uses;
pub mod vector;
pub mod walk;
mod watch;
mod why;
pub mod words;

pub use kinds::{FetchPage, Fetched, built_in};
pub use rspa_readers as readers;
pub use service::{Config, Preferences, Service, all_sources};

use std::sync::Arc;

use crate::storage::StorageError;

/// What can go wrong, with what the person can do.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{path} cannot be added: {reason}")]
    CannotAdd { path: String, reason: String },
    #[error("this source is not known any more")]
    UnknownSource,
    #[error("{0} belongs to the program and cannot be removed")]
    BuiltIn(String),
    /// A page that could not be fetched or kept.
    #[error("{}", .0.message)]
    Page(Box<crate::api::ApiError>),
    #[error("{0} does not belong to any source")]
    OutsideSources(String),
    #[error("{path} cannot be shown. {reason}")]
    Unreadable { path: String, reason: String },
    #[error("the keyword index cannot be used: {0}")]
    Keyword(String),
    #[error("embedding failed: {0}")]
    Embedding(#[from] rspa_ml::Error),
    #[error("the sample folder could not be written: {0}")]
    Sample(std::io::Error),
    #[error("this passage is not indexed any more")]
    UnknownPassage,
    #[error("the folder of the trial cannot be used: {0}")]
    Trial(std::io::Error),
    /// The last look at a source ended with this; everybody who waits for the source gets it.
    #[error("{0}")]
    Scan(Arc<KnowledgeError>),
    #[error("stopped")]
    Cancelled,
}

impl KnowledgeError {
    /// One sentence: what to do next.
    pub fn advice(&self) -> &str {
        match self {
            Self::BuiltIn(_) => "Pause it: then it is not searched.",
            Self::Page(error) => &error.advice,
            Self::Storage(error) => error.advice(),
            Self::CannotAdd { .. } => "Choose a folder or file that exists and that you may read.",
            Self::UnknownSource => "Read the list of sources again; it may have been removed.",
            Self::OutsideSources(_) => "Add the folder that holds it as a source first.",
            Self::Unreadable { .. } => "Open it with another program, or put a readable copy in its place.",
            Self::Keyword(_) => "Check that the disk has room; the index is built again at the next start.",
            Self::Embedding(error) => error.advice(),
            Self::UnknownPassage => "Search again, and choose one of the hits.",
            Self::Sample(_) | Self::Trial(_) => "Check that the data folder can be written and that the disk has room.",
            Self::Scan(error) => error.advice(),
            Self::Cancelled => "Ask again when you are ready.",
        }
    }
}

impl From<keyword::KeywordError> for KnowledgeError {
    fn from(error: keyword::KeywordError) -> Self {
        match error {
            keyword::KeywordError::Store(error) => Self::Storage(error),
            keyword::KeywordError::Cancelled => Self::Cancelled,
            keyword::KeywordError::Damaged(reason) => Self::Keyword(reason),
        }
    }
}
