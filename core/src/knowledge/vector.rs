//! The vector index of one embedder: rspa-vectors, fed from the store and healed by its log.
//!
//! Truth lies in the store (half precision). The index is a snapshot beside it: at the start what came after the
//! snapshot is replayed; one that is damaged, foreign or too old is made again from the stored vectors.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rspa_ml::Cancel;
use rspa_vectors::{Error, Identity, Index, Opened, Options};

use super::keyword::{Filter, kind_number};
use crate::model::{DocumentKind, SourceId, Timestamp};
use crate::storage::StorageError;
use crate::storage::knowledge::{DocumentRange, KnowledgeStore, PassageRange, Space};

pub use rspa_vectors::Mark;

/// Up to here a scan is exact, takes a millisecond or two, and needs no links.
pub const GRAPH_FROM: usize = 50_000;
/// Rows beside the frozen ones before they are brought together.
const MOST_BESIDE: usize = 4_096;
/// Rows that came or went before a snapshot is written while work goes on.
const UNSAVED: usize = 20_000;
/// Rows that a load hands over at once.
const AT_ONCE: usize = 1_024;

/// What belongs to a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    pub id: u64,
    pub source: SourceId,
    pub kind: DocumentKind,
    /// When the file was last changed; milliseconds since the Unix epoch.
    pub modified: i64,
}

impl Row {
    fn of(id: u64, document: &DocumentRange) -> Self {
        Self { id, source: document.source, kind: document.kind, modified: document.modified }
    }

    fn indexed(self) -> rspa_vectors::Row {
        rspa_vectors::Row {
            id: self.id,
            source: self.source.0.as_u128(),
            kind: kind_byte(self.kind),
            modified: u32::try_from((self.modified / 1_000).max(0)).unwrap_or(u32::MAX),
        }
    }
}

fn kind_byte(kind: DocumentKind) -> u8 {
    u8::try_from(kind_number(kind)).unwrap_or(u8::MAX)
}

/// How loading went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// The snapshot was used; so many changes came after it.
    Replayed(usize),
    /// There was no snapshot; the stored vectors were read.
    Read,
    /// The snapshot was of no use, and why; the stored vectors were read.
    Rebuilt(String),
}

/// The vectors of one space.
pub struct VectorIndex {
    space: Space,
    options: Options,
    state: RwLock<State>,
    /// One load at a time.
    loading: Mutex<()>,
}

#[derive(Default)]
enum State {
    #[default]
    Absent,
    /// What came meanwhile.
    Loading(Vec<Change>),
    Ready(Arc<Index>),
}

struct Change {
    removed: Vec<PassageRange>,
    added: Vec<(Row, Vec<f32>)>,
    mark: Mark,
}

impl VectorIndex {
    /// Without snapshots.
    pub fn new(space: Space) -> Self {
        Self::kept(space, None, 0)
    }

    /// With snapshots in this folder, for the store of this identity.
    pub fn kept(space: Space, folder: Option<PathBuf>, store: u64) -> Self {
        let options = Options {
            dimensions: space.dimensions,
            graph_from: GRAPH_FROM,
            tail: MOST_BESIDE,
            threads: std::thread::available_parallelism().map_or(1, |count| count.get().min(4)),
            folder,
            identity: Identity { store, space: space.id },
        };
        Self { space, options, state: RwLock::default(), loading: Mutex::default() }
    }

    /// The graph is built from this many vectors on.
    #[must_use]
    pub fn with_threshold(mut self, graph_from: usize) -> Self {
        self.options.graph_from = graph_from;
        self.options.tail = self.options.tail.min(graph_from.max(1));
        self
    }

    pub fn space(&self) -> Space {
        self.space
    }

