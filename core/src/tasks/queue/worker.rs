//! The worker of the queue: stores what ended, takes what may run, and sleeps.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Inner, Running, Stop, until};
use crate::api::{ApiError, ErrorCategory, Event};
use crate::model::{Activity, ActivityId, Happening, Task, TaskId, TaskStatus};
use crate::storage::tasks::{self, Step, Stepped, Taken};
use crate::storage::{StorageError, WriteTxn, activities};
use crate::tasks::state::End;
use crate::tasks::{Executor, attempt};

/// A computer that slept does not count the time: so the clock is looked at again after this at the latest.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// Before it is tried again to store what could not be stored.
const TROUBLE: Duration = Duration::from_secs(5);

impl Inner {
    /// Works until the queue is closed and nothing runs any more.
    pub(super) fn work(self: &Arc<Self>) {
        // After a panic of this worker there may be leases that nobody holds.
        let mut first = true;
        loop {
            (self.parts.turn)();
            let outcome = match std::mem::take(&mut first) {
                true => self.recover().and_then(|_cut_off| self.turn()),
                false => self.turn(),
            };
            let failed = outcome.is_err();
            let pause = match outcome {
                Ok(()) => self.pause(),
                Err(error) => {
                    (self.parts.health)(&format!("what tasks do cannot be stored: {error}"));
                    Some(TROUBLE)
                }
            };
            if self.sleep(pause, failed) {
                return;
            }
        }
    }

    /// Waits until there is something to do; true when there never will be.
    fn sleep(&self, pause: Option<Duration>, failed: bool) -> bool {
        let mut state = self.state();
        loop {
            if state.closing && (failed || state.running.is_empty()) {
                return true;
            }
            // After trouble the pause is kept: what ends meanwhile would only fail in the same way.
            if state.dirty && !failed {
                return false;
            }
            let Some(pause) = pause else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (next, waited) = self.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if waited.timed_out() {
                return false;
            }
        }
    }

    /// One turn.
    fn turn(self: &Arc<Self>) -> Result<(), StorageError> {
        let parts = &self.parts;
        let now = parts.clock.now();
        let settings = (parts.settings)();
        let (ended, mut free) = {
            let mut state = self.state();
            state.dirty = false;
            for running in state.running.values_mut() {
                if running.deadline().is_some_and(|deadline| deadline <= now) {
                    running.stop = Some(Stop::TimeLimit);
                    running.cancel.cancel();
                }
            }
            let closing = state.closing || parts.ending.is_cancelled();
            let ended = state.ended.clone();
            let over: HashSet<TaskId> = ended.iter().map(|ended| ended.task).collect();
            let used = state.running.iter().filter(|(id, r)| r.since.is_some() && !over.contains(*id)).count();
            (ended, if closing { 0 } else { settings.at_once.saturating_sub(used) })
        };
        let executor = (parts.executor)();
        if executor.is_none() || tasks::is_paused(&parts.main, parts.profile)? {
            free = 0;
        }
        let mut agents = Vec::new();
        if free > 0 {
            agents = tasks::ready_agents(&parts.main, parts.profile)?;
            agents.retain(|agent| parts.agents.takes_tasks(*agent).is_ok());
        }
        let due = tasks::next_due(&parts.main, parts.profile)?.is_some_and(|at| at <= now);
        if ended.is_empty() && agents.is_empty() && !due {
            return Ok(());
        }
        let step = Step { profile: parts.profile, now, ended, free, agents, base_s: settings.backoff_s };
        let stepped = self.store(step)?;
        // What was let go in this turn was not in the queue when its agents were asked.
        let let_go = |task: &Task| task.status == TaskStatus::Pending && task.waits.is_none();
        if stepped.more || stepped.changed.iter().any(let_go) {
            self.state().dirty = true;
        }
        if let Some(executor) = &executor {
            self.begin(&stepped, executor);
        }
        self.tell(&stepped);
        Ok(())
    }

    /// One commit: the ends, what follows from them, and what is taken.
    fn store(&self, step: Step) -> Result<Stepped, StorageError> {
        let stored: Vec<TaskId> = step.ended.iter().map(|ended| ended.task).collect();
        let stepped = self.write(move |txn| tasks::step(txn, &step))?;
        {
            let mut state = self.state();
            state.ended.drain(..stored.len());
            for id in &stored {
                state.running.remove(id);
            }
        }
        self.changed.notify_all();
        Ok(stepped)
    }

