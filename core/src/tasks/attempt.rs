//! One attempt on its own thread: what it tells the queue while it goes on, and how its end is understood.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::queue::{Inner, Stop};
use super::state::{End, Lease};
use super::{Attempt, Executor, Failure, Progress};
use crate::api::{ApiError, ErrorCategory, Event};
use crate::model::{RunId, TaskId, TaskOutput, TaskProgress, Wait};
use crate::storage::tasks::{self, Taken};

/// Runs an attempt to its end and hands the end to the queue.
pub(super) fn run(inner: &Arc<Inner>, executor: &dyn Executor, taken: Taken) {
    let id = taken.task.id;
    let Some(cancel) = inner.cancel_of(id) else { return };
    let reporter = Reporter { inner: inner.clone(), task: id };
    let attempt = Attempt {
        number: taken.lease.number,
        resumes: taken.lease.run.filter(|_| taken.resumes),
        may_repeat: taken.lease.may_repeat,
        task: taken.task,
        cancel,
        queue: &reporter,
    };
    let result = catch_unwind(AssertUnwindSafe(|| executor.execute(&attempt))).unwrap_or_else(|panic| {
        Err(Failure { error: crate::panics::error_of(panic.as_ref()), retry: true, partial: None })
    });
    let limit_s = attempt.task.time_limit_s;
    inner.attempt_ended(id, |stop| end_of(result, stop, limit_s));
}

/// What the end of an attempt means that was told to stop for this reason. What was done is done, however late.
fn end_of(result: Result<TaskOutput, Failure>, stop: Option<Stop>, limit_s: u32) -> End {
    match (result, stop) {
        (Ok(output), _) => End::Completed(output),
        (Err(_), Some(Stop::Ending)) => End::Stopped,
        (Err(failure), Some(Stop::TimeLimit)) => End::Failed {
            error: ApiError::new(
                ErrorCategory::Processing,
                format!("it took longer than its time limit of {limit_s} s"),
                "Give the task more time, or less to do.",
            ),
            retry: true,
            partial: failure.partial.map(|partial| *partial),
        },
        (Err(Failure { error, retry, partial }), Some(Stop::Person) | None) => {
            End::Failed { error, retry, partial: partial.map(|partial| *partial) }
        }
    }
}

struct Reporter {
    inner: Arc<Inner>,
    task: TaskId,
}

impl Reporter {
    fn change(&self, wait: Option<Option<Wait>>, change: impl Fn(&mut Lease) + Send + 'static) -> Result<(), ApiError> {
        let parts = &self.inner.parts;
        let tells = wait.is_some();
        let now = parts.clock.now();
        let changed = tasks::lease_changed(&parts.main, parts.profile, self.task, now, wait, change)?;
        match changed {
            Some(task) => (parts.publish)(Event::TaskChanged { task: Box::new(task) }),
            // Its lease went: the task is not this attempt's any more.
            None if tells => return Err(ApiError::cancelled()),
            None => {}
        }
        Ok(())
    }
}

impl Progress for Reporter {
    fn progress(&self, progress: TaskProgress) {
        let parts = &self.inner.parts;
        match tasks::progress(&parts.main, parts.profile, self.task, parts.clock.now(), progress) {
            Ok(Some(task)) => (parts.publish)(Event::TaskChanged { task: Box::new(task) }),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, task = %self.task, "how far a task is was not stored"),
        }
    }

    fn runs(&self, run: RunId) -> Result<(), ApiError> {
        self.change(None, move |lease| lease.run = Some(run))
    }

    fn waits(&self, wait: Option<Wait>) -> Result<(), ApiError> {
        let waiting = wait.is_some();
        self.change(Some(wait), move |lease| lease.waiting = waiting)?;
        self.inner.attempt_waits(self.task, waiting);
        Ok(())
    }

    fn effect_begins(&self, words: &str) -> Result<(), ApiError> {
        // Nothing new begins outside once it was told to stop.
        if !self.inner.effect(self.task, true) {
            return Err(ApiError::cancelled());
        }
        let words = words.to_owned();
        let stored = self.change(None, move |lease| lease.open.push(words.clone()));
        if stored.is_err() {
            self.inner.effect(self.task, false);
        }
        stored
    }

    fn effect_ended(&self) -> Result<(), ApiError> {
        let stored = self.change(None, |lease| lease.done.extend(lease.open.pop()));
        self.inner.effect(self.task, false);
        stored
    }
}
