//! How much documents are used: opened, cited, or shown among the first hits. Gathered here, written down now and then.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::service::{Inner, Service};
use crate::model::exact_path::bytes_of;
use crate::model::{Passage, SourceId};
use crate::storage::StorageError;
use crate::storage::knowledge::KnowledgeStore;

/// What a use counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Among the first hits of a search.
    Shown = 1,
    Cited = 3,
    Opened = 4,
}

/// Hits of a search that count.
const FIRST_HITS: usize = 3;
/// Documents that are remembered until they are written down.
const MOST: usize = 2_000;

/// Uses that no row tells of yet. A crash costs them, which does no harm.
#[derive(Default)]
pub struct Uses {
    fresh: Mutex<HashMap<(SourceId, Vec<u8>), u64>>,
}

impl Uses {
    fn add(&self, source: SourceId, path: Vec<u8>, of: Use) {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        if fresh.len() < MOST {
            *fresh.entry((source, path)).or_default() += of as u64;
        }
    }

    /// Writes down what there is.
    pub fn keep(&self, store: &KnowledgeStore) -> Result<(), StorageError> {
        let fresh = std::mem::take(&mut *self.fresh.lock().unwrap_or_else(PoisonError::into_inner));
        if fresh.is_empty() {
            return Ok(());
        }
        store.add_uses(fresh.into_iter().map(|((source, path), times)| (source, path, times)).collect())
    }
}

impl Inner {
    fn use_of(&self, passage: &Passage, of: Use) {
        if let Ok(source) = self.source(passage.source)
            && let Ok(path) = passage.path.strip_prefix(&source.path)
        {
            self.uses.add(source.id, bytes_of(path), of);
        }
    }
}

impl Service {
    /// These were found, best first.
    pub fn shown<'a>(&self, passages: impl Iterator<Item = &'a Passage>) {
        passages.take(FIRST_HITS).for_each(|passage| self.inner.use_of(passage, Use::Shown));
    }

    /// An answer stands on these.
    pub fn cited<'a>(&self, passages: impl Iterator<Item = &'a Passage>) {
        passages.for_each(|passage| self.inner.use_of(passage, Use::Cited));
    }

    pub(super) fn opened(&self, source: SourceId, path: &[u8]) {
        self.inner.uses.add(source, path.to_vec(), Use::Opened);
    }
}
