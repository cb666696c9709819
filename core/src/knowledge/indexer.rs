//! The indexer: takes sources in turn, finds what changed, has it read by two threads, and commits in batches.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rspa_ml::Cancel;

use super::KnowledgeError;
use super::keyword::Entry;
use super::kinds::{self, Kind, Load, Look};
use super::prepare::Preparer;
use super::reports::JobReport;
use super::runtime::{Order, Pace, Task, Wanted};
use super::service::Inner;
use super::vector::{Mark, Row};
use super::walk::{self, Found, Obstacle, Walked};
use crate::model::exact_path::path_of;
use crate::model::{DocumentChange, Happening, Source, SourceId, SourceState};
use crate::storage::knowledge::{self as stored, Applied, Batch, FileChange, KnownFile, Outcome};

/// Changes that the log keeps for a snapshot that nobody opens.
const LONGEST_LOG: u64 = 1_000_000;
const READERS: usize = 2;
/// Files read ahead of the commit.
const AHEAD: usize = 32;
/// A batch ends at so many files, passages or milliseconds.
const BATCH_FILES: usize = 128;
const BATCH_PASSAGES: usize = 4_000;
const BATCH_TIME: Duration = Duration::from_millis(700);
/// Between two commits of the keyword index while a scan goes on.
const KEYWORD_PAUSE: Duration = Duration::from_millis(1_500);
/// From so many files on a scan is shown as a job.
const JOB_FILES: usize = 20;

/// Works until the board closes.
pub(super) fn run(inner: &Inner) {
    loop {
        inner.reports.turn("indexer");
        match inner.board.next_task() {
            Task::End => return,
            Task::Remove(id) => {
                if let Err(error) = remove(inner, id) {
                    inner.reports.health("indexing", false, &format!("a removed source is not cleared away: {error}"));
                }
                inner.board.change(|board| board.leaving.retain(|leaving| *leaving != id));
            }
            Task::Scan(order) => execute(inner, &order),
        }
    }
}

/// Scans one source and says how that ended.
pub(super) fn execute(inner: &Inner, order: &Order) {
    let (source, id) = (&order.source, order.source.id);
    let scanned = catch_unwind(AssertUnwindSafe(|| scan(inner, order)));
    let scanned = scanned.unwrap_or_else(|_| Err(KnowledgeError::Keyword("the indexer failed".to_owned())));
    if scanned.is_err() {
        inner.board.change(|board| board.unseen(id));
    }
    let mut failed = None;
    let state = match scanned {
        Ok(state) => {
            if inner.unwell.swap(false, Ordering::AcqRel) {
                inner.reports.health("indexing", true, "sources are read again");
            }
            state
        }
        Err(KnowledgeError::Cancelled) => SourceState::Ready,
        Err(error) => {
            tracing::error!(%error, "a source could not be indexed");
            inner.unwell.store(true, Ordering::Release);
            inner.reports.health("indexing", false, &error.to_string());
            // What happens is a source too: it would be looked at again for having been looked at.
            if !source.kind.is_built_in() {
                let happening = Happening::new("source.failed", &source.name);
                inner.reports.happened(happening.describe(error.to_string()));
            }
            failed = Some(Arc::new(error));
            SourceState::Ready
        }
    };
    inner.board.change(|board| {
        board.scanning = None;
        let Some(running) = board.by_id.get_mut(&id) else { return };
        running.pace = None;
        running.failed = failed;
        running.ended = running.ended.max(order.asked);
        running.state = match state {
            _ if running.source.paused => SourceState::Paused,
            _ if running.is_busy() => SourceState::Queued,
            other => other,
        };
    });
    inner.tell(id);
}

/// Clears away what came from a source.
fn remove(inner: &Inner, id: SourceId) -> Result<(), KnowledgeError> {
    inner.open_keyword(&inner.stop)?;
    while !inner.stop.is_cancelled() {
        let _order = inner.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let (applied, more) = inner.store.remove_some(id)?;
        inner.follow(&applied, &[], id)?;
        if !more {
            inner.keyword.commit(applied.change)?;
            break;
        }
    }
    Ok(())
}

