//! The vector index of one embedder: an exact scan over compact vectors, and an HNSW graph once there are many.
//!
//! Truth lies in the store (half precision). In memory each vector takes one byte per dimension; candidates of the
//! scan are scored again with the stored values. Vectors beside the graph (not yet inserted) are scanned.

pub mod exact;
pub mod graph;

use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use rspa_ml::Cancel;

use self::exact::{Compact, Row};
use self::graph::Graph;
use super::keyword::Filter;
use crate::storage::StorageError;
use crate::storage::knowledge::{KnowledgeStore, PassageRange, Space};

/// Up to here a scan is exact, takes a few milliseconds, and needs a tenth of a graph's memory.
pub const GRAPH_FROM: usize = 100_000;
/// Vectors beside the graph before they are inserted.
const MOST_BESIDE: usize = 2_000;
/// Candidates of the scan per result that are scored again.
const RESCORED: usize = 3;

/// The vectors of one space.
pub struct VectorIndex {
    space: Space,
    state: RwLock<State>,
    /// One build at a time.
    building: Mutex<()>,
    graph_from: usize,
}

#[derive(Default)]
struct State {
    /// None until loaded.
    compact: Option<Compact>,
    /// What came while it was being loaded.
    pending: Option<Vec<Change>>,
    graph: Option<Graph>,
}

enum Change {
    Added(Vec<(Row, Vec<f32>)>),
    Removed(Vec<PassageRange>),
}

impl VectorIndex {
    pub fn new(space: Space) -> Self {
        Self::with_threshold(space, GRAPH_FROM)
    }

    /// The graph is built from this many vectors on.
    pub fn with_threshold(space: Space, graph_from: usize) -> Self {
        Self { space, state: RwLock::default(), building: Mutex::default(), graph_from }
    }

    pub fn space(&self) -> Space {
        self.space
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_loaded(&self) -> bool {
        self.read().compact.is_some()
    }

    pub fn len(&self) -> usize {
        self.read().compact.as_ref().map_or(0, Compact::alive)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn has_graph(&self) -> bool {
        self.read().graph.is_some()
    }

    /// Bytes in memory, graph included.
    pub fn memory_bytes(&self) -> usize {
        let state = self.read();
        state.compact.as_ref().map_or(0, Compact::memory_bytes) + state.graph.as_ref().map_or(0, Graph::memory_bytes)
    }

    /// Loads the vectors from the store, once. Changes that are committed meanwhile are applied afterwards.
    pub fn load(&self, store: &KnowledgeStore, cancel: &Cancel) -> Result<(), StorageError> {
        let _one = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            if state.compact.is_some() {
                return Ok(());
            }
            state.pending = Some(Vec::new());
        }
        let mut compact = Compact::new(self.space.dimensions);
        let mut stopped = false;
        let loaded = store.each_vector(self.space, |id, document, vector| {
            compact.push(Row { id, source: document.source, kind: document.kind }, vector);
            stopped = id.is_multiple_of(1024) && cancel.is_cancelled();
            !stopped
        });
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let pending = state.pending.take().unwrap_or_default();
        loaded?;
        if stopped {
            return Err(StorageError::Refused("stopped".to_owned()));
        }
        for change in pending {
            match change {
                Change::Added(rows) => rows.iter().for_each(|(row, vector)| compact.push(*row, vector)),
                Change::Removed(ranges) => ranges.iter().for_each(|range| compact.remove(*range)),
            }
        }
        state.compact = Some(compact);
        Ok(())
    }

    /// Follows the store. Does nothing before the vectors are loaded, since loading reads them.
    pub fn apply(&self, removed: &[PassageRange], added: &[(Row, &[f32])]) {
        if removed.is_empty() && added.is_empty() {
            return;
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        if let Some(pending) = &mut state.pending {
            pending.push(Change::Removed(removed.to_vec()));
            pending.push(Change::Added(added.iter().map(|(row, vector)| (*row, vector.to_vec())).collect()));
            return;
        }
        let Some(compact) = &mut state.compact else { return };
        removed.iter().for_each(|range| compact.remove(*range));
        added.iter().for_each(|(row, vector)| compact.push(*row, vector));
        if compact.shrink() {
            // The graph finds many that are gone: it is built again.
            state.graph = None;
        }
    }

    /// The nearest passages with their cosine, best first.
    pub fn search(
        &self,
        store: &KnowledgeStore,
        query: &[f32],
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<(u64, f32)>, StorageError> {
        if query.len() != self.space.dimensions || query.iter().all(|value| *value == 0.0) {
            return Ok(Vec::new());
        }
        let state = self.read();
        let Some(compact) = &state.compact else { return Ok(Vec::new()) };
        let (mut best, scanned_from) = match &state.graph {
            // A graph that must skip most of what it meets is slower and worse than a scan.
            Some(graph) if filter.is_empty() => {
                let found = graph.search(query, limit + limit / 2 + 16);
                (found.into_iter().filter(|(id, _)| compact.contains(*id)).collect::<Vec<_>>(), graph.covered())
            }
            _ => (Vec::new(), 0),
        };
        let candidates = compact.scan(query, filter, scanned_from, limit * RESCORED);
        drop(state);
        for (id, vector) in store.vectors(self.space, &candidates)? {
            best.push((id, cosine(query, &vector)));
        }
        best.retain(|(_, score)| score.is_finite());
        best.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.dedup_by_key(|(id, _)| *id);
        best.truncate(limit);
        Ok(best)
    }

    /// Whether a build or an extension of the graph would help.
    pub fn wants_graph(&self) -> bool {
        let state = self.read();
        let Some(compact) = &state.compact else { return false };
        match &state.graph {
            None => compact.alive() > self.graph_from,
            Some(graph) => compact.rows_above(graph.covered()) > MOST_BESIDE,
        }
    }

    /// Builds or extends the graph; takes long, belongs on a background thread. Searches go on meanwhile.
    pub fn build_graph(&self, store: &KnowledgeStore, cancel: &Cancel) -> Result<(), StorageError> {
        let _one = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.wants_graph() {
            return Ok(());
        }
        // An existing graph grows in place: inserting needs no exclusive access.
        let existing = self.read().graph.clone();
        let from = existing.as_ref().map_or(0, Graph::covered);
        let mut graph = existing.unwrap_or_else(|| Graph::new(self.space.dimensions, self.len()));
        let mut stopped = false;
        store.each_vector(self.space, |id, _, vector| {
            if id > from {
                graph.insert(id, vector);
            }
            stopped = id.is_multiple_of(64) && cancel.is_cancelled();
            !stopped
        })?;
        if !stopped {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            // The rows may have been compacted meanwhile; ids stay what they are.
            state.graph = Some(graph);
        }
        Ok(())
    }
}

/// Cosine of two vectors of unit length.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests;
