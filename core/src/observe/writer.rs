//! The log thread: takes entries from the queue in batches and writes them to console, file and table.

use std::io::{IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::file::RotatedFile;
use super::hub::{self, Sink};
use super::store::LogStore;
use super::{ObserveOptions, console};
use crate::model::{LogEntry, LogId, LogLevel, Timestamp};
use crate::panics;
use crate::storage::anew::set_aside;
use crate::storage::disk::SystemDisk;
use crate::storage::logs::{self, LogReader};
use crate::storage::{Db, DbOptions, StorageError, tables};
use crate::supervision::{RESTARTS, STEADY, pause};
use crate::workspace::places::private_folder;

/// Entries are gathered this long before they are written to disk.
const GATHER: Duration = Duration::from_millis(250);
const LARGEST_BATCH: usize = 2_000;
/// Longest pause between two tries to open what failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The parts that are told of.
const FILE: &str = "log file";
const DATABASE: &str = "log database";
const LOST: &str = "logs";
const WORKER: &str = "log thread";

/// Runs the log thread, and starts it again when it panics; what it had taken from the queue is written then.
pub(super) fn supervise(options: ObserveOptions, queue: &Receiver<LogEntry>, sink: &Sink, store: &LogStore) {
    rspa_ml::priority::lower();
    let mut outputs = Outputs::new(options, store);
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&mut outputs, queue, sink))) else { return };
        failures = if begun.elapsed() >= STEADY { 1 } else { failures + 1 };
        let why = panics::text(&*panic);
        outputs.complain(&format!("the log thread failed: {why}"));
        outputs.ailing = true;
        let reports = outputs.options.reports.clone();
        if failures > RESTARTS {
            reports.health(WORKER, false, &format!("stopped after {failures} failures: {why}"));
            return outputs.close();
        }
        reports.health(WORKER, false, &format!("is being restarted: {why}"));
        #[expect(clippy::disallowed_methods, reason = "nothing can happen meanwhile that this thread would hear of")]
        std::thread::sleep(pause(failures));
    }
}

fn run(outputs: &mut Outputs<'_>, queue: &Receiver<LogEntry>, sink: &Sink) {
    if !std::mem::replace(&mut outputs.opened, true) {
        outputs.open();
    }
    let (mut told_dropped, mut losing) = (0, false);
    loop {
        outputs.options.turns.at("logs");
        if std::mem::take(&mut outputs.ailing) {
            outputs.options.reports.health(WORKER, true, "logs are written again");
        }
        if !outputs.taken.is_empty() {
            outputs.write();
        }
        let Ok(first) = queue.recv() else { break };
        let take = |entry: LogEntry, outputs: &mut Outputs<'_>| {
            outputs.console(&entry);
            if sink.keeps(entry.level) {
                outputs.taken.push(entry);
            }
        };
        take(first, outputs);
        let until = Instant::now() + GATHER;
        while outputs.taken.len() < LARGEST_BATCH {
            match queue.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(entry) => take(entry, outputs),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let dropped = sink.dropped();
        if dropped > told_dropped {
            let words = format!("{} log entries were lost: too many at once", dropped - told_dropped);
            let entry = outputs.own_entry(words.clone());
            outputs.taken.push(entry);
            if !losing {
                outputs.options.reports.health(LOST, false, &words);
            }
            (told_dropped, losing) = (dropped, true);
        } else if losing {
            losing = false;
            outputs.options.reports.health(LOST, true, "all log entries are kept again");
        }
        if !outputs.taken.is_empty() {
            outputs.write();
        }
    }
    outputs.close();
}

/// Something that may fail and is tried again, more and more rarely.
struct Trouble {
    next: Instant,
    pause: Duration,
}

struct Outputs<'a> {
    options: ObserveOptions,
    store: &'a LogStore,
    file: Option<RotatedFile>,
    file_trouble: Option<Trouble>,
    database: Option<Db>,
    database_trouble: Option<Trouble>,
    console: Option<LogLevel>,
    colours: bool,
    /// File and database were opened, or it was tried.
    opened: bool,
    /// Taken from the queue, not yet written.
    taken: Vec<LogEntry>,
    /// The thread failed and was told of.
    ailing: bool,
}

impl<'a> Outputs<'a> {
    fn new(options: ObserveOptions, store: &'a LogStore) -> Self {
        Self {
            file: None,
            file_trouble: None,
            database: None,
            database_trouble: None,
            console: options.console_level.as_deref().map(hub::level),
            colours: std::io::stderr().is_terminal(),
            opened: false,
            taken: Vec::new(),
            ailing: false,
            store,
            options,
        }
    }

    fn open(&mut self) {
        if self.options.to_file {
            self.open_file();
        }
        if self.options.to_database {
            self.open_database();
        } else {
            self.store.is_off();
        }
    }

    fn open_file(&mut self) {
        let options = &self.options;
        let opened = private_folder(&options.folder)
            .and_then(|()| RotatedFile::open(&options.folder.join("rs_pa.log"), options.file_bytes, options.files));
        match opened {
            Ok(file) => {
                self.file = Some(file);
                if self.file_trouble.take().is_some() {
                    self.options.reports.health(FILE, true, "the log file is written again");
                }
            }
            Err(error) => self.file_failed(&error.to_string()),
        }
    }