fn scan(inner: &Inner, order: &Order) -> Result<SourceState, KnowledgeError> {
    let (source, cancel) = (&order.source, &order.cancel);
    inner.tell(source.id);
    let kind = kinds::of(inner, source);
    if let Wanted::Keys(keys) = &order.wanted {
        return scan_keys(inner, order, kind.as_ref(), keys);
    }
    let preferences = (inner.preferences)();
    let options = walk::Options { follow_gitignore: preferences.follow_gitignore, skip: Some(inner.data.clone()) };
    let listed = kind.list(&mut Look {
        options: &options,
        cancel,
        progress: &mut |found| {
            inner.board.change(|board| {
                if let Some(pace) = board.by_id.get_mut(&source.id).and_then(|running| running.pace.as_mut()) {
                    pace.total = found as u64;
                }
            });
            inner.tell(source.id);
        },
        again: order.again,
    });
    let walked = match listed {
        Ok(walked) => walked,
        Err(Obstacle::Missing) => return Ok(SourceState::Missing),
        Err(Obstacle::Cancelled) => return Err(KnowledgeError::Cancelled),
        Err(Obstacle::Unreadable(reason)) => {
            let problem = (Vec::new(), format!("It cannot be opened: {reason}."));
            inner.store.replace_folder_problems(source.id, vec![problem], inner.clock.now())?;
            return Ok(SourceState::Missing);
        }
    };
    inner.open_keyword(cancel)?;
    let known = inner.store.known_files(source.id)?;
    let changes = compare(&walked, &known, inner.preparer().sizes.preparation());
    if preferences.watch && !source.kind.is_built_in() {
        inner.watcher.follow(source.id, &source.path, &walked.folders, inner.reports.as_ref());
    } else {
        inner.watcher.forget(source.id);
    }
    index(inner, order, kind.as_ref(), &changes, &known)?;
    inner.store.replace_folder_problems(source.id, walked.problems, inner.clock.now())?;
    if cancel.is_cancelled() {
        return Err(KnowledgeError::Cancelled);
    }
    inner.store.mark_completed(source.id, inner.clock.now())?;
    Ok(SourceState::Ready)
}

/// Looks at a few items of a source that is made here.
fn scan_keys(
    inner: &Inner,
    order: &Order,
    kind: &dyn Kind,
    keys: &BTreeSet<Vec<u8>>,
) -> Result<SourceState, KnowledgeError> {
    inner.open_keyword(&order.cancel)?;
    let (mut found, mut known) = (Vec::new(), HashMap::new());
    for key in keys {
        if let Some(file) = inner.store.known_file(order.source.id, key)? {
            known.insert(key.clone(), file);
        }
        found.extend(kind.find(key)?);
    }
    let here: HashSet<&[u8]> = found.iter().map(|found| found.relative.as_slice()).collect();
    let gone = known.keys().filter(|key| !here.contains(key.as_slice())).cloned().collect();
    let changes = Changes { todo: found.iter().collect(), gone };
    index(inner, order, kind, &changes, &known)?;
    Ok(SourceState::Ready)
}

