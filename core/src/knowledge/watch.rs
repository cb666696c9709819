//! Watches the folders of all sources: changes are gathered for a moment, then the source is looked at again.
//!
//! On Linux each folder that the walk visited is watched by itself, so that ignored trees cost nothing; elsewhere the
//! system watches a tree at once. Where the system's limit is reached, a source is looked at every minute instead.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::reports::Reports;
use super::service::Inner;
use crate::model::{Source, SourceId, SourceKind, SourceState};

/// Silence after a change before the source is scanned.
const SETTLE: Duration = Duration::from_millis(300);
/// A source that changes without end is scanned at least this often.
const LONGEST: Duration = Duration::from_secs(3);
/// The same for what happens in this program: tasks tell their progress often, and something happens all the time.
const SETTLE_TASKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
const SETTLE_ACTIVITIES: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(30));
/// For sources that cannot be watched or are not there.
const POLL: Duration = Duration::from_secs(60);

enum Signal {
    Changed(PathBuf),
    /// An item of a source that is made here, or all of them.
    Items(SourceId, SourceKind, Option<Vec<u8>>),
    Close,
}

/// Changes of a source that wait for quiet.
struct Pending {
    first: Instant,
    last: Instant,
    settle: Duration,
    longest: Duration,
    /// None for all.
    keys: Option<BTreeSet<Vec<u8>>>,
}

impl Pending {
    fn of(kind: Option<SourceKind>) -> Self {
        let (settle, longest) = match kind {
            Some(SourceKind::Tasks) => SETTLE_TASKS,
            Some(SourceKind::Activities) => SETTLE_ACTIVITIES,
            _ => (SETTLE, LONGEST),
        };
        let now = Instant::now();
        Self { first: now, last: now, settle, longest, keys: Some(BTreeSet::new()) }
    }

    fn is_due(&self) -> bool {
        self.last.elapsed() >= self.settle || self.first.elapsed() >= self.longest
    }
}

/// What is watched. Does nothing until the thread of [`run`] has begun.
#[derive(Default)]
pub struct Watcher {
    inner: Mutex<Watching>,
}

#[derive(Default)]
struct Watching {
    system: Option<RecommendedWatcher>,
    sender: Option<Sender<Signal>>,
    sources: BTreeMap<SourceId, Watched>,
}

struct Watched {
    root: PathBuf,
    folders: BTreeSet<PathBuf>,
    /// Changes are not told; it must be looked at.
    polled: bool,
}

impl Watcher {
    fn lock(&self) -> MutexGuard<'_, Watching> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Receiver<Signal> {
        let (sender, receiver) = channel();
        let signals = sender.clone();
        let handler = move |event: Result<notify::Event, notify::Error>| {
            let Ok(event) = event else { return };
            // Reading files is no change, and we read them ourselves.
            if matches!(event.kind, EventKind::Access(_)) {
                return;
            }
            for path in event.paths {
                // The thread has ended when nobody listens.
                drop(signals.send(Signal::Changed(path)));
            }
        };
        let mut watching = self.lock();
        watching.system = notify::recommended_watcher(handler)
            .inspect_err(|error| tracing::warn!(%error, "folders cannot be watched; they are looked at every minute"))
            .ok();
        watching.sender = Some(sender);
        // What another watcher saw, before this thread had to begin again, this one does not.
        watching.sources.values_mut().for_each(|watched| watched.folders.clear());
        receiver
    }

    /// Watches these folders of a source, and no longer those of before.
    pub fn follow(&self, id: SourceId, root: &Path, folders: &[PathBuf], reports: &dyn Reports) {
        let mut watching = self.lock();
        let watching = &mut *watching;
        if watching.sender.is_none() {
            return;
        }
        let wanted: BTreeSet<PathBuf> = match cfg!(target_os = "linux") && !folders.is_empty() {
            true => folders.iter().cloned().collect(),
            // Editors put a new file in the place of the old one: its folder sees that.
            false if root.is_file() => root.parent().map(Path::to_owned).into_iter().collect(),
            false => BTreeSet::from([root.to_owned()]),
        };
        let watched = watching.sources.entry(id).or_insert_with(|| Watched {
            root: root.to_owned(),
            folders: BTreeSet::new(),
            polled: false,
        });
        let Some(system) = &mut watching.system else {
            watched.polled = true;
            return;
        };
        for gone in watched.folders.difference(&wanted) {
            // A folder that was deleted is not watched any more.
            drop(system.unwatch(gone));
        }
        let mode = if cfg!(target_os = "linux") { RecursiveMode::NonRecursive } else { RecursiveMode::Recursive };
        let mut failed = None;
        let mut added = BTreeSet::new();
        for folder in &wanted {
            if watched.folders.contains(folder) {
                added.insert(folder.clone());
                continue;
            }
            match system.watch(folder, mode) {
                Ok(()) => {
                    added.insert(folder.clone());
                }
                Err(error) if folder.exists() => {
                    failed = Some(error);
                    break;
                }
                Err(_gone) => {}
            }
        }
        watched.folders = added;
        let was_polled = std::mem::replace(&mut watched.polled, failed.is_some());
        if was_polled && failed.is_none() {
            reports.health("watching folders", true, "changes are noticed at once again");
        }
        if let Some(error) = failed.filter(|_| !was_polled) {
            let detail = format!(
                "{} has more folders than the system lets a program watch ({error}); it is looked at every minute instead",
                root.display()
            );
            reports.health("watching folders", false, &detail);
        }
    }

    /// An item of a source that is made here changed, or no one knows which. Does nothing where nobody watches.
    pub fn items_changed(&self, id: SourceId, kind: SourceKind, key: Option<Vec<u8>>) {
        if let Some(sender) = &self.lock().sender {
            // The thread has ended when nobody listens.
            drop(sender.send(Signal::Items(id, kind, key)));
        }
    }

    pub fn forget(&self, id: SourceId) {
        let mut watching = self.lock();
        let watching = &mut *watching;
        if let (Some(watched), Some(system)) = (watching.sources.remove(&id), &mut watching.system) {
            for folder in &watched.folders {
                let shared = watching.sources.values().any(|other| other.folders.contains(folder));
                if !shared {
                    drop(system.unwatch(folder));
                }
            }
        }
    }

    pub fn close(&self) {
        let mut watching = self.lock();
        watching.system = None;
        if let Some(sender) = watching.sender.take() {
            drop(sender.send(Signal::Close));
        }
    }

    /// Sources that hold this path; two that overlap both do.
    fn sources_of(&self, path: &Path) -> Vec<SourceId> {
        let watching = self.lock();
        let held = watching.sources.iter().filter(|(_, watched)| path.starts_with(&watched.root));
        held.map(|(id, _)| *id).collect()
    }

    fn polled(&self) -> Vec<SourceId> {
        self.lock().sources.iter().filter(|(_, watched)| watched.polled).map(|(id, _)| *id).collect()
    }
}

