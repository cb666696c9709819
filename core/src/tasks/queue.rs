//! The service: one worker per open profile takes tasks and stores their ends; it sleeps until something changes or the
//! next time is due.

mod requests;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::state::{Defaults, End};
use super::{Agents, Executor};
use crate::api::{ApiError, ErrorCategory, Event};
use crate::clock::{Clock, Ids};
use crate::model::{Happening, ProfileId, Task, TaskId, Timestamp};
use crate::storage::Db;
use crate::storage::tasks::{Ended, Stepped};

/// How long the end of the program waits for attempts that do not heed their cancellation.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the settings say now.
#[derive(Clone, Copy, Debug)]
pub struct QueueSettings {
    /// Tasks that run at the same time.
    pub at_once: usize,
    /// Seconds before the first retry.
    pub backoff_s: u32,
    pub defaults: Defaults,
}

/// Keeps work running until it returns, also after a panic.
pub type Supervise = Arc<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

/// What the queue works with.
#[derive(Clone)]
pub struct Parts {
    pub main: Db,
    pub profile: ProfileId,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    pub publish: Arc<dyn Fn(Event) + Send + Sync>,
    /// Keeps what happened.
    pub happened: Arc<dyn Fn(Happening) + Send + Sync>,
    /// Keeps this work running until it returns, also after a panic.
    pub supervise: Supervise,
    /// A turn of the worker begins: a test may let it panic here.
    pub turn: Arc<dyn Fn() + Send + Sync>,
    /// Tells why the queue cannot store what it does; its next turn means that it can again.
    pub health: Arc<dyn Fn(&str) + Send + Sync>,
    /// Triggered when the profile is closed or the program ends.
    pub ending: CancellationToken,
    pub agents: Arc<dyn Agents>,
    /// None while nobody can do what tasks say.
    pub executor: Arc<dyn Fn() -> Option<Arc<dyn Executor>> + Send + Sync>,
    pub settings: Arc<dyn Fn() -> QueueSettings + Send + Sync>,
}

/// A handle to the queue; clones share it.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub parts: Parts,
    state: Mutex<State>,
    /// Something changed that the worker or the shutdown waits for.
    changed: Condvar,
    /// A task ended.
    ends: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    started: bool,
    closing: bool,
    /// The worker looks again.
    dirty: bool,
    working: bool,
    running: HashMap<TaskId, Running>,
    /// Ends that are not stored yet, in order.
    ended: Vec<Ended>,
}

/// Why an attempt was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Person,
    TimeLimit,
    Ending,
}

struct Running {
    title: String,
    cancel: CancellationToken,
    stop: Option<Stop>,
    limit_ms: i64,
    /// Before `since`.
    worked_ms: i64,
    /// None while it waits for the person.
    since: Option<Timestamp>,
    open_effects: u32,
    /// Its thread is done with it; its end is being stored.
    over: bool,
}

impl Running {
    fn worked(&self, now: Timestamp) -> i64 {
        self.worked_ms + self.since.map_or(0, |since| (now.0 - since.0).max(0))
    }

    /// When its time is up.
    fn deadline(&self) -> Option<Timestamp> {
        let since = self.since.filter(|_| !self.over && self.stop.is_none())?;
        Some(Timestamp(since.0.saturating_add(self.limit_ms - self.worked_ms)))
    }
}