/// Brings the store to what was found, as a job where it is long.
fn index(
    inner: &Inner,
    order: &Order,
    kind: &dyn Kind,
    changes: &Changes<'_>,
    known: &HashMap<Vec<u8>, KnownFile>,
) -> Result<(), KnowledgeError> {
    let source = &order.source;
    if changes.todo.is_empty() && changes.gone.is_empty() {
        return Ok(());
    }
    let job = (changes.todo.len() >= JOB_FILES).then(|| inner.reports.job(&format!("Index {}", source.name)));
    let scan = Scan { inner, source, kind, known, cancel: &order.cancel, job: job.as_deref() };
    let result = scan.index(changes);
    let cancelled_by_hand = job.as_ref().is_some_and(|job| job.is_cancelled()) && !inner.stop.is_cancelled();
    let finished = match &result {
        Ok(()) => Ok(()),
        Err(KnowledgeError::Cancelled) => Err(KnowledgeError::Cancelled),
        Err(error) => Err(KnowledgeError::Keyword(error.to_string())),
    };
    if let Some(job) = job {
        job.finish(finished);
    }
    if cancelled_by_hand {
        // It would begin again with the next change: the person can let it go on.
        inner.pause(source.id, true)?;
    }
    result?;
    if !source.kind.is_built_in() {
        let indexed = changes.todo.len();
        let files = if indexed == 1 { "file" } else { "files" };
        let happening = Happening::new("source.indexed", format!("{}: {indexed} {files} read", source.name));
        inner.reports.happened(
            happening.with("files", indexed).with("gone", changes.gone.len()).with("path", source.path.display()),
        );
    }
    Ok(())
}

struct Changes<'a> {
    todo: Vec<&'a Found>,
    gone: Vec<Vec<u8>>,
}

/// What differs from what is stored. Files where nothing could be seen this time stay as they are.
fn compare<'a>(walked: &'a Walked, known: &HashMap<Vec<u8>, KnownFile>, preparation: u64) -> Changes<'a> {
    let same = |known: &KnownFile, found: &Found| known.stamp == found.stamp && known.preparation == preparation;
    let todo = walked.files.iter().filter(|found| known.get(&found.relative).is_none_or(|known| !same(known, found)));
    let todo: Vec<_> = todo.collect();
    let seen: HashSet<&[u8]> = walked.files.iter().map(|found| found.relative.as_slice()).collect();
    let gone = known.keys().filter(|path| !seen.contains(path.as_slice()) && !walked.is_unseen(path));
    Changes { todo, gone: gone.cloned().collect() }
}

struct Scan<'a> {
    inner: &'a Inner,
    source: &'a Source,
    kind: &'a dyn Kind,
    known: &'a HashMap<Vec<u8>, KnownFile>,
    cancel: &'a Cancel,
    job: Option<&'a dyn JobReport>,
}

