//! One redb file with one writer thread: writes of many callers become one durable commit, each confirmed after it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use redb::{Database, ReadableDatabase};

use super::backend::create;
use super::check;
use super::disk::{Disk, SystemDisk};
use super::history::{self, Limits, Recorder, Tracking};
use super::migrate::{self, LAST_CHANGE, META, Schema, guarded};
use super::read_table::{Suspicion, mark_of};
use super::{ReadTxn, StorageError, WriteTxn};
use crate::clock::{Clock, SystemClock};
use crate::faults::Turns;
use crate::model::{FileReport, Timestamp};
use crate::panics;
use crate::supervision::{RESTARTS, STEADY, pause};

/// Opens the file; called again after a failed write, since redb refuses a database that met an I/O error.
type Opener = Box<dyn Fn() -> Result<Database, StorageError> + Send>;
/// The open database; none once it is closed, or while it cannot be opened again.
type Slot = Arc<RwLock<Option<Arc<Database>>>>;

/// Writes that are taken into one commit at most.
const BATCH: usize = 512;

/// How a file is opened.
#[derive(Clone)]
pub struct DbOptions {
    /// Bytes of pages kept in memory.
    pub cache_bytes: usize,
    /// After a kill the file opens at once, for somewhat slower commits; else opening walks the whole file.
    pub quick_repair: bool,
    /// Where the file lies.
    pub disk: Arc<dyn Disk>,
    /// When changes happened, for the history of files that have one.
    pub clock: Arc<dyn Clock>,
    /// Where tests let the writer thread fail.
    pub turns: Turns,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 16 << 20,
            quick_repair: true,
            disk: Arc::new(SystemDisk),
            clock: Arc::new(SystemClock),
            turns: Turns::default(),
        }
    }
}

/// Bytes of a file's history until [`Db::set_history`] says otherwise.
const HISTORY_BYTES: u64 = 256 << 20;

/// Files of what the person made are checked wholly at every start up to so many bytes: a few hundredths of a second.
const QUICKLY_CHECKED: u64 = 32 << 20;

/// A handle to an open file; clones share it. The file is closed when the last one goes, or by [`Db::close`].
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    /// For messages: "main.redb".
    file: String,
    path: PathBuf,
    database: Slot,
    sender: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    last_change: Arc<AtomicU64>,
    limits: Arc<Limits>,
    suspicion: Arc<Suspicion>,
    /// Why the file could not be opened again after an error.
    trouble: Arc<Mutex<Option<StorageError>>>,
    disk: Arc<dyn Disk>,
}

impl Db {
    /// Opens the file, or makes it (its folder must exist), and brings it to this schema.
    ///
    /// # Errors
    /// In use by another process, written by a newer rspa (the file stays untouched), damaged (it is kept), or
    /// whatever the system says.
    pub fn open(path: &Path, schema: &Schema, options: DbOptions) -> Result<Self, StorageError> {
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let disk = options.disk.clone();
        migrate::check_version(&file, migrate::peek_version(path, &file, disk.as_ref())?, schema)?;
        if disk.exists(path) {
            check_first(path, &file, schema, disk.as_ref())?;
        }
        if !disk.exists(path) {
            make(path, &file, schema, disk.as_ref())?;
        }
        let (name, place, cache) = (file.clone(), path.to_owned(), options.cache_bytes);
        let opener = move || {
            guarded(&name, || {
                let backend = disk.database(&place).map_err(|error| StorageError::opening(&name, error))?;
                create(backend, cache).map_err(|error| StorageError::opening(&name, error))
            })
        };
        Self::start(Box::new(opener), file, path.to_owned(), schema, options)
    }