    /// Commits this together with what is kept of the ends in it.
    fn write(
        &self,
        work: impl Fn(&WriteTxn<'_>) -> Result<Stepped, StorageError> + Send + 'static,
    ) -> Result<Stepped, StorageError> {
        let parts = &self.parts;
        let (profile, ids, now, ended) = (parts.profile, parts.ids.clone(), parts.clock.now(), parts.agents.clone());
        let (stepped, kept) = parts.main.write(move |txn| {
            let stepped = work(txn)?;
            stepped.closed.iter().try_for_each(|task| ended.ended(txn, task))?;
            let kept = |task: &Task| happening(task).kept(ActivityId(ids.next()), now);
            let kept: Vec<Activity> = stepped.closed.iter().map(kept).collect();
            activities::insert_all(txn, profile, &kept)?;
            Ok((stepped, kept))
        })?;
        for activity in kept {
            (parts.publish)(Event::ActivityCreated { activity });
        }
        Ok(stepped)
    }

    /// Stores the ends that nobody has stored.
    pub(super) fn store_ends(&self) -> Result<(), StorageError> {
        let ended = self.state().ended.clone();
        if ended.is_empty() {
            return Ok(());
        }
        let now = self.parts.clock.now();
        let step = Step { profile: self.parts.profile, now, ended, free: 0, agents: Vec::new(), base_s: 1 };
        let stepped = self.store(step)?;
        self.tell(&stepped);
        Ok(())
    }

    /// What was cut off and nobody holds; how many tasks.
    pub(super) fn recover(&self) -> Result<usize, StorageError> {
        let held: HashSet<TaskId> = self.state().running.keys().copied().collect();
        let parts = &self.parts;
        let (profile, now) = (parts.profile, parts.clock.now());
        if tasks::leased(&parts.main, profile)?.iter().all(|id| held.contains(id)) {
            return Ok(0);
        }
        let stepped = self.write(move |txn| tasks::recover(txn, profile, now, &held))?;
        self.tell(&stepped);
        Ok(stepped.closed.len() + stepped.changed.len())
    }

    /// Starts the attempts of what was taken, each on its own thread.
    fn begin(self: &Arc<Self>, stepped: &Stepped, executor: &Arc<dyn Executor>) {
        {
            let mut state = self.state();
            let closing = state.closing;
            for Taken { task, .. } in &stepped.taken {
                let running = Running {
                    title: task.title.clone(),
                    cancel: CancellationToken::new(),
                    stop: closing.then_some(Stop::Ending),
                    limit_ms: i64::from(task.time_limit_s) * 1_000,
                    worked_ms: 0,
                    since: task.started,
                    open_effects: 0,
                    over: false,
                };
                if closing {
                    running.cancel.cancel();
                }
                state.running.insert(task.id, running);
            }
        }
        for taken in &stepped.taken {
            let (inner, executor, own) = (self.clone(), executor.clone(), taken.clone());
            let id = taken.task.id;
            let spawned = std::thread::Builder::new()
                .name("task".to_owned())
                .spawn(move || attempt::run(&inner, executor.as_ref(), own));
            if let Err(error) = spawned {
                self.attempt_ended(id, |_stop| End::Failed {
                    error: ApiError::new(
                        ErrorCategory::System,
                        format!("no thread for the task: {error}"),
                        "Close other programs, or let fewer tasks run at once.",
                    ),
                    retry: true,
                    partial: None,
                });
            }
        }
    }

    /// How long nothing needs to be done unless something changes.
    fn pause(&self) -> Option<Duration> {
        let now = self.parts.clock.now();
        let deadline = self.state().running.values().filter_map(Running::deadline).min();
        let due = match tasks::next_due(&self.parts.main, self.parts.profile) {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "the next time of the queue cannot be read");
                return Some(TROUBLE);
            }
        };
        let next = deadline.into_iter().chain(due).min()?;
        Some(until(next, now).min(LONGEST_SLEEP))
    }
}

/// What is kept of a task's end.
fn happening(task: &Task) -> Happening {
    let (kind, words) = match task.status {
        TaskStatus::Completed => ("task.completed", String::new()),
        TaskStatus::Failed => ("task.failed", task.error.as_ref().map(|e| e.message.clone()).unwrap_or_default()),
        _ => ("task.cancelled", String::new()),
    };
    let mut happening = Happening::new(kind, &task.title).describe(words).with("task", task.id);
    happening = happening.with("number", task.number).with("ms", task.execution_ms);
    happening.agent = task.agent.is_some().then(|| task.agent_name.clone());
    happening
}
