//! `Core`: the handle that everybody holds. Start it, call it, listen to it, shut it down.
//!
//! Exactly one process owns a data folder. Behind the handle there is either an engine of this process, or a connection
//! to the process that owns the folder; it changes from one to the other while it is used (see [`switch`]).

mod find;
mod hand_over;
mod outlets;
mod switch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{ApiError, Call, EventEnvelope, Origin, Parcel, Pending, Request};
use crate::model::ProfileId;
pub use outlets::Subscription;
use switch::Switch;

/// Called (from any thread, often) when an event was published or a reply is ready: a window asks for a repaint.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Who starts the core: decides how eagerly background work begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Scans and watches all sources from the start. Takes the data folder over from a command.
    Window,
    /// Does what the request needs and ends. Uses the data folder through whoever owns it.
    Command,
}

/// How the core is started. Everything that a test must be able to replace is here.
#[derive(Clone)]
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

/// What somebody who waits for the start may see and do.
#[derive(Clone, Default)]
pub struct Watch {
    /// Told, from another thread, what the owner of the data folder still does, a few words for each; nothing when the
    /// folder is free soon.
    pub waits_for: Option<Arc<dyn Fn(Vec<String>) + Send + Sync>>,
    /// Triggered when nobody wants the core any more; also ends a core that was opened.
    pub cancel: CancellationToken,
}

/// What a start gave.
pub enum Opened {
    Core(Core),
    /// For [`Role::Window`]: another window has this data folder, and was asked to come to the front.
    Raised,
}

/// Who carries requests out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorksIn {
    /// This process owns the data folder.
    Here,
    /// A process of this role owns it.
    Other(Role),
    /// Nobody at this moment: the folder changes hands, or the core has ended.
    Nowhere,
}

/// A handle to the running core; clones share it. When the last one is dropped, the core shuts down.
#[derive(Clone)]
pub struct Core {
    handle: Arc<Handle>,
    /// Whose requests go through this handle; none means the profile that is active when they are made.
    profile: Option<ProfileId>,
}

/// Shuts down when the last `Core` has gone, whoever else works with the switch then.
struct Handle(Arc<Switch>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

impl Core {
    /// Opens the data folder and starts the engine, or connects to the process that owns the folder; a window takes it
    /// over from a command, which may take as long as that command's answers and downloads. Nothing is loaded that is
    /// not needed for the first frame.
    ///
    /// # Errors
    /// Category storage when the data folder cannot be used: read-only, full, of a newer version, owned by a process
    /// that cannot be reached or is of another version. Category validation when settings were given that the owner
    /// cannot take over.
    pub fn open(options: CoreOptions) -> Result<Opened, ApiError> {
        Self::open_watched(options, Watch::default())
    }

    /// As [`Core::open`], telling what is waited for.
    ///
    /// # Errors
    /// As [`Core::open`]; and when it was cancelled.
    pub fn open_watched(options: CoreOptions, watch: Watch) -> Result<Opened, ApiError> {
        let opened = Switch::open(options, watch)?;
        Ok(match opened {
            Some(switch) => Opened::Core(Self { handle: Arc::new(Handle(switch)), profile: None }),
            None => Opened::Raised,
        })
    }

    /// As [`Core::open`], for whoever does not open a second window.
    ///
    /// # Errors
    /// As [`Core::open`]; and when another window has the folder.
    pub fn start(options: CoreOptions) -> Result<Self, ApiError> {
        match Self::open(options)? {
            Opened::Core(core) => Ok(core),
            Opened::Raised => Err(ApiError::new(
                super::ErrorCategory::Storage,
                "another window has this data folder open",
                "Use that window; it comes to the front.",
            )),
        }
    }

    /// Asks the window that has this data folder, if there is one, to come to the front. True when it does: there is
    /// nothing left to start. Quick when nobody has the folder.
    pub fn raise_window(options: &CoreOptions) -> bool {
        find::raise_window(options)
    }

    /// A handle whose requests belong to this profile, whichever is active.
    #[must_use]
    pub fn in_profile(&self, profile: ProfileId) -> Self {
        Self { handle: self.handle.clone(), profile: Some(profile) }
    }

    /// A handle whose requests belong to the profile that is active when they are made.
    #[must_use]
    pub fn in_active_profile(&self) -> Self {
        Self { handle: self.handle.clone(), profile: None }
    }

    /// Starts a request.
    pub fn call<C: Call>(&self, request: C) -> Pending<C::Reply> {
        self.send::<C>(request.into_request())
    }

    /// Starts a request that was made from a `C` before, such as to look at its guard.
    pub fn send<C: Call>(&self, request: Request) -> Pending<C::Reply> {
        self.send_from::<C>(Origin::Here, request)
    }

    /// As [`Core::send`], where the owner's window is to ask the person: should this process become the owner
    /// meanwhile, what only the person may allow is refused.
    pub fn send_unasked<C: Call>(&self, request: Request) -> Pending<C::Reply> {
        self.send_from::<C>(Origin::Unasked, request)
    }

    fn send_from<C: Call>(&self, origin: Origin, request: Request) -> Pending<C::Reply> {
        let (sender, receiver) = oneshot::channel();
        let cancel = CancellationToken::new();
        let pending = Pending::new(receiver, cancel.clone());
        let switch = Arc::downgrade(&self.handle.0);
        let reply = move |result: Result<super::Response, ApiError>| {
            // A caller that has gone needs no reply.
            drop(sender.send(result.and_then(C::reply)));
            if let Some(switch) = switch.upgrade() {
                switch.outlets.wake();
            }
        };
        self.handle.0.carry(Parcel::new(self.profile, request, origin, cancel, reply));
        pending
    }

    /// Listens to all events from now on. Bounded: a slow listener gets a gap. It goes on, after a gap, when the data
    /// folder changes hands.
    pub fn subscribe(&self) -> Subscription {
        Subscription::new(self.handle.0.outlets.clone())
    }

    pub fn set_waker(&self, waker: Waker) {
        self.handle.0.outlets.set_waker(waker);
    }

    /// The profile of this handle's requests.
    pub fn profile(&self) -> ProfileId {
        self.profile.unwrap_or_else(|| self.handle.0.profile())
    }

    pub fn data_folder(&self) -> PathBuf {
        self.handle.0.data_folder().to_owned()
    }

    /// Another process does the work, and `RSPA_MODELS_PATH` of this one says otherwise than its own.
    pub fn models_path_does_not_apply(&self) -> bool {
        self.handle.0.models_path_does_not_apply()
    }

    /// Who carries requests out now.
    pub fn works_in(&self) -> WorksIn {
        self.handle.0.works_in()
    }

    /// Ends the engine and starts it again with the same options; requests wait meanwhile, what can be repeated is
    /// asked again, and listeners get a gap. Blocks; not to be called on the engine's own threads.
    ///
    /// # Errors
    /// As [`Core::start`]; then all requests fail with that error until a restart succeeds. Also when another process
    /// owns the data folder.
    pub fn restart(&self) -> Result<(), ApiError> {
        self.handle.0.restart()
    }

    /// Cancels running work, waits for writers and workers to end, and closes the files; or leaves the owner of the
    /// folder. Calls after it fail.
    pub fn shutdown(&self) {
        self.handle.0.shutdown();
    }
}

/// What a listener gets.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are events")]
pub enum Heard {
    Event(EventEnvelope),
    /// So many events were lost (0 when nobody counted them): read again what matters.
    Gap(u64),
    /// The core has shut down.
    Closed,
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