impl Queue {
    /// Finds what the last end of the program cut off; nothing runs before [`Queue::start`].
    ///
    /// # Errors
    /// The tasks cannot be read.
    pub fn new(parts: Parts) -> Result<Self, ApiError> {
        let inner = Inner { parts, state: Mutex::default(), changed: Condvar::new(), ends: watch::Sender::new(()) };
        let cut_off = inner.recover()?;
        if cut_off > 0 {
            tracing::info!(tasks = cut_off, "tasks were cut off when the program last ended");
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Lets the queue run here; more calls do nothing.
    ///
    /// # Errors
    /// There is no thread for it.
    pub fn start(&self) -> Result<(), ApiError> {
        let mut state = self.inner.state();
        if state.started || state.closing {
            return Ok(());
        }
        let inner = self.inner.clone();
        let spawned = std::thread::Builder::new().name("queue".to_owned()).spawn(move || {
            (inner.parts.supervise.clone())(&mut || inner.work());
            inner.state().working = false;
            inner.changed.notify_all();
        });
        match spawned {
            Ok(_detached) => {
                (state.started, state.working) = (true, true);
                Ok(())
            }
            Err(error) => Err(ApiError::new(
                ErrorCategory::System,
                format!("no thread for the queue: {error}"),
                "Close other programs, then try again.",
            )),
        }
    }

    /// Something changed from outside: the time, an agent, the settings.
    pub fn wake(&self) {
        self.inner.wake();
    }

    /// Changes whenever a task has ended.
    pub fn ends(&self) -> watch::Receiver<()> {
        self.inner.ends.subscribe()
    }

    /// Titles of tasks that change something outside just now and must not be cut off in it.
    pub fn in_the_middle(&self) -> Vec<String> {
        let state = self.inner.state();
        state.running.values().filter(|running| running.open_effects > 0).map(|running| running.title.clone()).collect()
    }

    /// Tells what runs to stop, and stores how it ended; what does not heed it is found at the next start.
    pub fn shutdown(&self) {
        let inner = &self.inner;
        let mut state = inner.state();
        state.closing = true;
        for running in state.running.values_mut() {
            running.stop.get_or_insert(Stop::Ending);
            running.cancel.cancel();
        }
        inner.changed.notify_all();
        let (state, waited) = inner
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.working)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            tracing::warn!(
                tasks = state.running.len(),
                "some tasks did not stop in time; they are found at the next start"
            );
        }
        drop(state);
        // A worker that stays away leaves these.
        if let Err(error) = inner.store_ends() {
            tracing::warn!(%error, "the ends of some tasks were not stored; they are found at the next start");
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.state().dirty = true;
        self.changed.notify_all();
    }

    pub fn cancel_of(&self, id: TaskId) -> Option<CancellationToken> {
        self.state().running.get(&id).map(|running| running.cancel.clone())
    }

    /// Tells an attempt to stop; the person's word counts before any other reason.
    fn stop(&self, id: TaskId, why: Stop) {
        if let Some(running) = self.state().running.get_mut(&id) {
            if why == Stop::Person {
                running.stop = Some(why);
            } else {
                running.stop.get_or_insert(why);
            }
            running.cancel.cancel();
        }
    }

    pub fn attempt_waits(&self, id: TaskId, waiting: bool) {
        let now = self.parts.clock.now();
        let mut state = self.state();
        if let Some(running) = state.running.get_mut(&id) {
            running.worked_ms = running.worked(now);
            running.since = (!waiting).then_some(now);
        }
        state.dirty = true;
        drop(state);
        self.changed.notify_all();
    }

    /// Counts an effect that begins or has ended; false when none may begin any more.
    pub fn effect(&self, id: TaskId, begins: bool) -> bool {
        let ending = self.parts.ending.is_cancelled();
        let mut state = self.state();
        let Some(running) = state.running.get_mut(&id) else { return false };
        if begins {
            if running.stop.is_some() || ending {
                return false;
            }
            running.open_effects += 1;
        } else {
            running.open_effects = running.open_effects.saturating_sub(1);
        }
        true
    }

    /// Takes note of the end of an attempt; the worker stores it.
    pub fn attempt_ended(&self, id: TaskId, end: impl FnOnce(Option<Stop>) -> End) {
        let now = self.parts.clock.now();
        let random = self.parts.ids.next().as_u64_pair().1;
        let ending = self.parts.ending.is_cancelled();
        let mut state = self.state();
        let Some(running) = state.running.get_mut(&id) else { return };
        running.over = true;
        // What the end of the program cancelled did not fail.
        let stop = running.stop.or(ending.then_some(Stop::Ending));
        let worked_ms = u64::try_from(running.worked(now)).unwrap_or(0);
        state.ended.push(Ended { task: id, end: end(stop), worked_ms, random });
        state.dirty = true;
        drop(state);
        self.changed.notify_all();
    }

    /// Tells everybody what became of tasks.
    fn tell(&self, stepped: &Stepped) {
        for task in stepped.taken.iter().map(|taken| &taken.task).chain(&stepped.closed) {
            self.tell_one(task);
        }
        if stepped.changed.len() > 16 {
            (self.parts.publish)(Event::TasksChanged);
        } else {
            self.dressed(stepped.changed.clone()).iter().for_each(|task| self.tell_one(task));
        }
        if !stepped.closed.is_empty() {
            self.ends.send_replace(());
        }
    }

    fn tell_one(&self, task: &Task) {
        (self.parts.publish)(Event::TaskChanged { task: Box::new(task.clone()) });
    }
}

/// How long until a time by the clock, for waiting by the computer's own.
fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(at.0.saturating_sub(now.0)).unwrap_or(0))
}
