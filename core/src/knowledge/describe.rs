//! How a document is built, read again from its file: headings, symbols, tables, pages.

use std::path::Path;

use rspa_ml::Cancel;

use super::KnowledgeError;
use super::service::Service;
use crate::model::{DocumentOutline, OutlineHeading};

/// Of each list.
const MOST: usize = 10_000;

impl Service {
    /// The structure of an indexed document.
    ///
    /// # Errors
    /// When the path was not indexed through a source, or cannot be read any more.
    pub fn describe(&self, path: &Path, cancel: &Cancel) -> Result<DocumentOutline, KnowledgeError> {
        let opened = self.open_document(path, cancel)?;
        let text = opened.text;
        let heading = |heading: super::readers::Heading| OutlineHeading {
            line: heading.line,
            level: heading.level,
            title: heading.title,
        };
        Ok(DocumentOutline {
            document: opened.document,
            changed: opened.changed,
            total_lines: text.lines.count(),
            headings: text.headings.into_iter().take(MOST).map(heading).collect(),
            symbols: text.symbols.into_iter().take(MOST).collect(),
            tables: text.tables.into_iter().take(MOST).collect(),
            pages: text.pages.into_iter().take(MOST).collect(),
        })
    }
}