/// Gathers changes and asks for scans until the watcher closes.
pub(super) fn run(inner: &Inner) {
    let receiver = inner.watcher.open();
    if inner.stop.is_cancelled() {
        // Closed before it was opened: nobody would say so again.
        return;
    }
    // Sources that were scanned before this thread began are not watched yet.
    let missed: Vec<SourceId> = inner
        .board
        .lock()
        .by_id
        .values()
        .filter(|running| running.ended > 0)
        .map(|running| running.source.id)
        .collect();
    ask(inner, missed);
    let mut pending: HashMap<SourceId, Pending> = HashMap::new();
    let mut polled = Instant::now();
    loop {
        inner.reports.turn("watcher");
        let wait = if pending.is_empty() { POLL.saturating_sub(polled.elapsed()) } else { SETTLE / 3 };
        match receiver.recv_timeout(wait) {
            Ok(Signal::Changed(path)) => {
                for id in inner.watcher.sources_of(&path) {
                    let change = pending.entry(id).or_insert_with(|| Pending::of(None));
                    (change.last, change.keys) = (Instant::now(), None);
                }
            }
            Ok(Signal::Items(id, kind, key)) => {
                let change = pending.entry(id).or_insert_with(|| Pending::of(Some(kind)));
                change.last = Instant::now();
                change.keys = change.keys.take().zip(key).map(|(mut keys, key)| {
                    keys.insert(key);
                    keys
                });
            }
            Ok(Signal::Close) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let ready: Vec<SourceId> = pending.iter().filter(|(_, change)| change.is_due()).map(|(id, _)| *id).collect();
        for id in ready {
            let Entry::Occupied(change) = pending.entry(id) else { continue };
            match change.remove().keys {
                None => ask(inner, vec![id]),
                Some(keys) => inner.board.change(|board| board.enqueue_keys(id, keys)),
            }
        }
        if polled.elapsed() >= POLL {
            polled = Instant::now();
            ask(inner, inner.watcher.polled());
            let sources = inner.board.lock();
            let missing = sources.by_id.values().filter(|running| running.state == SourceState::Missing);
            let missing: Vec<Source> = missing.map(|running| running.source.clone()).collect();
            drop(sources);
            // What is made here has no place on the disk.
            let back = missing.into_iter().filter(|source| source.kind.is_built_in() || source.path.exists());
            ask(inner, back.map(|source| source.id).collect());
        }
    }
}

fn ask(inner: &Inner, sources: Vec<SourceId>) {
    if !sources.is_empty() {
        inner.board.change(|board| sources.into_iter().for_each(|id| board.enqueue(id)));
    }
}