    /// The version of a file and the one that it would be brought to by opening it; none when they are the same or
    /// there is no file. Nothing is changed: whoever wants a copy of the file as it is makes it now.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn needs_migration(
        path: &Path,
        schema: &Schema,
        options: &DbOptions,
    ) -> Result<Option<(u64, u64)>, StorageError> {
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let found = migrate::peek_version(path, &file, options.disk.as_ref())?;
        migrate::check_version(&file, found, schema)?;
        Ok(found.filter(|found| *found < schema.version).map(|found| (found, schema.version)))
    }

    fn start(
        opener: Opener,
        file: String,
        path: PathBuf,
        schema: &Schema,
        options: DbOptions,
    ) -> Result<Self, StorageError> {
        let database = opener()?;
        let (last, last_time) = guarded(&file, || {
            let read = ReadTxn::new(database.begin_read()?);
            migrate::check_version(&file, migrate::read_version(&read)?, schema)?;
            drop(read);
            migrate::apply(&database, &file, schema)?;
            let read = ReadTxn::new(database.begin_read()?);
            Ok((migrate::read_meta(&read, LAST_CHANGE)?.unwrap_or(0), history::last_time(&read)?))
        })?;
        let recorder = match schema.tracking {
            Tracking::Off => None,
            Tracking::AllBut(except) => Some(Recorder::new(except, last_time)),
        };
        let limits = Arc::new(Limits { on: AtomicBool::new(true), max_bytes: AtomicU64::new(HISTORY_BYTES) });
        let database: Slot = Arc::new(RwLock::new(Some(Arc::new(database))));
        let last_change = Arc::new(AtomicU64::new(last));
        let (sender, receiver) = mpsc::channel();
        let trouble = Arc::new(Mutex::new(None));
        let writer = Writer {
            file: file.clone(),
            opener,
            database: database.clone(),
            trouble: trouble.clone(),
            last_change: last_change.clone(),
            quick_repair: options.quick_repair,
            recorder,
            limits: limits.clone(),
            clock: options.clock,
            turns: options.turns,
        };
        let suspicion = Arc::new(Suspicion::new(&file, &path, options.disk.clone()));
        let thread = std::thread::Builder::new()
            .name(format!("write {file}"))
            .spawn(move || writer.run(&receiver))
            .map_err(|error| StorageError::Failed { detail: format!("no thread for writing: {error}") })?;
        Ok(Self {
            inner: Arc::new(Inner {
                file,
                path,
                database,
                sender: Mutex::new(Some(sender)),
                writer: Mutex::new(Some(thread)),
                last_change,
                limits,
                suspicion,
                trouble,
                disk: options.disk,
            }),
        })
    }

    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The number of the last durable change.
    pub fn last_change(&self) -> u64 {
        self.inner.last_change.load(Ordering::Acquire)
    }

    /// Whether changes are recorded from the next write on, and how many bytes of them are kept. Off forgets what was
    /// recorded. Without meaning for files that have no history.
    pub fn set_history(&self, on: bool, max_bytes: u64) {
        self.inner.limits.on.store(on, Ordering::Release);
        self.inner.limits.max_bytes.store(max_bytes, Ordering::Release);
    }

    /// Lets go of the history before a time, and of its oldest part beyond so many bytes; the number of entries that went.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn prune_history(&self, before: Timestamp, max_bytes: u64) -> Result<u64, StorageError> {
        if !history::can_be_pruned(&self.read()?, before, max_bytes)? {
            return Ok(0);
        }
        self.write(move |txn| history::prune(txn.raw(), before, max_bytes))
    }

    /// Checks every page and row of the file as it is on the disk; writes wait until it is done.
    ///
    /// # Errors
    /// As [`Db::write`]. Damage is what the report says; the file is then checked again before it is next opened.
    pub fn check(&self, schema: &'static Schema) -> Result<FileReport, StorageError> {
        let (path, disk) = (self.inner.path.clone(), self.inner.disk.clone());
        let report = self.write(move |_txn| check::open_file(&path, schema, disk.as_ref()))?;
        if let Some(detail) = &report.damage {
            self.inner.suspicion.raise(detail);
        }
        Ok(report)
    }

    /// The next change gets a higher number than this one. Only for a file that nobody else has open yet.
    pub(super) fn raise_change(&self, above: u64) {
        self.inner.last_change.fetch_max(above, Ordering::AcqRel);
    }

    pub fn read(&self) -> Result<ReadTxn, StorageError> {
        let database = self.inner.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| self.not_open())?;
        let inner = guarded(&self.inner.file, || Ok(database.begin_read()?));
        if let Err(StorageError::Damaged { detail, .. }) = &inner {
            self.inner.suspicion.raise(detail);
        }
        Ok(ReadTxn::watched(inner?, self.inner.suspicion.clone()))
    }

    /// Runs `work` in the next commit and returns when that commit is durable. Blocks this thread: not for async code.
    ///
    /// `work` may run more than once (when another write of the same commit fails); only the last run counts.
    ///
    /// # Errors
    /// The error of `work` (then nothing of it is stored), or that the commit failed.
    pub fn write<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnMut(&WriteTxn<'_>) -> Result<T, StorageError> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.submit(work, move |result| drop(sender.send(result)))?;
        receiver.recv().unwrap_or_else(|_closed| Err(self.closed()))
    }

    /// As [`Db::write`], for async code.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_async<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnMut(&WriteTxn<'_>) -> Result<T, StorageError> + Send + 'static,
    {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.submit(work, move |result| drop(sender.send(result)))?;
        receiver.await.unwrap_or_else(|_closed| Err(self.closed()))
    }

    fn submit<T, F>(
        &self,
        work: F,
        reply: impl FnOnce(Result<T, StorageError>) + Send + 'static,
    ) -> Result<(), StorageError>
    where
        T: Send + 'static,
        F: FnMut(&WriteTxn<'_>) -> Result<T, StorageError> + Send + 'static,
    {
        let job = Box::new(TypedJob { work, result: None, reply });
        let sender = self.inner.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = sender.as_ref().ok_or_else(|| self.closed())?;
        sender.send(job).map_err(|_closed| self.closed())
    }

    /// Finishes the writes that were handed in, ends the writer and closes the file. Later calls fail with `Closed`.
    pub fn close(&self) {
        self.inner.close();
    }

    fn closed(&self) -> StorageError {
        StorageError::Closed { file: self.inner.file.clone() }
    }

    /// Why it cannot be read: closed for good, or not opened again after an error.
    fn not_open(&self) -> StorageError {
        let is_closed = self.inner.sender.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        let trouble = self.inner.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        trouble.filter(|_why| !is_closed).unwrap_or_else(|| self.closed())
    }
}

