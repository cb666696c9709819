//! Shows the text of an indexed document, read again from its file.

use std::path::{Component, Path};

use rspa_ml::Cancel;

use super::KnowledgeError;
use super::kinds;
use super::readers::{Extracted, ReadError, words_of};
use super::service::Service;
use crate::model::exact_path::bytes_of;
use crate::model::{Document, DocumentText, Source};
use crate::storage::knowledge::{Stamp, hex};

/// Lines given at once.
const MOST_LINES: u32 = 2_000;

/// An indexed document with its text as it is now.
pub(super) struct OpenDocument {
    pub document: Document,
    pub text: Extracted,
    /// It differs from what was indexed.
    pub changed: bool,
}

impl Service {
    /// The lines of a document from `start` to `end` (from 1, inclusive; at most 2,000), as passages count them.
    ///
    /// # Errors
    /// When the path was not indexed through a source, or the file cannot be read any more.
    pub fn read_document(
        &self,
        path: &Path,
        start: u32,
        end: u32,
        cancel: &Cancel,
    ) -> Result<DocumentText, KnowledgeError> {
        let OpenDocument { document, text, changed } = self.open_document(path, cancel)?;
        let total_lines = text.lines.count();
        let first_line = start.clamp(1, total_lines.max(1));
        let last = end.min(total_lines).min(first_line.saturating_add(MOST_LINES - 1));
        let lines = (first_line..=last).map(|number| text.lines.line(number).to_owned()).collect();
        self.opened(document.source, &self.key(&document)?);
        let (path, title) = (path.to_owned(), document.title);
        Ok(DocumentText { path, kind: text.kind, title, first_line, lines, total_lines, changed })
    }

    fn key(&self, document: &Document) -> Result<Vec<u8>, KnowledgeError> {
        let source = self.inner.source(document.source)?;
        Ok(document.path.strip_prefix(&source.path).map(bytes_of).unwrap_or_default())
    }

    /// Reads an indexed document again.
    pub(super) fn open_document(&self, path: &Path, cancel: &Cancel) -> Result<OpenDocument, KnowledgeError> {
        let unreadable = |reason: String| KnowledgeError::Unreadable { path: path.display().to_string(), reason };
        let (source, key, document) = self.indexed(path)?;
        let kind = kinds::of(&self.inner, &source);
        if !kind.is_made(&key) {
            // A link put in the place of an indexed file does not lead out of the source.
            let metadata = std::fs::symlink_metadata(path)
                .map_err(|error| unreadable(ReadError::Io(words_of(&error)).to_string()))?;
            if !metadata.is_file() {
                return Err(unreadable("It is no regular file any more.".to_owned()));
            }
        }
        let limits = &self.inner.limits();
        let failed = |error: ReadError| match error {
            ReadError::Cancelled => KnowledgeError::Cancelled,
            error => unreadable(error.to_string()),
        };
        let found = kinds::found(&source, &key, Stamp { size: 0, modified: 0 });
        let loaded = kind.loader().load(&found, limits).map_err(failed)?;
        let loaded = loaded.ok_or_else(|| unreadable("It is not there any more.".to_owned()))?;
        let changed = hex(&loaded.hash()) != document.hash;
        let text = loaded.extract(limits, cancel).map_err(failed)?;
        let text = text.ok_or_else(|| unreadable(ReadError::Binary.to_string()))?;
        Ok(OpenDocument { document, text, changed })
    }

    /// The document that was indexed at this path through one of the sources.
    fn indexed(&self, path: &Path) -> Result<(Source, Vec<u8>, Document), KnowledgeError> {
        let outside = || KnowledgeError::OutsideSources(path.display().to_string());
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(outside());
        }
        for source in self.inner.searched_sources() {
            // What is no file lies below the name of its source, everything else is absolute.
            if !path.is_absolute() && !source.kind.is_built_in() {
                continue;
            }
            let Ok(relative) = path.strip_prefix(&source.path) else { continue };
            let key = bytes_of(relative);
            if let Some(document) = self.inner.store.document(&source, &key)? {
                return Ok((source, key, document));
            }
        }
        Err(outside())
    }
}
