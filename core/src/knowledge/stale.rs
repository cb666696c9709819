//! Whether what an answer cites is still what it was: the hash of a citation against that of the index.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::model::exact_path::bytes_of;
use crate::model::{Message, Source};
use crate::storage::StorageError;
use crate::storage::knowledge::{KnowledgeStore, hex};

/// Marks the citations of these messages, and of those beside them, whose sources are others now.
///
/// # Errors
/// The store cannot be read.
pub fn mark(store: &KnowledgeStore, sources: &[Source], messages: &mut [Message]) -> Result<(), StorageError> {
    let mut known: HashMap<PathBuf, Option<String>> = HashMap::new();
    for message in messages {
        for citation in &mut message.citations {
            let path = &citation.passage.path;
            let hash = match known.get(path) {
                Some(hash) => hash.clone(),
                None => {
                    let hash = hash_of(store, sources, path)?;
                    known.insert(path.clone(), hash.clone());
                    hash
                }
            };
            citation.stale = citation.judge(hash.as_deref());
        }
        mark(store, sources, &mut message.versions.beside)?;
    }
    Ok(())
}

/// The hash under which a document is indexed through any source.
fn hash_of(store: &KnowledgeStore, sources: &[Source], path: &Path) -> Result<Option<String>, StorageError> {
    for source in sources {
        let Ok(key) = path.strip_prefix(&source.path) else { continue };
        if let Some(hash) = store.known_file(source.id, &bytes_of(key))?.and_then(|known| known.hash) {
            return Ok(Some(hex(&hash)));
        }
    }
    Ok(None)
}