impl Inner {
    fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!(file = self.file, "the writer thread ended with a panic");
        }
        drop(self.database.write().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// One caller's write.
trait Job: Send {
    /// False when it failed and must not be committed.
    fn run(&mut self, txn: &WriteTxn<'_>, file: &str) -> bool;

    /// Tells the caller its own result, or why the commit failed.
    fn finish(self: Box<Self>, commit: Result<(), StorageError>);
}

struct TypedJob<T, F, R> {
    work: F,
    result: Option<Result<T, StorageError>>,
    reply: R,
}

impl<T, F, R> Job for TypedJob<T, F, R>
where
    T: Send,
    F: FnMut(&WriteTxn<'_>) -> Result<T, StorageError> + Send,
    R: FnOnce(Result<T, StorageError>) + Send,
{
    fn run(&mut self, txn: &WriteTxn<'_>, file: &str) -> bool {
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(txn))).unwrap_or_else(|panic| {
            let (file, detail) = (file.to_owned(), panics::text(panic.as_ref()).to_owned());
            Err(match panics::in_database() {
                true => StorageError::Damaged { file, detail },
                false => StorageError::Panicked { file, detail },
            })
        });
        let ok = result.is_ok();
        self.result = Some(result);
        ok
    }

    fn finish(self: Box<Self>, commit: Result<(), StorageError>) {
        let own = match (self.result, commit) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StorageError::Failed { detail: "the write did not run".to_owned() }),
        };
        (self.reply)(own);
    }
}

