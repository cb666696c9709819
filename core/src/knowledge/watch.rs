//! Watches the folders of all sources: changes are gathered for a moment, then the source is looked at again.
//!
//! On Linux each folder that the walk visited is watched by itself, so that ignored trees cost nothing; elsewhere the
//! system watches a tree at once. Where the system's limit is reached, a source is looked at every minute instead.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::reports::Reports;
use super::service::Inner;
use crate::model::{SourceId, SourceState};

/// Silence after a change before the source is scanned.
const SETTLE: Duration = Duration::from_millis(300);
/// A source that changes without end is scanned at least this often.
const LONGEST: Duration = Duration::from_secs(3);
/// For sources that cannot be watched or are not there.
const POLL: Duration = Duration::from_secs(60);

enum Signal {
    Changed(PathBuf),
    Close,
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
    let mut pending: HashMap<SourceId, (Instant, Instant)> = HashMap::new();
    let mut polled = Instant::now();
    loop {
        inner.reports.turn("watcher");
        let wait = if pending.is_empty() { POLL.saturating_sub(polled.elapsed()) } else { SETTLE / 3 };
        match receiver.recv_timeout(wait) {
            Ok(Signal::Changed(path)) => {
                let now = Instant::now();
                for id in inner.watcher.sources_of(&path) {
                    pending.entry(id).or_insert((now, now)).1 = now;
                }
            }
            Ok(Signal::Close) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let due = |(first, last): &(Instant, Instant)| last.elapsed() >= SETTLE || first.elapsed() >= LONGEST;
        let ready: Vec<SourceId> = pending.iter().filter(|(_, times)| due(times)).map(|(id, _)| *id).collect();
        pending.retain(|id, _| !ready.contains(id));
        ask(inner, ready);
        if polled.elapsed() >= POLL {
            polled = Instant::now();
            ask(inner, inner.watcher.polled());
            let sources = inner.board.lock();
            let missing = sources.by_id.values().filter(|running| running.state == SourceState::Missing);
            let missing: Vec<(SourceId, PathBuf)> =
                missing.map(|running| (running.source.id, running.source.path.clone())).collect();
            drop(sources);
            ask(inner, missing.into_iter().filter(|(_, path)| path.exists()).map(|(id, _)| id).collect());
        }
    }
}

fn ask(inner: &Inner, sources: Vec<SourceId>) {
    if !sources.is_empty() {
        inner.board.change(|board| sources.into_iter().for_each(|id| board.enqueue(id)));
    }
}
