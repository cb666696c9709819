//! `Core`: the handle that everybody holds. Start it, call it, listen to it, shut it down.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{ApiError, Call, EventEnvelope, Pending};
use crate::engine::{Engine, Listener};
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
    /// Lets workers fail in tests; none in the program.
    pub faults: Option<Arc<dyn crate::faults::Faults>>,
}

/// A handle to the running core; clones share it. When the last one is dropped, the core shuts down.
#[derive(Clone)]
pub struct Core {
    engine: Arc<Engine>,
    /// Whose requests go through this handle; none means the profile that is active when they are made.
    profile: Option<ProfileId>,
}

impl Core {
    /// Opens the data folder and starts the engine. Nothing is loaded that is not needed for the first frame.
    ///
    /// # Errors
    /// Category storage when the data folder cannot be used: read-only, full, owned by another process, of a newer version.
    pub fn start(options: CoreOptions) -> Result<Self, ApiError> {
        Ok(Self { engine: Arc::new(Engine::start(options)?), profile: None })
    }

    /// A handle whose requests belong to this profile, whichever is active.
    #[must_use]
    pub fn in_profile(&self, profile: ProfileId) -> Self {
        Self { engine: self.engine.clone(), profile: Some(profile) }
    }

    /// Starts a request.
    pub fn call<C: Call>(&self, request: C) -> Pending<C::Reply> {
        self.engine.call(self.profile, request)
    }

    /// Listens to all events from now on. Bounded: a slow listener gets a gap.
    pub fn subscribe(&self) -> Subscription {
        Subscription { listener: self.engine.context().events.listen() }
    }

    pub fn set_waker(&self, waker: Waker) {
        self.engine.context().events.set_waker(waker);
    }

    /// The profile of this handle's requests.
    pub fn profile(&self) -> ProfileId {
        self.profile.unwrap_or_else(|| self.engine.context().active().profile)
    }

    pub fn data_folder(&self) -> PathBuf {
        self.engine.context().places.data().to_owned()
    }

    /// Cancels running work, waits for writers and workers to end, and closes the files. Calls after it fail.
    pub fn shutdown(&self) {
        self.engine.shutdown();
    }
}

/// What a listener gets.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are events")]
pub enum Heard {
    Event(EventEnvelope),
    /// So many events were lost: read again what matters.
    Gap(u64),
    /// The core has shut down.
    Closed,
}

/// One listener's place in the stream of events.
pub struct Subscription {
    listener: Listener,
}

impl Subscription {
    /// The next event if there is one now.
    pub fn try_next(&mut self) -> Option<Heard> {
        self.listener.try_next()
    }

    /// Blocks this thread until the next event.
    #[expect(clippy::should_implement_trait, reason = "it never ends with None; it says Closed")]
    pub fn next(&mut self) -> Heard {
        self.listener.next()
    }
}
