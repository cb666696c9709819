//! The service: keeps schedules, and lets each make its task when its time has come.

mod bell;
mod fire;
mod keep;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::bell::Bell;
use super::triggers::Triggers;
use super::{Here, KnowsAgents, MakesTasks};
use crate::api::{ApiError, Event};
use crate::clock::{Clock, Ids};
use crate::model::{Happening, ProfileId, ScheduleId, Timestamp};
use crate::storage::{Db, schedules as stored};

/// The clock is looked at this often, also when nothing is due: it may have been set.
const LOOK: Duration = Duration::from_secs(60);
/// Between two tries when the store cannot be used.
const RETRY: Duration = Duration::from_secs(5);
/// A clock that went back this far had been wrong.
const WRONG_MS: i64 = 86_400_000;

/// What the service works with.
#[derive(Clone)]
pub struct Parts {
    pub main: Db,
    pub profile: ProfileId,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    pub here: Here,
    pub publish: Arc<dyn Fn(Event) + Send + Sync>,
    /// Keeps what happened.
    pub happened: Arc<dyn Fn(Happening) + Send + Sync>,
    /// A turn of the worker of this name begins.
    pub turn: Arc<dyn Fn(&'static str) + Send + Sync>,
    pub tasks: Arc<dyn MakesTasks>,
    pub agents: Arc<dyn KnowsAgents>,
}

/// A handle to the service; clones share it.
#[derive(Clone)]
pub struct Scheduler {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub parts: Parts,
    bell: Bell,
    pub triggers: Triggers,
    /// Why a schedule cannot work as it is.
    problems: Mutex<HashMap<ScheduleId, String>>,
    /// The schedules of the session's start have been told.
    session_told: AtomicBool,
}

impl Inner {
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    fn problems(&self) -> MutexGuard<'_, HashMap<ScheduleId, String>> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn problem(&self, id: ScheduleId) -> Option<String> {
        self.problems().get(&id).cloned()
    }

    /// Says why a schedule cannot work, or that it can again.
    pub fn set_problem(&self, id: ScheduleId, problem: Option<String>) {
        let changed = match problem {
            Some(problem) => self.problems().insert(id, problem.clone()).is_none_or(|before| before != problem),
            None => self.problems().remove(&id).is_some(),
        };
        if changed {
            self.tell();
        }
    }

    /// The list is another one now.
    pub fn tell(&self) {
        (self.parts.publish)(Event::SchedulesChanged);
    }

    /// How agents are called now.
    pub fn agent_names(&self) -> BTreeMap<crate::model::AgentId, String> {
        self.parts.agents.names()
    }
}

impl Inner {
    fn turn(&self, mended: &mut bool) -> Result<(), ApiError> {
        if !*mended {
            self.mend_all()?;
            *mended = true;
        }
        if !self.session_told.swap(true, Ordering::SeqCst) {
            self.session_starts()?;
        }
        self.fire_due()
    }
}

impl Scheduler {
    pub fn new(parts: Parts) -> Self {
        Self {
            inner: Arc::new(Inner {
                parts,
                bell: Bell::default(),
                triggers: Triggers::default(),
                problems: Mutex::default(),
                session_told: AtomicBool::new(false),
            }),
        }
    }

    /// Fires what is due until the service is closed. Blocks; the thread belongs to the caller.
    pub fn run(&self) {
        let inner = &self.inner;
        let mut mended = false;
        let mut latest = inner.now();
        let mut rung = 0;
        while !inner.bell.is_closed() {
            (inner.parts.turn)("schedules");
            let now = inner.now();
            if now.0 < latest.0 - WRONG_MS {
                mended = false;
                latest = now;
            }
            latest = latest.max(now);
            let worked = inner.turn(&mut mended);
            let wait = match worked.and_then(|()| Ok(stored::next_due(&inner.parts.main, inner.parts.profile)?)) {
                Ok(Some(next)) => Duration::from_millis(u64::try_from(next.0 - inner.now().0).unwrap_or(0)).min(LOOK),
                Ok(None) => LOOK,
                Err(error) => {
                    if inner.bell.is_closed() {
                        return;
                    }
                    tracing::warn!(%error, "schedules could not be looked at");
                    RETRY
                }
            };
            rung = inner.bell.wait(rung, wait);
        }
    }

    /// One look at what is due, as at the start.
    #[cfg(test)]
    pub(super) fn turn(&self) -> Result<(), ApiError> {
        self.inner.turn(&mut false)
    }

    /// As of a worker that has begun long ago.
    #[cfg(test)]
    pub(super) fn idle_turn(&self) -> Result<(), ApiError> {
        self.inner.turn(&mut true)
    }

    /// Watches what sets schedules off until the service is closed. Blocks; the thread belongs to the caller.
    pub fn run_triggers(&self) {
        super::triggers::run(&self.inner);
    }

    /// Something changed: both workers look again, also at the clock.
    pub fn wake(&self) {
        self.inner.bell.ring();
        self.inner.triggers.wake();
    }

    /// Ends both workers.
    pub fn close(&self) {
        self.inner.bell.close();
        self.inner.triggers.close();
    }

    /// A schedule came back from the trash.
    ///
    /// # Errors
    /// What the store says.
    pub fn returned(&self) -> Result<(), ApiError> {
        self.inner.mend_all()?;
        self.inner.tell();
        self.wake();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
