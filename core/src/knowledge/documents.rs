//! Shows the text of an indexed document, read again from its file.

use std::path::{Component, Path};
use std::sync::Arc;

use rspa_ml::Cancel;
use sha2::{Digest, Sha256};

use super::KnowledgeError;
use super::readers::{self, Format, ReadError, detect, format_of};
use super::service::Service;
use crate::model::DocumentText;
use crate::model::exact_path::bytes_of;

/// Lines given at once.
const MOST_LINES: u32 = 2_000;

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
        let unreadable = |reason: String| KnowledgeError::Unreadable { path: path.display().to_string(), reason };
        let indexed_hash = self.indexed_hash(path)?;
        // A link put in the place of an indexed file does not lead out of the source.
        let metadata = std::fs::symlink_metadata(path)
            .map_err(|error| unreadable(ReadError::Io(readers::words_of(&error)).to_string()))?;
        if !metadata.is_file() {
            return Err(unreadable("It is no regular file any more.".to_owned()));
        }
        let limits = &self.inner.limits();
        let bytes = readers::load(path, limits).map_err(|error| unreadable(error.to_string()))?;
        let hash: [u8; 32] = Sha256::digest(&bytes).into();
        let mut format = format_of(path).unwrap_or(Format::Unknown);
        if format == Format::Unknown && detect::has_shebang(&bytes) {
            format = Format::Code;
        }
        let extracted = readers::extract_file(path, format, Arc::new(bytes), limits, cancel).map_err(|error| match error {
            ReadError::Cancelled => KnowledgeError::Cancelled,
            error => unreadable(error.to_string()),
        })?;
        let total_lines = extracted.lines.count();
        let first_line = start.clamp(1, total_lines.max(1));
        let last = end.min(total_lines).min(first_line.saturating_add(MOST_LINES - 1));
        let lines = (first_line..=last).map(|number| extracted.lines.line(number).to_owned()).collect();
        let changed = hash != indexed_hash;
        Ok(DocumentText { path: path.to_owned(), kind: extracted.kind, first_line, lines, total_lines, changed })
    }

    /// The hash under which the file was indexed through one of the sources.
    fn indexed_hash(&self, path: &Path) -> Result<[u8; 32], KnowledgeError> {
        let outside = || KnowledgeError::OutsideSources(path.display().to_string());
        if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
            return Err(outside());
        }
        for source in self.inner.board.sources() {
            let Ok(relative) = path.strip_prefix(&source.path) else { continue };
            let known = self.inner.store.known_file(source.id, &bytes_of(relative))?;
            if let Some(hash) = known.and_then(|known| known.hash) {
                return Ok(hash);
            }
        }
        Err(outside())
    }
}
