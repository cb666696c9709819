//! The index of one vector space: frozen rows, sealed ones that wait for a fold, and a tail that grows.

mod persist;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::Error;
use crate::filter::Filter;
use crate::fold::{How, fold};
use crate::freeze::Freeze;
use crate::frozen::Frozen;
use crate::rows::{Bits, Row, Rows};
use crate::scratch;
use crate::segment::{Data, Segment, Wanted, scan};

pub use persist::{Opened, least_change};

/// Rows of a sealed part: what one allocation grows to.
const SEALED: usize = 1 << 16;
/// Least width of a search of the graph.
const WIDTH: usize = 96;
/// No change is waited for.
const NOTHING: u64 = u64::MAX;

/// What an index is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The store's identity.
    pub store: u64,
    /// The vector space.
    pub space: u32,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub dimensions: usize,
    /// A graph is built from so many rows on.
    pub graph_from: usize,
    /// Rows beside the frozen ones at least, before they are brought together.
    pub tail: usize,
    /// Threads that build.
    pub threads: usize,
    /// Where snapshots lie; none for an index in memory only.
    pub folder: Option<PathBuf>,
    pub identity: Identity,
}

/// How far an index has followed its store; what is not given stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The last change that is in.
    pub change: Option<u64>,
    /// Vectors of all passages up to this one are in.
    pub covered: Option<u64>,
}

pub struct Index {
    options: Options,
    state: RwLock<State>,
    /// One fold or save at a time.
    upkeep: Mutex<()>,
    /// The change up to which files on the disk hold everything; [`NOTHING`] while there are none.
    durable: AtomicU64,
}

#[derive(Default)]
struct State {
    /// The first may be frozen.
    segments: Vec<Segment>,
    tail: Rows,
    tail_dead: Bits,
    /// Sources, by the numbers that rows have.
    names: Vec<u128>,
    change: u64,
    covered: u64,
    /// Rows that came or went since the last save.
    unsaved: usize,
}

impl State {
    fn living(&self) -> usize {
        self.segments.iter().map(Segment::living).sum::<usize>() + self.tail.len() - self.tail_dead.count()
    }

    fn frozen(&self) -> Option<&Arc<Frozen>> {
        self.segments.first().and_then(Segment::frozen)
    }

    /// Marks the rows of these ids as gone.
    fn remove(&mut self, ids: Range<u64>) {
        self.segments.iter_mut().for_each(|segment| segment.remove(ids.clone()));
        let (columns, dead) = (self.tail.columns(), &mut self.tail_dead);
        columns.within(ids).for_each(|row| dead.insert(row));
    }

    fn seal(&mut self, dimensions: usize) {
        if self.tail.len() > 0 {
            let rows = std::mem::replace(&mut self.tail, Rows::new(dimensions));
            let dead = std::mem::take(&mut self.tail_dead);
            self.segments.push(Segment { data: Data::Rows(Arc::new(rows)), dead });
        }
    }

    fn name(&mut self, source: u128) -> u32 {
        let known = self.names.iter().rposition(|name| *name == source);
        known.unwrap_or_else(|| {
            self.names.push(source);
            self.names.len() - 1
        }) as u32
    }
}

