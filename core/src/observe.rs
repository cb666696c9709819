//! Logs: every `tracing` event goes through one bounded queue to a thread that writes file, console and table.

mod console;
mod file;
mod hub;
mod redact;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub use file::RotatedFile;
pub use redact::redact;

use crate::clock::Clock;
use crate::faults::Turns;
use crate::model::Timestamp;
use crate::storage::{Db, logs};
use hub::Sink;

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
    pub database_days: i64,
    pub clock: Arc<dyn Clock>,
    /// Where tests let the log thread fail.
    pub turns: Turns,
    /// Told when the log thread failed, and when it works again (`true`).
    pub health: Box<dyn Fn(bool, &str) + Send + Sync>,
}

/// The logs of one core; ended by [`Observe::stop`], which writes what is queued.
pub struct Observe {
    sink: Arc<Sink>,
    /// Open while logs are kept in it.
    database: Arc<Mutex<Option<Db>>>,
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
        let (counter, database) = (sink.clone(), Arc::new(Mutex::new(None)));
        let shared = database.clone();
        let thread = std::thread::Builder::new()
            .name("logs".to_owned())
            .spawn(move || writer::supervise(options, &queue, &counter, shared))
            .inspect_err(|error| eprintln!("rspa: no thread for logs: {error}"))
            .ok();
        hub::add(&sink);
        Self { sink, database, thread: Mutex::new(thread) }
    }

    pub fn set_level(&self, level: &str) {
        self.sink.set_level(hub::level(level));
        hub::levels_changed();
    }

    /// Events that were lost because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.sink.dropped()
    }

    /// Removes entries of the database that are older; how many went. Blocks.
    pub fn prune(&self, before: Timestamp) -> u64 {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let removed = database.map_or(Ok(0), |database| logs::prune(&database, before.0));
        removed.unwrap_or_else(|error| {
            tracing::warn!(%error, "old log entries could not be removed");
            0
        })
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

#[cfg(test)]
mod tests;
