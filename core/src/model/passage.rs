//! A passage (chunk): the piece of a document that is found, shown and cited.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{DocumentId, DocumentKind, PassageId, SourceId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    pub id: PassageId,
    pub document: DocumentId,
    pub source: SourceId,
    /// Absolute.
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    pub kind: DocumentKind,
    /// First line, from 1, inclusive.
    pub start_line: u32,
    /// Last line, from 1, inclusive.
    pub end_line: u32,
    /// The page of a PDF, from 1.
    pub page: Option<u32>,
    /// Heading or symbol that it stands under, such as `Storage › Backups` or `fn lease`.
    pub heading: Option<String>,
    pub text: String,
    /// SHA-256 of the document when it was read, lower-case hex.
    pub document_hash: String,
    /// As the document calls itself: the subject of a mail, the title of a chat.
    #[serde(default)]
    pub title: Option<String>,
    /// Names that the passage declares, where it is code.
    #[serde(default)]
    pub symbols: Vec<String>,
}
