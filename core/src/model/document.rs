//! A document: one file of a source, how well it could be read, and its text for showing.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{DocumentId, SourceId, Timestamp};

pub use rspa_readers::{DocumentKind, Symbol};

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

/// What answers and the tools of agents search unless told otherwise: all that is no record of this program itself.
pub const DOCUMENTS: [DocumentKind; 12] = [
    DocumentKind::Markdown,
    DocumentKind::Text,
    DocumentKind::Code,
    DocumentKind::Html,
    DocumentKind::Pdf,
    DocumentKind::Docx,
    DocumentKind::Xlsx,
    DocumentKind::Pptx,
    DocumentKind::Epub,
    DocumentKind::Csv,
    DocumentKind::Email,
    DocumentKind::Commit,
];

/// A record of this program: a chat, a task, what happened on a day. A new kind that is none goes into [`DOCUMENTS`].
pub fn is_record(kind: DocumentKind) -> bool {
    match kind {
        DocumentKind::Chat | DocumentKind::Task | DocumentKind::Activity => true,
        DocumentKind::Markdown
        | DocumentKind::Text
        | DocumentKind::Code
        | DocumentKind::Html
        | DocumentKind::Pdf
        | DocumentKind::Docx
        | DocumentKind::Xlsx
        | DocumentKind::Pptx
        | DocumentKind::Epub
        | DocumentKind::Csv
        | DocumentKind::Email
        | DocumentKind::Commit => false,
    }
}

/// How a document is built, read again from its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentOutline {
    pub document: Document,
    /// The file differs from what was indexed.
    pub changed: bool,
    pub total_lines: u32,
    /// In order of their lines, as all lists here; at most 10,000 of each.
    pub headings: Vec<OutlineHeading>,
    pub symbols: Vec<Symbol>,
    /// First and last line, from 1, inclusive.
    pub tables: Vec<(u32, u32)>,
    /// First line of each page, slide or sheet.
    pub pages: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutlineHeading {
    /// From 1.
    pub line: u32,
    /// 1 is the outermost.
    pub level: u8,
    pub title: String,
}

/// A document that is another one now than it was when it was last indexed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentChange {
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    /// Lower-case hex; none when it is not indexed any more.
    pub hash: Option<String>,
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
    /// As the document calls itself: what is no file has no other name.
    #[serde(default)]
    pub title: Option<String>,
    /// Line numbers start at 1; `lines[0]` is line `first_line`.
    pub first_line: u32,
    pub lines: Vec<String>,
    pub total_lines: u32,
    /// The file differs from what was indexed.
    pub changed: bool,
}