struct Writer {
    file: String,
    opener: Opener,
    database: Slot,
    /// Why it could not be opened again.
    trouble: Arc<Mutex<Option<StorageError>>>,
    last_change: Arc<AtomicU64>,
    quick_repair: bool,
    /// None for files without history.
    recorder: Option<Recorder>,
    limits: Arc<Limits>,
    clock: Arc<dyn Clock>,
    turns: Turns,
}

impl Writer {
    /// Writes until nobody can hand in writes any more. A panic outside of them does not end it: what was taken and not
    /// yet begun is written then, unless it fails again and again.
    fn run(self, receiver: &mpsc::Receiver<Box<dyn Job>>) {
        let (mut batch, mut failures) = (Vec::new(), 0);
        loop {
            let begun = Instant::now();
            let ended = catch_unwind(AssertUnwindSafe(|| self.take_turns(receiver, &mut batch)));
            let Err(panic) = ended else { return };
            failures = if begun.elapsed() >= STEADY { 1 } else { failures + 1 };
            let why = panics::text(panic.as_ref());
            tracing::error!(file = self.file, failures, why, "the writer of a file failed and goes on");
            if failures > RESTARTS {
                // Whoever waits for these is told that they were not written.
                batch.clear();
                failures = 0;
            } else {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "nothing can happen meanwhile that this thread would hear of"
                )]
                std::thread::sleep(pause(failures));
            }
            self.reopen();
        }
    }

    fn take_turns(&self, receiver: &mpsc::Receiver<Box<dyn Job>>, batch: &mut Vec<Box<dyn Job>>) {
        loop {
            if batch.is_empty() {
                let Ok(first) = receiver.recv() else { return };
                batch.push(first);
                batch.extend(receiver.try_iter().take(BATCH - 1));
            }
            self.turns.at("database");
            self.commit(std::mem::take(batch));
        }
    }

    /// Commits all writes that succeed. One that fails leaves; the others run again without it, since a redb
    /// transaction cannot be rolled back in part once a table was opened.
    fn commit(&self, mut batch: Vec<Box<dyn Job>>) {
        while !batch.is_empty() {
            // A panic outside of the jobs is redb's, about a file that is not what it wrote.
            let attempt = catch_unwind(AssertUnwindSafe(|| self.attempt(&mut batch))).unwrap_or_else(|panic| {
                let detail = panics::text(panic.as_ref()).to_owned();
                Err(Attempt::Commit(StorageError::Damaged { file: self.file.clone(), detail }))
            });
            match attempt {
                Ok(()) => return batch.into_iter().for_each(|job| job.finish(Ok(()))),
                Err(Attempt::Job(index)) => batch.remove(index).finish(Ok(())),
                Err(Attempt::Commit(error)) => {
                    tracing::error!(file = self.file, %error, "a commit failed");
                    self.reopen();
                    return batch.into_iter().for_each(|job| job.finish(Err(error.clone())));
                }
            }
        }
    }

    fn attempt(&self, batch: &mut [Box<dyn Job>]) -> Result<(), Attempt> {
        let database = self.database().map_err(Attempt::Commit)?;
        let mut txn = database.begin_write().map_err(|error| Attempt::Commit(error.into()))?;
        txn.set_quick_repair(self.quick_repair);
        let recorder = self.recorder.as_ref().filter(|_| self.limits.on.load(Ordering::Acquire));
        if let Some(recorder) = recorder {
            recorder.begin(self.clock.now());
        }
        let mut change = self.last_change.load(Ordering::Acquire);
        for (index, job) in batch.iter_mut().enumerate() {
            change += 1;
            if let Some(recorder) = recorder {
                recorder.change(change);
            }
            if !job.run(&WriteTxn::new(&txn, change, recorder), &self.file) {
                return Err(match txn.abort() {
                    Ok(()) => Attempt::Job(index),
                    Err(error) => Attempt::Commit(error.into()),
                });
            }
        }
        let store = || -> Result<(), StorageError> {
            txn.open_table(META)?.insert(LAST_CHANGE, change)?;
            match (recorder, &self.recorder) {
                (Some(recorder), _) => recorder.store(&txn, self.limits.max_bytes.load(Ordering::Acquire)),
                (None, Some(off)) => off.clear(&txn),
                (None, None) => Ok(()),
            }
        };
        store().map_err(Attempt::Commit)?;
        txn.commit().map_err(|error| Attempt::Commit(error.into()))?;
        if let Some(recorder) = recorder {
            recorder.stored();
        }
        self.last_change.store(change, Ordering::Release);
        Ok(())
    }
}