impl Scan<'_> {
    fn index(&self, changes: &Changes<'_>) -> Result<(), KnowledgeError> {
        let (kind, known) = (self.kind, self.known);
        let total = changes.todo.len() as u64;
        self.inner.board.change(|board| {
            if let Some(running) = board.by_id.get_mut(&self.source.id) {
                let mut pace = Pace::new();
                pace.total = total;
                running.pace = Some(pace);
                running.state = SourceState::Indexing;
            }
        });
        self.inner.tell(self.source.id);
        let mut committer = Committer { scan: self, files: Vec::new(), passages: 0, since: Instant::now(), last: None };
        for path in &changes.gone {
            let stamp =
                known.get(path).map_or(crate::storage::knowledge::Stamp { size: 0, modified: 0 }, |known| known.stamp);
            committer.take(FileChange {
                preparation: 0,
                path: path.clone(),
                stamp,
                outcome: Outcome::Gone,
                remark: None,
            })?;
        }
        let preparer = self.inner.preparer();
        let next = AtomicUsize::new(0);
        let (sender, receiver) = sync_channel(AHEAD);
        let result = std::thread::scope(|scope| {
            for _ in 0..READERS.min(changes.todo.len()) {
                let sender = sender.clone();
                let (preparer, next) = (&preparer, &next);
                scope.spawn(move || {
                    rspa_ml::priority::lower();
                    let mut loader = kind.loader();
                    read_files(preparer, loader.as_mut(), changes, known, next, &sender, self.cancel);
                });
            }
            drop(sender);
            let result = self.collect(&receiver, &mut committer, total);
            // Readers that wait for room in the queue end when it is gone.
            drop(receiver);
            result
        });
        let flushed = committer.flush();
        committer.commit_keyword(true)?;
        result.and(flushed)
    }

    /// The documents of a batch that are others than those which were searched before.
    fn changed(&self, batch: &Batch) -> Vec<DocumentChange> {
        let changed = |file: &FileChange| {
            let before = self.known.get(&file.path)?.hash?;
            let hash = match &file.outcome {
                Outcome::Touched => return None,
                Outcome::Indexed(document) => Some(document.hash),
                Outcome::Problem(_) | Outcome::NoText | Outcome::Gone => None,
            };
            let path = || stored::read::absolute(&self.source.path, &file.path);
            (hash != Some(before)).then(|| DocumentChange { path: path(), hash: hash.map(|hash| stored::hex(&hash)) })
        };
        batch.files.iter().filter_map(changed).collect()
    }

    fn collect(
        &self,
        receiver: &Receiver<FileChange>,
        committer: &mut Committer<'_, '_>,
        total: u64,
    ) -> Result<(), KnowledgeError> {
        let mut done = 0;
        loop {
            if self.job.is_some_and(JobReport::is_cancelled) {
                self.cancel.cancel();
            }
            if self.cancel.is_cancelled() {
                return Err(KnowledgeError::Cancelled);
            }
            match receiver.recv_timeout(Duration::from_millis(100)) {
                Ok(change) => {
                    done += 1;
                    committer.take(change)?;
                    self.inner.board.change(|board| {
                        let running = board.by_id.get_mut(&self.source.id);
                        if let Some(pace) = running.and_then(|running| running.pace.as_mut()) {
                            pace.done = done;
                        }
                    });
                    if let Some(job) = self.job {
                        job.progress(done, total);
                    }
                    self.inner.tell(self.source.id);
                }
                Err(RecvTimeoutError::Timeout) => committer.flush_when_due()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }
}

fn read_files(
    preparer: &Preparer,
    loader: &mut dyn Load,
    changes: &Changes<'_>,
    known: &HashMap<Vec<u8>, KnownFile>,
    next: &AtomicUsize,
    sender: &SyncSender<FileChange>,
    cancel: &Cancel,
) {
    while !cancel.is_cancelled() {
        let Some(found) = changes.todo.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
        let Some(change) = preparer.prepare(loader, found, known.get(&found.relative), cancel) else { return };
        if sender.send(change).is_err() {
            return;
        }
    }
}

struct Committer<'a, 'b> {
    scan: &'a Scan<'b>,
    files: Vec<FileChange>,
    passages: usize,
    since: Instant,
    /// The last change and when the keyword index last showed it.
    last: Option<(u64, Instant)>,
}

impl Committer<'_, '_> {
    fn take(&mut self, change: FileChange) -> Result<(), KnowledgeError> {
        if let Outcome::Indexed(document) = &change.outcome {
            self.passages += document.passages.len();
        }
        self.files.push(change);
        if self.files.len() >= BATCH_FILES || self.passages >= BATCH_PASSAGES {
            return self.flush();
        }
        self.flush_when_due()
    }

    fn flush_when_due(&mut self) -> Result<(), KnowledgeError> {
        if self.since.elapsed() >= BATCH_TIME { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), KnowledgeError> {
        self.since = Instant::now();
        if self.files.is_empty() {
            return Ok(());
        }
        self.passages = 0;
        let inner = self.scan.inner;
        let batch = Arc::new(Batch {
            source: self.scan.source.id,
            at: inner.clock.now(),
            space: inner.static_space.as_ref().map(|space| space.index.space().id),
            files: std::mem::take(&mut self.files),
            trim_log: inner.followed(),
        });
        let order = inner.commits.lock().unwrap_or_else(PoisonError::into_inner);
        // A source that was removed meanwhile must not come back.
        if !inner.board.lock().by_id.contains_key(&self.scan.source.id) {
            return Err(KnowledgeError::Cancelled);
        }
        let changed = self.scan.changed(&batch);
        let applied = inner.store.apply(batch.clone())?;
        tracing::debug!(files = batch.files.len(), change = applied.change, "a batch of files is stored");
        inner.follow(&applied, &batch.files, self.scan.source.id)?;
        drop(order);
        if !changed.is_empty() {
            inner.reports.documents_changed(changed);
        }
        let shown = self.last.map_or_else(Instant::now, |(_, shown)| shown);
        self.last = Some((applied.change, shown));
        self.commit_keyword(false)
    }

    fn commit_keyword(&mut self, at_once: bool) -> Result<(), KnowledgeError> {
        let Some((change, shown)) = self.last else { return Ok(()) };
        if at_once || shown.elapsed() >= KEYWORD_PAUSE {
            let inner = self.scan.inner;
            let _order = inner.commits.lock().unwrap_or_else(PoisonError::into_inner);
            inner.keyword.commit(change)?;
            if at_once {
                inner.keyword.rest()?;
            }
            self.last = Some((change, Instant::now()));
        }
        Ok(())
    }
}

impl Inner {
    /// Lets both indexes follow what was committed. The caller holds the order of commits.
    pub(super) fn follow(
        &self,
        applied: &Applied,
        files: &[FileChange],
        source: SourceId,
    ) -> Result<(), KnowledgeError> {
        let documents = files.iter().filter_map(|file| match &file.outcome {
            Outcome::Indexed(document) => Some((file, document)),
            _ => None,
        });
        let mut entries = Vec::new();
        let mut rows: Vec<(Row, &[f32])> = Vec::new();
        let paths: Vec<_> = files.iter().map(|file| path_of(&file.path).unwrap_or_default()).collect();
        let documents: Vec<_> = documents.zip(&applied.added).collect();
        for ((file, document), range) in &documents {
            let at = files.iter().position(|other| std::ptr::eq(other, *file)).unwrap_or(0);
            for (passage, id) in document.passages.iter().zip(range.ids()) {
                entries.push(Entry {
                    id,
                    range: **range,
                    source,
                    kind: document.kind,
                    path: &paths[at],
                    heading: passage.heading.as_deref(),
                    symbols: &passage.symbols,
                    modified: file.stamp.modified / 1_000_000,
                    text: &passage.text,
                });
            }
            for (vector, id) in document.vectors.iter().zip(range.ids()) {
                let modified = file.stamp.modified / 1_000_000;
                rows.push((Row { id, source, kind: document.kind, modified }, vector.as_slice()));
            }
        }
        if let Err(error) = self.keyword.apply(&applied.removed, entries.into_iter()) {
            tracing::warn!(%error, "the keyword index is built again");
            self.keyword.repair(&self.store, &self.stop)?;
        }
        let mark = Mark { change: Some(applied.change), covered: None };
        if let Some(space) = &self.static_space {
            space.index.apply(&applied.removed, &rows, mark);
        }
        for space in self.encoder_spaces() {
            space.index.apply(&applied.removed, &[], mark);
        }
        Ok(())
    }

    /// The change up to which all indexes hold everything durably: the log is needed from there on.
    fn followed(&self) -> u64 {
        let spaces = self.spaces();
        let vectors = spaces.iter().filter_map(|space| space.index.durable());
        // Snapshots of an encoder that is not loaded yet, but not for ever.
        let resting = rspa_vectors::least_change(&self.vectors, self.identity);
        let keyword = self.keyword.applied();
        let resting = resting.filter(|change| keyword.saturating_sub(*change) < LONGEST_LOG);
        vectors.chain(resting).fold(keyword, u64::min)
    }

    /// Whether the encoder has not yet covered all passages of the source.
    pub(super) fn is_behind(&self, id: SourceId) -> Result<bool, KnowledgeError> {
        match self.filled_encoder()? {
            Some(space) => Ok(self.store.covered(space.index.space())? < self.store.counts(id)?.last_passage),
            None => Ok(false),
        }
    }
}
