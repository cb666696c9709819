//! A document: one file of a source, how well it could be read, and its text for showing.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{DocumentId, SourceId, Timestamp};

pub use rspa_readers::DocumentKind;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub id: DocumentId,
    pub source: SourceId,
    /// Absolute.
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    pub kind: DocumentKind,
    pub size_bytes: u64,
    pub modified: Timestamp,
    /// SHA-256 of the file's bytes, lower-case hex.
    pub hash: String,
    pub passages: u32,
    pub indexed: Timestamp,
    /// 0 to 1: how much of it could be read.
    pub confidence: f32,
    /// Why the confidence is below 1, in words.
    pub note: Option<String>,
    /// What reading it took.
    pub seconds: f64,
    /// As the document calls itself.
    pub title: Option<String>,
    /// Author, date, sender and the like: name and value.
    pub metadata: Vec<(String, String)>,
}

/// A file that was left out, or read only in part, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentProblem {
    pub source: SourceId,
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    /// In words, with what can be done.
    pub reason: String,
    pub at: Timestamp,
}

/// The readable text of a document, in lines, as passages count them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentText {
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    pub kind: DocumentKind,
    /// Line numbers start at 1; `lines[0]` is line `first_line`.
    pub first_line: u32,
    pub lines: Vec<String>,
    pub total_lines: u32,
    /// The file differs from what was indexed.
    pub changed: bool,
}
