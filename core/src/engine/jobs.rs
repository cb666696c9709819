//! Long work that the person can see and cancel: progress with an estimate, told a few times a second.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Events;
use crate::api::{ApiError, ErrorCategory, Event};
use crate::clock::{Clock, Ids};
use crate::model::{Job, JobId, JobKind, JobState, ProfileId};

/// Between two progress events of one job.
const QUIET: Duration = Duration::from_millis(200);
/// Ended jobs that stay in the list.
const KEPT: usize = 50;

pub struct Jobs(Arc<Shared>);

struct Shared {
    events: Events,
    clock: Arc<dyn Clock>,
    ids: Ids,
    profile: ProfileId,
    list: Mutex<VecDeque<Entry>>,
}

struct Entry {
    job: Job,
    cancel: CancellationToken,
    begun: Instant,
    told: Instant,
}

impl Jobs {
    pub(super) fn new(events: Events, clock: Arc<dyn Clock>, profile: ProfileId) -> Self {
        let ids = Ids::new(clock.clone());
        Self(Arc::new(Shared { events, clock, ids, profile, list: Mutex::default() }))
    }

    /// Lists a job as running. `unit` is "files" or "bytes"; `total` 0 while unknown; `cancel` is triggered by the person.
    pub fn start(
        &self,
        kind: JobKind,
        label: impl Into<String>,
        unit: &str,
        total: u64,
        cancel: CancellationToken,
    ) -> JobHandle {
        let job = Job {
            id: JobId(self.0.ids.next()),
            kind,
            label: label.into(),
            state: JobState::Running,
            done: 0,
            total,
            unit: unit.to_owned(),
            seconds_left: None,
            started: self.0.clock.now(),
        };
        let handle = JobHandle { shared: self.0.clone(), id: job.id, cancel: cancel.clone(), ended: false };
        let now = Instant::now();
        {
            let mut list = self.0.list();
            let mut ended = list.iter().filter(|entry| entry.job.state != JobState::Running).count();
            list.retain(|entry| {
                let drop_it = entry.job.state != JobState::Running && ended > KEPT;
                ended -= usize::from(drop_it);
                !drop_it
            });
            list.push_back(Entry { job: job.clone(), cancel, begun: now, told: now });
        }
        self.0.tell(job);
        handle
    }

    /// Running and lately ended ones, newest first.
    pub fn list(&self) -> Vec<Job> {
        self.0.list().iter().rev().map(|entry| entry.job.clone()).collect()
    }

    /// # Errors
    /// When there is no such job. Cancelling an ended one does nothing.
    pub fn cancel(&self, id: JobId) -> Result<(), ApiError> {
        let list = self.0.list();
        let entry = list
            .iter()
            .find(|entry| entry.job.id == id)
            .ok_or_else(|| ApiError::validation("this job is not known any more", "Read the list of jobs again."))?;
        entry.cancel.cancel();
        Ok(())
    }
}

impl Shared {
    fn list(&self) -> std::sync::MutexGuard<'_, VecDeque<Entry>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, job: Job) {
        self.events.publish(Some(self.profile), Event::JobChanged { job });
    }

    /// Changes a job and tells it; when `quietly`, not more often than every `QUIET`.
    fn change(&self, id: JobId, quietly: bool, change: impl FnOnce(&mut Job, Duration)) -> Option<Job> {
        let job = {
            let mut list = self.list();
            let entry = list.iter_mut().find(|entry| entry.job.id == id)?;
            change(&mut entry.job, entry.begun.elapsed());
            if quietly && entry.told.elapsed() < QUIET {
                return Some(entry.job.clone());
            }
            entry.told = Instant::now();
            entry.job.clone()
        };
        self.tell(job.clone());
        Some(job)
    }
}

/// The worker's end of a job. Dropped without [`JobHandle::finish`], the job counts as failed (or cancelled).
pub struct JobHandle {
    shared: Arc<Shared>,
    id: JobId,
    cancel: CancellationToken,
    ended: bool,
}

