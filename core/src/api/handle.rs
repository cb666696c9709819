//! `Core`: the handle that everybody holds. Start it, call it, listen to it, shut it down.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{ApiError, Call, EventEnvelope, Pending};
use crate::model::ProfileId;

/// Called (from any thread, often) when an event was published or a reply is ready: a window asks for a repaint.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Who starts the core: decides how eagerly background work begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Scans and watches all sources from the start.
    Window,
    /// Does what the request needs and ends.
    Command,
}

/// How the core is started. Everything that a test must be able to replace is here.
pub struct CoreOptions {
    pub role: Role,
    /// `--data-dir`; wins over all other places.
    pub data_folder: Option<PathBuf>,
    /// Settings given on the command line: `group.name` to text.
    pub overrides: BTreeMap<String, String>,
    /// The environment; a test gives its own.
    pub environment: BTreeMap<String, String>,
    /// Logs go to the console too, from this level on (`warn` when none).
    pub console_level: Option<String>,
    /// Replaces the embedded chat models in tests.
    pub chat_model: Option<Arc<dyn crate::inference::ChatModel>>,
    pub clock: Arc<dyn crate::clock::Clock>,
}

/// A handle to the running core; clones share it.
#[derive(Clone)]
pub struct Core {}

impl Core {
    /// Opens the data folder and starts the engine. Nothing is loaded that is not needed for the first frame.
    ///
    /// # Errors
    /// Category storage when the data folder cannot be used: read-only, full, owned by another process, of a newer version.
    pub fn start(options: CoreOptions) -> Result<Self, ApiError> {
        let _ = options;
        Err(ApiError::cancelled())
    }

    /// Starts a request of the active profile.
    pub fn call<C: Call>(&self, request: C) -> Pending<C::Reply> {
        let _ = request;
        unreachable!()
    }

    /// Listens to all events from now on. Bounded: a slow listener gets a gap.
    pub fn subscribe(&self) -> Subscription {
        Subscription {}
    }

    pub fn set_waker(&self, waker: Waker) {
        let _ = waker;
    }

    pub fn profile(&self) -> ProfileId {
        unreachable!()
    }

    pub fn data_folder(&self) -> PathBuf {
        unreachable!()
    }

    /// Cancels running work, waits for writers and workers to end, and closes the files. Calls after it fail.
    pub fn shutdown(&self) {}
}

/// What a listener gets.
#[derive(Clone, Debug)]
pub enum Heard {
    Event(EventEnvelope),
    /// So many events were lost: read again what matters.
    Gap(u64),
    /// The core has shut down.
    Closed,
}

pub struct Subscription {}

impl Subscription {
    /// The next event if there is one now.
    pub fn try_next(&mut self) -> Option<Heard> {
        None
    }

    /// Blocks this thread until the next event.
    pub fn next(&mut self) -> Heard {
        Heard::Closed
    }
}
