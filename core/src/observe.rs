//! Logs: every `tracing` event goes through one bounded queue to a thread that writes file, console and table.
//!
//! An error with the field `critical = true` is critical; a field `function` names the function, else the innermost span
//! of the same module does; an error given as `&dyn Error` is kept with all its causes.

mod console;
mod export;
mod file;
mod hub;
mod redact;
pub mod sample;
mod store;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

pub use export::{write_entry, write_head};
pub use file::RotatedFile;
pub use redact::redact;

use crate::clock::Clock;
use crate::faults::Turns;
use crate::model::{LogId, Timestamp};
use crate::storage::StorageError;
use crate::storage::logs::LogReader;
use hub::Sink;
use store::LogStore;

/// Hears how logging itself is doing.
pub trait Reports: Send + Sync {
    /// A part (log file, log database) works less well than it should, or works again.
    fn health(&self, part: &str, healthy: bool, detail: &str);
}

/// Where logs of one core go.
pub struct ObserveOptions {
    pub folder: PathBuf,
    /// The least important level: `error` to `trace`.
    pub level: String,
    pub to_file: bool,
    pub file_bytes: u64,
    pub files: u32,
    /// From this level on to the console; none for no console.
    pub console_level: Option<String>,
    pub to_database: bool,
    /// The first pause before what failed (disk full, no permission) is tried again; it doubles with each failure.
    pub retry: Duration,
    pub reports: Arc<dyn Reports>,
    pub clock: Arc<dyn Clock>,
    /// Where tests let the log thread fail.
    pub turns: Turns,
}

/// The logs of one core; ended by [`Observe::stop`], which writes what is queued.
pub struct Observe {
    sink: Arc<Sink>,
    store: Arc<LogStore>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Observe {
    /// Starts the thread; the first core of a process also becomes the receiver of all `tracing` events.
    pub fn start(options: ObserveOptions) -> Self {
        let (sink, queue) = Sink::new(
            hub::level(&options.level),
            options.console_level.as_deref().map(hub::level),
            options.clock.clone(),
        );
        let store = Arc::new(LogStore::new());
        let (counter, written) = (sink.clone(), store.clone());
        let thread = std::thread::Builder::new()
            .name("logs".to_owned())
            .spawn(move || {
                // Also after a panic nobody waits for a database that will never be opened.
                let _ended = Ended(&written);
                writer::supervise(options, &queue, &counter, &written);
            })
            .inspect_err(|error| {
                eprintln!("rspa: no thread for logs: {error}");
                store.ended();
            })
            .ok();
        hub::add(&sink);
        Self { sink, store, thread: Mutex::new(thread) }
    }

    pub fn set_level(&self, level: &str) {
        self.sink.set_level(hub::level(level));
        hub::levels_changed();
    }

    /// Events that were lost because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.sink.dropped()
    }

    /// The log database, for reading; waits while it is being opened, so not for async code.
    ///
    /// # Errors
    /// `Refused` when logs are not kept in a database; else why it cannot be read now.
    pub fn reader(&self) -> Result<Arc<LogReader>, StorageError> {
        self.store.reader()
    }

    /// Removes entries of the database that are older; how many went. Blocks.
    pub fn prune(&self, before: Timestamp) -> u64 {
        // Where logs are not kept there is nothing to remove; where they cannot be read that is told already.
        let Ok(reader) = self.reader() else { return 0 };
        reader.prune(before).unwrap_or_else(|error| {
            tracing::warn!(%error, "old log entries could not be removed");
            0
        })
    }

    /// The number of the newest stored entry, as it rises: a few times a second at most.
    pub fn newest(&self) -> watch::Receiver<LogId> {
        self.store.newest()
    }

    /// Writes what is queued and ends the thread.
    pub fn stop(&self) {
        self.sink.close();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
            && thread.join().is_err()
        {
            eprintln!("rspa: the log thread ended with a panic");
        }
    }
}

struct Ended<'a>(&'a LogStore);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.ended();
    }
}

#[cfg(test)]
mod tests;