impl JobHandle {
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Triggered when the person cancels the job.
    pub fn cancel_token(&self) -> &CancellationToken {
        &self.cancel
    }

    /// The job as it stands now.
    pub fn snapshot(&self) -> Option<Job> {
        self.shared.list().iter().find(|entry| entry.job.id == self.id).map(|entry| entry.job.clone())
    }

    pub fn progress(&self, done: u64, total: u64) {
        self.shared.change(self.id, true, |job, elapsed| {
            (job.done, job.total) = (done, total);
            job.seconds_left = estimate(done, total, elapsed);
        });
    }

    /// Ends the job: done, cancelled when its token was triggered, or failed.
    pub fn finish(mut self, result: Result<(), ApiError>) {
        self.end(result);
    }

    fn end(&mut self, result: Result<(), ApiError>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let cancelled = self.cancel.is_cancelled();
        self.shared.change(self.id, false, |job, _elapsed| {
            job.seconds_left = None;
            job.state = match result {
                Ok(()) => JobState::Done,
                Err(_stopped) if cancelled => JobState::Cancelled,
                Err(error) => JobState::Failed(error),
            };
        });
    }
}

impl Drop for JobHandle {
    fn drop(&mut self) {
        self.end(Err(ApiError::new(
            ErrorCategory::Processing,
            "the work stopped before it was done",
            "Start it again; if it repeats, look into the log.",
        )));
    }
}

fn estimate(done: u64, total: u64, elapsed: Duration) -> Option<f64> {
    // Before that the pace says nothing.
    if done == 0 || total <= done || elapsed < Duration::from_millis(500) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let (done, left) = (done as f64, (total - done) as f64);
    Some(elapsed.as_secs_f64() / done * left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Heard;
    use crate::clock::ManualClock;
    use crate::model::Timestamp;

    fn jobs() -> (Jobs, Events) {
        let clock = Arc::new(ManualClock::at(Timestamp(5)));
        let events = Events::new(clock.clone());
        (Jobs::new(events.clone(), clock, ProfileId(uuid::Uuid::from_u128(1))), events)
    }

    #[test]
    fn progress_is_throttled_but_the_end_is_told() {
        let (jobs, events) = jobs();
        let mut listener = events.listen();
        let handle = jobs.start(JobKind::Index, "Index ~/papers", "files", 0, CancellationToken::new());
        for done in 0..1_000 {
            handle.progress(done, 1_000);
        }
        handle.finish(Ok(()));
        let mut told = Vec::new();
        while let Some(Heard::Event(envelope)) = listener.try_next() {
            let Event::JobChanged { job } = envelope.event else { panic!("only jobs here") };
            told.push(job);
        }
        assert!(told.len() < 20, "{} events", told.len());
        assert_eq!(told.last().map(|job| (job.done, &job.state)), Some((999, &JobState::Done)));
    }

    #[test]
    fn a_job_is_cancelled_failed_or_forgotten() {
        let (jobs, _events) = jobs();
        let handle = jobs.start(JobKind::Download, "a", "bytes", 0, CancellationToken::new());
        jobs.cancel(handle.id()).unwrap();
        assert!(handle.cancel_token().is_cancelled());
        handle.finish(Err(ApiError::cancelled()));
        drop(jobs.start(JobKind::Download, "b", "bytes", 0, CancellationToken::new()));
        let list = jobs.list();
        assert!(matches!(list[0].state, JobState::Failed(_)));
        assert_eq!(list[1].state, JobState::Cancelled);
        for _ in 0..100 {
            jobs.start(JobKind::Import, "c", "files", 0, CancellationToken::new()).finish(Ok(()));
        }
        assert!(jobs.list().len() <= KEPT + 1);
        assert!(jobs.cancel(list[0].id).is_err());
    }

    #[test]
    fn the_estimate_follows_the_pace() {
        assert_eq!(estimate(25, 100, Duration::from_secs(10)), Some(30.0));
        assert_eq!(estimate(0, 100, Duration::from_secs(10)), None);
        assert_eq!(estimate(100, 100, Duration::from_secs(10)), None);
    }
}