impl Writer {
    /// Opens the database again if the last try to do so failed.
    fn database(&self) -> Result<Arc<Database>, StorageError> {
        let open = self.database.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(database) = open {
            return Ok(database);
        }
        let database = Arc::new((self.opener)()?);
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = Some(database.clone());
        Ok(database)
    }

    /// Lets go of a database that refuses to work after an error; what was confirmed is in the file.
    fn reopen(&self) {
        // Readers wait meanwhile: to them the file was never closed.
        let mut slot = self.database.write().unwrap_or_else(PoisonError::into_inner);
        drop(slot.take());
        match (self.opener)() {
            Ok(database) => *slot = Some(Arc::new(database)),
            Err(error) => {
                tracing::error!(file = self.file, %error, "the database could not be opened again");
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        }
    }
}

/// Why a commit did not happen.
enum Attempt {
    /// The write at this index failed.
    Job(usize),
    Commit(StorageError),
}

/// Looks at all of a file before it is opened where that is quick, and where it showed damage the last time: redb changes
/// a file by opening it, and one that is refused must stay as it is.
fn check_first(path: &Path, file: &str, schema: &Schema, disk: &dyn Disk) -> Result<(), StorageError> {
    let failed = |error| StorageError::opening_io(file, &error);
    let mark = mark_of(path);
    let suspected = disk.exists(&mark);
    let precious = matches!(schema.tracking, Tracking::AllBut(_));
    if !(suspected || precious && disk.len(path).map_err(failed)? <= QUICKLY_CHECKED) {
        return Ok(());
    }
    if let Some(detail) = check::pages(path, schema, disk)?.damage {
        return Err(StorageError::Damaged { file: file.to_owned(), detail });
    }
    if suspected {
        disk.remove_file(&mark).map_err(failed)?;
    }
    Ok(())
}

/// Makes an empty database beside its place and moves it there: redb writes the mark of its files last, so that one
/// whose making was cut off could never be opened again. Of two first starts, one makes it and the other waits, so that
/// neither moves its file over the one that the other has opened.
fn make(path: &Path, file: &str, schema: &Schema, disk: &dyn Disk) -> Result<(), StorageError> {
    let failed = |error| StorageError::opening_io(file, &error);
    let turn = disk.turn(&path.with_extension("redb-making")).map_err(failed)?;
    if !disk.exists(path) {
        let fresh = path.with_extension("redb-new");
        // What a kill left of it goes.
        drop(disk.create(&fresh).map_err(failed)?);
        let backend = disk.database(&fresh).map_err(|error| StorageError::opening(file, error))?;
        let database = create(backend, 1 << 20).map_err(|error| StorageError::opening(file, error))?;
        // Whoever finds it at its place can tell by its version that it is one of ours.
        guarded(file, || migrate::apply(&database, file, schema))?;
        drop(database);
        disk.rename(&fresh, path).map_err(failed)?;
        disk.sync_folder(path.parent().unwrap_or(path)).map_err(failed)?;
    }
    drop(turn);
    Ok(())
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;