    fn open_database(&mut self) {
        let (now, newest) = (self.options.clock.now(), *self.store.newest().borrow());
        match open_database(&self.options.folder, now, newest, |words| self.complain(words)) {
            Ok(database) => {
                let reader = LogReader::new(database.clone());
                // What cannot be read now will be told with the next write.
                let newest = reader.newest().unwrap_or_default();
                self.store.opened(reader);
                self.store.added(newest);
                self.database = Some(database);
                if self.database_trouble.take().is_some() {
                    self.options.reports.health(DATABASE, true, "logs are kept in the database again");
                }
            }
            Err(error) => self.database_failed(error),
        }
    }

    fn file_failed(&mut self, why: &str) {
        self.file = None;
        let (trouble, first) = again(self.file_trouble.take(), self.options.retry);
        self.file_trouble = Some(trouble);
        if first {
            let words = format!("the log file cannot be written: {why}");
            self.complain(&words);
            self.options.reports.health(FILE, false, &words);
        }
    }

    /// Given up for now: its own errors would be logged to it again and again.
    fn database_failed(&mut self, error: StorageError) {
        if let Some(database) = self.database.take() {
            database.close();
        }
        let (trouble, first) = again(self.database_trouble.take(), self.options.retry);
        self.database_trouble = Some(trouble);
        if first {
            let words = format!("logs are not kept in the database for now: {error}");
            self.complain(&words);
            self.store.failed(error);
            self.options.reports.health(DATABASE, false, &words);
        } else {
            self.store.failed(error);
        }
    }

    fn console(&self, entry: &LogEntry) {
        if self.console.is_none_or(|least| entry.level < least) {
            return;
        }
        let text = if self.colours { console::coloured(entry) } else { console::plain(entry) };
        // A console that has gone is no reason to stop.
        std::io::stderr().write_all(text.as_bytes()).ok();
    }

    fn write(&mut self) {
        let batch = std::mem::take(&mut self.taken);
        if self.file_trouble.as_ref().is_some_and(|trouble| trouble.next <= Instant::now()) {
            self.open_file();
        }
        if self.database_trouble.as_ref().is_some_and(|trouble| trouble.next <= Instant::now()) {
            self.open_database();
        }
        if let Some(file) = &mut self.file {
            let text: String = batch.iter().map(console::line).collect();
            if let Err(error) = file.append(&text) {
                self.file_failed(&error.to_string());
            }
        }
        if let Some(database) = &self.database {
            match logs::append(database, batch) {
                Ok(newest) => self.store.added(newest),
                Err(error) => self.database_failed(error),
            }
        }
    }

    fn close(&mut self) {
        self.store.ended();
        if let Some(database) = self.database.take() {
            database.close();
        }
    }

    fn own_entry(&self, message: String) -> LogEntry {
        LogEntry {
            id: LogId::default(),
            at: self.options.clock.now(),
            level: LogLevel::Warn,
            target: module_path!().to_owned(),
            module: module_path!().to_owned(),
            function: String::new(),
            line: line!(),
            span: String::new(),
            message,
            errors: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// What concerns logging itself goes to the console, whatever its level is.
    fn complain(&self, why: &str) {
        std::io::stderr().write_all(format!("rspa: {why}\n").as_bytes()).ok();
    }
}

/// The next try of what failed, and whether this was the first failure.
fn again(before: Option<Trouble>, first: Duration) -> (Trouble, bool) {
    let pause = before.as_ref().map_or(first, |before| (before.pause * 2).min(LONGEST_PAUSE));
    (Trouble { next: Instant::now() + pause, pause }, before.is_none())
}

/// Opens the database and brings it to the present shape. A damaged one is put aside: logs are no reason to stop. The
/// entries of the new one get numbers above `newest` and above those that a file ever reaches, so that whoever follows
/// the log goes on.
fn open_database(folder: &Path, now: Timestamp, newest: LogId, complain: impl Fn(&str)) -> Result<Db, StorageError> {
    let failed = |error: std::io::Error| StorageError::Open { file: "logs.redb".to_owned(), detail: error.to_string() };
    private_folder(folder).map_err(failed)?;
    let path = folder.join("logs.redb");
    let open = || -> Result<Db, StorageError> {
        let options = DbOptions { cache_bytes: 4 << 20, ..DbOptions::default() };
        let db = Db::open(&path, &tables::LOGS, options)?;
        logs::prepare(&db)?;
        Ok(db)
    };
    match open() {
        Err(StorageError::Damaged { detail, .. }) => {
            let aside = set_aside(&path, now, &SystemDisk)?;
            complain(&format!("the log database is damaged ({detail}); it is kept as {}", aside.display()));
            let db = open()?;
            logs::begin_above(&db, LogId(newest.0.max(u64::try_from(now.0).unwrap_or(0))))?;
            Ok(db)
        }
        done => done,
    }
}
