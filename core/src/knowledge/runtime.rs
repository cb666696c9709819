//! What each source is doing now: its state, its progress, and who waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rspa_ml::Cancel;

use super::KnowledgeError;
use crate::model::{Source, SourceId, SourceProgress, SourceState};

/// Between two events of one source that only differ in figures.
const QUIET: Duration = Duration::from_millis(200);

/// A source with what happens to it.
pub struct Running {
    pub source: Source,
    pub state: SourceState,
    /// Stops the scan that runs.
    pub cancel: Cancel,
    /// Scans asked for, and those that have ended; a scan covers everything asked for before it began.
    pub asked: u64,
    pub ended: u64,
    pub pace: Option<Pace>,
    /// Why the last scan did not come to its end.
    pub failed: Option<Arc<KnowledgeError>>,
    told: Option<(Instant, SourceState)>,
    /// What the next scan looks at.
    wanted: Wanted,
    /// The next scan fetches again what was fetched.
    again: bool,
}

/// What a scan looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    #[default]
    All,
    /// Only the items with these keys, which are read whatever their stamps say.
    Keys(BTreeSet<Vec<u8>>),
}

/// Progress of the scan that runs.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    begun: Instant,
    pub done: u64,
    pub total: u64,
}

impl Pace {
    pub fn new() -> Self {
        Self { begun: Instant::now(), done: 0, total: 0 }
    }

    fn progress(&self) -> SourceProgress {
        let seconds = self.begun.elapsed().as_secs_f64();
        let pace = if seconds > 0.05 { self.done as f64 / seconds } else { 0.0 };
        let left = self.total.saturating_sub(self.done) as f64;
        let known = pace > 0.0 && seconds > 0.5 && left > 0.0;
        SourceProgress {
            files_done: self.done,
            files_total: self.total,
            files_per_second: pace,
            seconds_left: known.then(|| left / pace),
        }
    }
}

impl Running {
    pub fn new(source: Source) -> Self {
        let state = if source.paused { SourceState::Paused } else { SourceState::Queued };
        Self {
            source,
            state,
            cancel: Cancel::new(),
            asked: 0,
            ended: 0,
            pace: None,
            failed: None,
            told: None,
            wanted: Wanted::All,
            again: false,
        }
    }

    pub fn progress(&self) -> Option<SourceProgress> {
        let busy = matches!(self.state, SourceState::Scanning | SourceState::Indexing);
        self.pace.filter(|_| busy).map(|pace| pace.progress())
    }

    pub fn is_busy(&self) -> bool {
        self.asked > self.ended
    }

    /// Whether an event should be told now: at each new state at once, else a few times a second.
    pub fn should_tell(&mut self) -> bool {
        let tell = match self.told {
            Some((at, state)) => state != self.state || at.elapsed() >= QUIET,
            None => true,
        };
        if tell {
            self.told = Some((Instant::now(), self.state));
        }
        tell
    }
}

/// All sources of the profile, oldest first, and the queue of those to scan.
#[derive(Default)]
pub struct Board {
    inner: Mutex<Sources>,
    changed: Condvar,
}

#[derive(Default)]
pub struct Sources {
    pub by_id: BTreeMap<SourceId, Running>,
    queue: Vec<SourceId>,
    /// Sources whose rows are being removed.
    pub leaving: Vec<SourceId>,
    pub scanning: Option<SourceId>,
    /// Rises when the encoder should be looked at again.
    pub wishes: u64,
    /// The wishes that the background work had seen when it last ended, and why it did not come to its end.
    pub settled: u64,
    pub unsettled: Option<Arc<KnowledgeError>>,
    closed: bool,
}

/// The next thing for the indexer.
pub enum Task {
    Scan(Order),
    Remove(SourceId),
    End,
}

/// A scan.
pub struct Order {
    pub source: Source,
    pub cancel: Cancel,
    /// The scans asked for that it covers.
    pub asked: u64,
    pub wanted: Wanted,
    pub again: bool,
}

impl Board {
    pub fn lock(&self) -> MutexGuard<'_, Sources> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something and wakes who waits.
    pub fn change<T>(&self, change: impl FnOnce(&mut Sources) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    pub fn sources(&self) -> Vec<Source> {
        self.lock().by_id.values().map(|running| running.source.clone()).collect()
    }

    pub fn close(&self) {
        self.change(|sources| {
            sources.closed = true;
            sources.by_id.values().for_each(|running| running.cancel.cancel());
        });
    }

    /// Waits for the next task of the indexer.
    pub fn next_task(&self) -> Task {
        let mut sources = self.lock();
        loop {
            if sources.closed {
                return Task::End;
            }
            if let Some(id) = sources.leaving.first() {
                return Task::Remove(*id);
            }
            while !sources.queue.is_empty() {
                let id = sources.queue.remove(0);
                if let Some(order) = sources.begin(id) {
                    return Task::Scan(order);
                }
            }
            sources = self.changed.wait(sources).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until `done` says something, at most this long at once when a limit is given.
    pub fn wait_for<T>(&self, limit: Option<Duration>, mut done: impl FnMut(&mut Sources) -> Option<T>) -> Option<T> {
        let mut sources = self.lock();
        let begun = Instant::now();
        loop {
            if let Some(result) = done(&mut sources) {
                return Some(result);
            }
            if sources.closed {
                return None;
            }
            sources = match limit {
                None => self.changed.wait(sources).unwrap_or_else(PoisonError::into_inner),
                Some(limit) => {
                    let left = limit.checked_sub(begun.elapsed())?;
                    self.changed.wait_timeout(sources, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl Sources {
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes a source to scan it now.
    pub fn begin(&mut self, id: SourceId) -> Option<Order> {
        self.queue.retain(|queued| *queued != id);
        let running = self.by_id.get_mut(&id).filter(|running| !running.source.paused)?;
        running.cancel = Cancel::new();
        running.pace = Some(Pace::new());
        running.state = SourceState::Scanning;
        let order = Order {
            source: running.source.clone(),
            cancel: running.cancel.clone(),
            asked: running.asked,
            wanted: std::mem::replace(&mut running.wanted, Wanted::Keys(BTreeSet::new())),
            again: std::mem::take(&mut running.again),
        };
        self.scanning = Some(id);
        Some(order)
    }

    /// A scan ended without having seen everything that it should: the next one looks at all.
    pub fn unseen(&mut self, id: SourceId) {
        if let Some(running) = self.by_id.get_mut(&id) {
            running.wanted = Wanted::All;
        }
    }

    /// Asks for a scan; one that runs is followed by another.
    pub fn enqueue(&mut self, id: SourceId) {
        self.unseen(id);
        self.ask(id);
    }

    /// Asks for a scan that also fetches again what was fetched.
    pub fn enqueue_again(&mut self, id: SourceId) {
        self.enqueue(id);
        if let Some(running) = self.by_id.get_mut(&id) {
            running.again = true;
        }
    }

    /// Asks for a look at a few items of a source.
    pub fn enqueue_keys(&mut self, id: SourceId, more: BTreeSet<Vec<u8>>) {
        if let Some(Running { wanted: Wanted::Keys(keys), .. }) = self.by_id.get_mut(&id) {
            keys.extend(more);
        }
        self.ask(id);
    }

    fn ask(&mut self, id: SourceId) {
        let Some(running) = self.by_id.get_mut(&id) else { return };
        if running.source.paused {
            return;
        }
        running.asked += 1;
        if self.scanning != Some(id) {
            running.state = SourceState::Queued;
        }
        if !self.queue.contains(&id) {
            self.queue.push(id);
        }
    }
}
