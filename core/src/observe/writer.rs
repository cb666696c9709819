//! The log thread: takes entries from the queue in batches and writes them to console, file and table.

use std::io::{IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::Level;

use super::file::RotatedFile;
use super::hub::{self, Sink};
use super::{ObserveOptions, console};
use crate::storage::logs::{self, LogRow};
use crate::storage::{Db, DbOptions, tables};
use crate::supervision::{RESTARTS, STEADY, pause, words_of};
use crate::workspace::places::private_folder;

/// Entries are gathered this long before they are written to disk.
const GATHER: Duration = Duration::from_millis(250);
const LARGEST_BATCH: usize = 2_000;
const DAY_MS: i64 = 86_400_000;

/// Runs the log thread, and starts it again when it panics; what it had taken from the queue is written then.
pub(super) fn supervise(
    options: ObserveOptions,
    queue: &Receiver<(Level, LogRow)>,
    sink: &Sink,
    database: Arc<Mutex<Option<Db>>>,
) {
    crate::priority::lower();
    let mut outputs = Outputs::open(options, database);
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&mut outputs, queue, sink))) else { return };
        failures = if begun.elapsed() >= STEADY { 1 } else { failures + 1 };
        let why = words_of(&*panic);
        outputs.complain(&format!("the log thread failed: {why}"));
        outputs.ailing = true;
        if failures > RESTARTS {
            return (outputs.options.health)(false, &format!("stopped after {failures} failures: {why}"));
        }
        (outputs.options.health)(false, &format!("is being restarted: {why}"));
        std::thread::sleep(pause(failures));
    }
}

fn run(outputs: &mut Outputs, queue: &Receiver<(Level, LogRow)>, sink: &Sink) {
    let mut told_dropped = 0;
    let mut pruned = outputs.options.clock.now().0;
    loop {
        outputs.options.turns.at("logs");
        if std::mem::take(&mut outputs.ailing) {
            (outputs.options.health)(true, "works again");
        }
        if !outputs.taken.is_empty() {
            outputs.write();
        }
        let Ok(first) = queue.recv() else { break };
        let take = |entry: (Level, LogRow), outputs: &mut Outputs| {
            outputs.console(&entry);
            if sink.keeps(entry.0) {
                outputs.taken.push(entry.1);
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
            let row = outputs.own_row(format!("{} log entries were lost: too many at once", dropped - told_dropped));
            outputs.taken.push(row);
            told_dropped = dropped;
        }
        if !outputs.taken.is_empty() {
            outputs.write();
        }
        let now = outputs.options.clock.now().0;
        if now - pruned > DAY_MS / 24 {
            pruned = now;
            outputs.prune();
        }
    }
    outputs.prune();
}

struct Outputs {
    options: ObserveOptions,
    file: Option<RotatedFile>,
    /// Shared with whoever reads and prunes.
    database: Arc<Mutex<Option<Db>>>,
    /// Taken from the queue, not yet written.
    taken: Vec<LogRow>,
    /// The thread failed and was told of.
    ailing: bool,
    console: Option<Level>,
    colours: bool,
}

impl Outputs {
    fn open(options: ObserveOptions, database: Arc<Mutex<Option<Db>>>) -> Self {
        let mut outputs = Self {
            file: None,
            database,
            taken: Vec::new(),
            ailing: false,
            console: options.console_level.as_deref().map(hub::level),
            colours: std::io::stderr().is_terminal(),
            options,
        };
        if let Err(error) = outputs.open_files() {
            outputs.complain(&error);
        }
        outputs
    }

    fn open_files(&mut self) -> Result<(), String> {
        let options = &self.options;
        if !options.to_file && !options.to_database {
            return Ok(());
        }
        private_folder(&options.folder).map_err(|error| error.to_string())?;
        if options.to_file {
            let path = options.folder.join("rs_pa.log");
            let file = RotatedFile::open(&path, options.file_bytes, options.files);
            self.file = Some(file.map_err(|error| error.to_string())?);
        }
        if options.to_database {
            let path = options.folder.join("logs.redb");
            let db_options = DbOptions { cache_bytes: 4 << 20, ..DbOptions::default() };
            let database = Db::open(&path, &tables::LOGS, db_options).map_err(|error| error.to_string())?;
            *self.database.lock().unwrap_or_else(PoisonError::into_inner) = Some(database);
            self.prune();
        }
        Ok(())
    }

    fn database(&self) -> Option<Db> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn console(&self, (level, row): &(Level, LogRow)) {
        if self.console.is_none_or(|least| *level > least) {
            return;
        }
        let text = if self.colours { console::coloured(*level, row) } else { console::plain(row) };
        // A console that has gone is no reason to stop.
        std::io::stderr().write_all(text.as_bytes()).ok();
    }

    fn write(&mut self) {
        let batch = std::mem::take(&mut self.taken);
        if let Some(file) = &mut self.file {
            let text: String = batch.iter().map(console::line).collect();
            if let Err(error) = file.append(&text) {
                self.file = None;
                self.complain(&format!("the log file is given up: {error}"));
            }
        }
        if let Some(database) = self.database()
            && let Err(error) = logs::append(&database, batch)
        {
            // Given up at once: its own errors would be logged to it again and again.
            drop(self.database.lock().unwrap_or_else(PoisonError::into_inner).take());
            self.complain(&format!("the log database is given up: {error}"));
        }
    }

    fn prune(&mut self) {
        let before = self.options.clock.now().0.saturating_sub(self.options.database_days.saturating_mul(DAY_MS));
        if let Some(database) = self.database()
            && let Err(error) = logs::prune(&database, before)
        {
            self.complain(&format!("old logs could not be removed: {error}"));
        }
    }

    fn own_row(&self, message: String) -> LogRow {
        LogRow {
            at: self.options.clock.now().0,
            level: Level::WARN.to_string(),
            target: module_path!().to_owned(),
            module: module_path!().to_owned(),
            line: line!(),
            span: String::new(),
            message,
            fields: Vec::new(),
        }
    }

    /// What concerns logging itself goes to the console, whatever its level is.
    fn complain(&self, why: &str) {
        std::io::stderr().write_all(format!("rspa: {why}\n").as_bytes()).ok();
    }
}