    fn index(&self) -> Option<Arc<Index>> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Ready(index) => Some(index.clone()),
            State::Absent | State::Loading(_) => None,
        }
    }

    fn set(&self, state: State) -> State {
        std::mem::replace(&mut *self.state.write().unwrap_or_else(PoisonError::into_inner), state)
    }

    pub fn is_loaded(&self) -> bool {
        self.index().is_some()
    }

    pub fn len(&self) -> usize {
        self.index().map_or(0, |index| index.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn has_graph(&self) -> bool {
        self.index().is_some_and(|index| index.has_graph())
    }

    /// Bytes in memory at most; what is mapped from a snapshot is given back when others need it.
    pub fn memory_bytes(&self) -> usize {
        self.index().map_or(0, |index| index.memory_bytes())
    }

    /// The change from which on the store's log is needed to heal the snapshot; none when it is not needed.
    pub fn durable(&self) -> Option<u64> {
        match self.index() {
            Some(index) => index.durable(),
            None => Index::peek(&self.options),
        }
    }

    /// Opens the snapshot and replays what came after it, or loads the vectors from the store; once. Changes that are
    /// committed meanwhile are applied afterwards.
    ///
    /// # Returns
    /// How it went; none when it was loaded already.
    pub fn load(&self, store: &KnowledgeStore, cancel: &Cancel) -> Result<Option<Loaded>, StorageError> {
        let _one = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_loaded() {
            return Ok(None);
        }
        self.set(State::Loading(Vec::new()));
        match self.open(store, cancel) {
            Ok((index, loaded)) => {
                let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
                if let State::Loading(pending) = std::mem::take(&mut *state) {
                    for change in pending {
                        let added: Vec<(Row, &[f32])> =
                            change.added.iter().map(|(row, vector)| (*row, vector.as_slice())).collect();
                        apply(&index, &change.removed, &added, change.mark);
                    }
                }
                *state = State::Ready(Arc::new(index));
                tracing::debug!(?loaded, space = self.space.id, "the vectors are loaded");
                Ok(Some(loaded))
            }
            Err(error) => {
                self.set(State::Absent);
                Err(error)
            }
        }
    }

    fn open(&self, store: &KnowledgeStore, cancel: &Cancel) -> Result<(Index, Loaded), StorageError> {
        let (index, opened) = Index::open(self.options.clone());
        let reason = match opened {
            Opened::Absent => None,
            Opened::Empty(reason) => Some(reason),
            Opened::Snapshot(mark) => match self.heal(&index, store, mark, cancel)? {
                Some(steps) => return Ok((index, Loaded::Replayed(steps))),
                None => Some("it is too old".to_owned()),
            },
        };
        let index = Index::new(self.options.clone());
        // Read first: what is committed in between is there, and is replayed once more, which does no harm.
        let mark = Mark { change: Some(store.last_change()), covered: Some(store.covered(self.space)?) };
        self.fill(&index, store, 0, cancel)?;
        apply(&index, &[], &[], mark);
        Ok((index, reason.map_or(Loaded::Read, Loaded::Rebuilt)))
    }

    /// Brings a snapshot to the state of the store; none when the log does not reach back to it.
    fn heal(
        &self,
        index: &Index,
        store: &KnowledgeStore,
        mark: Mark,
        cancel: &Cancel,
    ) -> Result<Option<usize>, StorageError> {
        let covered = store.covered(self.space)?;
        let Some(replay) = store.replay_after(mark.change.unwrap_or(0))? else { return Ok(None) };
        let steps = replay.steps.len();
        for (removed, added) in replay.steps {
            stopped(cancel)?;
            apply(index, &removed, &[], Mark::default());
            for range in added {
                // Gone again, or without text.
                let Some(document) = store.document_of(range)? else { continue };
                let ids: Vec<u64> = range.ids().collect();
                let vectors = store.vectors(self.space, &ids)?;
                let rows: Vec<(Row, &[f32])> =
                    vectors.iter().map(|(id, vector)| (Row::of(*id, &document), vector.as_slice())).collect();
                apply(index, &[], &rows, Mark::default());
            }
        }
        // What an embedder added later is in no log; what is used most comes before its turn.
        self.fill(index, store, mark.covered.unwrap_or(0), cancel)?;
        apply(index, &[], &[], Mark { change: Some(replay.change), covered: Some(covered) });
        Ok(Some(steps))
    }

    /// Adds the stored vectors of passages above an id that are not there yet.
    fn fill(&self, index: &Index, store: &KnowledgeStore, above: u64, cancel: &Cancel) -> Result<(), StorageError> {
        let mut rows: Vec<(Row, Vec<f32>)> = Vec::with_capacity(AT_ONCE);
        let add = |rows: &mut Vec<(Row, Vec<f32>)>| {
            let added: Vec<(Row, &[f32])> = rows.iter().map(|(row, vector)| (*row, vector.as_slice())).collect();
            apply(index, &[], &added, Mark::default());
            rows.clear();
        };
        let fresh = index.is_empty();
        store.each_vector_above(self.space, above, |id, document, vector| {
            if fresh || !index.contains(id) {
                rows.push((Row::of(id, document), vector.to_vec()));
            }
            if rows.len() >= AT_ONCE {
                add(&mut rows);
            }
            !(id.is_multiple_of(1024) && cancel.is_cancelled())
        })?;
        add(&mut rows);
        stopped(cancel)
    }

    /// Follows the store. Does nothing before the vectors are loaded, since loading reads them.
    pub fn apply(&self, removed: &[PassageRange], added: &[(Row, &[f32])], mark: Mark) {
        // Not for writing: searches go on, and the index has locks of its own.
        if let Some(index) = self.index() {
            return apply(&index, removed, added, mark);
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Absent => {}
            State::Loading(pending) => pending.push(Change {
                removed: removed.to_vec(),
                added: added.iter().map(|(row, vector)| (*row, vector.to_vec())).collect(),
                mark,
            }),
            State::Ready(index) => apply(index, removed, added, mark),
        }
    }

    /// The nearest passages with their cosine, best first.
    pub fn search(&self, query: &[f32], filter: &Filter, limit: usize) -> Vec<(u64, f32)> {
        let Some(index) = self.index() else { return Vec::new() };
        let sources: Vec<u128> = filter.sources.iter().map(|source| source.0.as_u128()).collect();
        let kinds: Vec<u8> = filter.kinds.iter().map(|kind| kind_byte(*kind)).collect();
        let seconds = |time: Timestamp| u32::try_from((time.0 / 1_000).max(0)).unwrap_or(u32::MAX);
        let (after, before) = (filter.after.map(seconds), filter.before.map(seconds));
        let filter = rspa_vectors::Filter { sources: &sources, kinds: &kinds, after, before };
        index.search(query, &filter, limit)
    }

    /// Whether bringing rows together, with a graph when there are many, would help.
    pub fn wants_graph(&self) -> bool {
        self.index().is_some_and(|index| index.wants_fold())
    }

    /// Builds or extends the graph; takes long, belongs on a background thread. Searches go on meanwhile.
    pub fn build_graph(&self, cancel: &Cancel) -> Result<(), StorageError> {
        let Some(index) = self.index().filter(|index| index.wants_fold()) else { return Ok(()) };
        match index.fold(&|| cancel.is_cancelled()) {
            // What is not built is built after the next start.
            Ok(()) | Err(Error::Cancelled) => Ok(()),
            Err(error) => Err(StorageError::Refused(error.to_string())),
        }
    }

    /// Whether so much came or went that a snapshot should be written although work goes on.
    pub fn wants_save(&self) -> bool {
        self.index().is_some_and(|index| index.unsaved() >= UNSAVED)
    }

    /// Writes what the snapshot lacks; costs what lies beside its frozen rows, nothing when there is nothing new.
    pub fn save(&self) -> Result<(), StorageError> {
        match self.index().filter(|index| index.unsaved() > 0) {
            Some(index) => index.save().map_err(|error| StorageError::Refused(error.to_string())),
            None => Ok(()),
        }
    }
}

fn apply(index: &Index, removed: &[PassageRange], added: &[(Row, &[f32])], mark: Mark) {
    let removed: Vec<_> = removed.iter().map(PassageRange::ids).collect();
    let added: Vec<_> = added.iter().map(|(row, vector)| (row.indexed(), *vector)).collect();
    index.apply(&removed, &added, mark);
}

fn stopped(cancel: &Cancel) -> Result<(), StorageError> {
    if cancel.is_cancelled() { Err(StorageError::Refused("stopped".to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