impl Index {
    /// An empty index that nothing on the disk belongs to.
    pub fn new(options: Options) -> Self {
        let state = State { tail: Rows::new(options.dimensions), ..State::default() };
        Self { options, state: RwLock::new(state), upkeep: Mutex::default(), durable: AtomicU64::new(NOTHING) }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Living rows.
    pub fn len(&self) -> usize {
        self.read().living()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn contains(&self, id: u64) -> bool {
        let state = self.read();
        let here =
            |columns: crate::rows::Columns<'_>, dead: &Bits| columns.find(id).is_some_and(|row| !dead.contains(row));
        here(state.tail.columns(), &state.tail_dead)
            || state.segments.iter().any(|segment| here(segment.columns(), &segment.dead))
    }

    pub fn has_graph(&self) -> bool {
        self.read().frozen().is_some_and(|frozen| frozen.has_graph())
    }

    /// How far it has followed its store.
    pub fn mark(&self) -> Mark {
        let state = self.read();
        Mark { change: Some(state.change), covered: Some(state.covered) }
    }

    /// Bytes in memory at most; those of mapped files are given back when others need them.
    pub fn memory_bytes(&self) -> usize {
        let state = self.read();
        let of_segments = state.segments.iter().map(|segment| match &segment.data {
            Data::Frozen(frozen) => frozen.memory_bytes(),
            Data::Rows(rows) => rows.memory_bytes(),
        });
        of_segments.sum::<usize>() + state.tail.memory_bytes()
    }

    /// Rows go and come; what comes is found by the next search. A row that is there already is replaced; vectors of
    /// another length are left out.
    pub fn apply(&self, removed: &[Range<u64>], added: &[(Row, &[f32])], mark: Mark) {
        let mut state = self.write();
        let state = &mut *state;
        for range in removed {
            state.remove(range.clone());
        }
        for (row, vector) in added {
            if vector.len() != self.options.dimensions {
                continue;
            }
            state.remove(row.id..row.id.saturating_add(1));
            let source = state.name(row.source);
            // An earlier row of this id was removed just now.
            state.tail.push(*row, source, vector);
            if state.tail.len() >= SEALED {
                state.seal(self.options.dimensions);
            }
        }
        let rows = removed.iter().fold(0_u64, |sum, range| sum.saturating_add(range.end.saturating_sub(range.start)));
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        state.unsaved = state.unsaved.saturating_add(added.len()).saturating_add(rows);
        state.change = state.change.max(mark.change.unwrap_or(0));
        state.covered = state.covered.max(mark.covered.unwrap_or(0));
    }

    /// The ids of the nearest rows with their cosines, best first. A query without a direction, or of another length,
    /// finds nothing.
    pub fn search(&self, query: &[f32], filter: &Filter<'_>, limit: usize) -> Vec<(u64, f32)> {
        self.search_with(query, filter, limit, WIDTH.max(limit + limit / 2))
    }

    /// The same with the width of the search given (`ef`): wider finds more and takes longer.
    pub fn search_with(&self, query: &[f32], filter: &Filter<'_>, limit: usize, width: usize) -> Vec<(u64, f32)> {
        if query.len() != self.options.dimensions || limit == 0 {
            return Vec::new();
        }
        let state = self.read();
        scratch::with(|scratch| {
            if !scratch.query.set(query) {
                return Vec::new();
            }
            let filter = filter.compile(&state.names);
            let candidates = limit + limit.max(16);
            let wanted = Wanted { filter: &filter, limit, candidates, width: width.max(limit) };
            let mut found = Vec::with_capacity(candidates);
            for segment in &state.segments {
                segment.search(&wanted, scratch, &mut found);
            }
            if state.tail.len() > 0 {
                scan(&state.tail.columns(), &state.tail_dead, &wanted, scratch, &mut found);
            }
            found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            found.truncate(limit);
            found
        })
    }

    /// Whether bringing rows together would help.
    pub fn wants_fold(&self) -> bool {
        let state = self.read();
        let living = state.living();
        let (frozen, lost) = match state.segments.first() {
            Some(first) if first.frozen().is_some() => (first.living(), first.dead.count()),
            _ => (0, 0),
        };
        let beside = living - frozen;
        let graph = state.frozen().is_some_and(|frozen| frozen.has_graph());
        if living > self.options.graph_from && !graph {
            return true;
        }
        // What is scanned and saved beside the frozen rows stays a share of them.
        (graph || self.options.folder.is_some()) && beside > self.options.tail.max(frozen / 16)
            || lost > self.options.tail.min(1_000) && lost * 4 > frozen + lost
    }

    /// Brings all rows together, with a graph when there are many; takes long, belongs on a background thread.
    /// Searches and changes go on meanwhile. Durable when this returns, where there is a folder.
    ///
    /// # Errors
    /// `Cancelled`, and what writing fails with; the index stays as it was.
    pub fn fold(&self, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<(), Error> {
        let _one = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let (segments, names, header) = {
            let mut state = self.write();
            state.seal(self.options.dimensions);
            (state.segments.clone(), state.names.clone(), self.header(&state))
        };
        let frozen = {
            let columns: Vec<_> = segments.iter().map(Segment::columns).collect();
            let dead: Vec<Bits> = segments.iter().map(|segment| segment.dead.clone()).collect();
            let earlier = segments.first().and_then(Segment::frozen).map(Arc::as_ref);
            let how = How { graph_from: self.options.graph_from, threads: self.options.threads };
            let folded = fold(&columns, &dead, earlier, how, cancelled)?;
            let graph = folded.graph.as_ref();
            let freeze = Freeze { columns: &columns, picks: &folded.picks, names: &names, dead: &[], graph };
            let header = freeze.header(header);
            match &self.options.folder {
                Some(_) => self.write_frozen(&freeze, header, cancelled)?,
                None => Frozen::in_memory(&header, |out| freeze.write(out, header.clone(), cancelled).map(|_| ()))?,
            }
        };
        let mut dead = Bits::default();
        {
            let mut state = self.write();
            let columns = frozen.columns();
            // What went meanwhile.
            for (now, before) in state.segments.iter().zip(&segments) {
                let ids = now.columns().ids;
                for row in (0..ids.len()).filter(|row| now.dead.contains(*row) && !before.dead.contains(*row)) {
                    if let Some(row) = columns.find(ids[row]) {
                        dead.insert(row);
                    }
                }
            }
            let rest = state.segments.split_off(segments.len());
            state.segments = vec![Segment { data: Data::Frozen(Arc::new(frozen)), dead }];
            state.segments.extend(rest);
            state.unsaved = state.unsaved.saturating_add(1);
        }
        drop(segments);
        self.save_now()
    }

    /// The change up to which the disk holds everything: later ones must stay in the store's log. None while nothing
    /// on the disk depends on the log.
    pub fn durable(&self) -> Option<u64> {
        Some(self.durable.load(Ordering::Acquire)).filter(|change| *change != NOTHING)
    }

    /// Rows that came or went since the last save.
    pub fn unsaved(&self) -> usize {
        self.read().unsaved
    }
}
