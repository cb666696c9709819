//! The log database as those see it who read it: being opened, open, switched off, or not to be had.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::watch;

use crate::model::LogId;
use crate::storage::StorageError;
use crate::storage::logs::LogReader;

/// Whether entries can be read.
#[derive(Clone)]
enum State {
    Opening,
    Open(Arc<LogReader>),
    /// Logs are not kept in a database.
    Off,
    Failed(StorageError),
    Ended,
}

/// Shared by the log thread, which opens and writes the database, and all who read it.
pub(super) struct LogStore {
    state: Mutex<State>,
    changed: Condvar,
    newest: watch::Sender<LogId>,
}

impl LogStore {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State::Opening), changed: Condvar::new(), newest: watch::Sender::default() }
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.changed.notify_all();
    }

    pub(super) fn opened(&self, reader: LogReader) {
        self.set(State::Open(Arc::new(reader)));
    }

    pub(super) fn is_off(&self) {
        self.set(State::Off);
    }

    pub(super) fn failed(&self, error: StorageError) {
        self.set(State::Failed(error));
    }

    /// Lets go of the database.
    pub(super) fn ended(&self) {
        self.set(State::Ended);
    }

    /// Tells everybody who waits for entries that there are some up to this one.
    pub(super) fn added(&self, newest: LogId) {
        self.newest.send_replace(newest);
    }

    pub(super) fn newest(&self) -> watch::Receiver<LogId> {
        self.newest.subscribe()
    }

    /// Waits while the database is being opened.
    pub(super) fn reader(&self) -> Result<Arc<LogReader>, StorageError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self
            .changed
            .wait_while(state, |state| matches!(state, State::Opening))
            .unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Open(reader) => Ok(reader.clone()),
            State::Off => {
                Err(StorageError::Refused("logs are not kept: the setting \"Log to database\" is off".to_owned()))
            }
            State::Failed(error) => Err(error.clone()),
            State::Opening | State::Ended => Err(StorageError::Closed { file: "logs.redb".to_owned() }),
        }
    }
}
