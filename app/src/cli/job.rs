//! Waits for a job to end and shows its progress.

use rspa_core::api::request::system::{CancelJob, ListJobs};
use rspa_core::api::{ApiError, Event, Heard};
use rspa_core::model::{Job, JobState};

use super::failure::Failure;
use super::output::size;
use super::session::{Events, Session};

/// Follows the job to its end; `events` must have been opened before the job was started. An interrupt cancels it.
pub fn follow(session: &Session, events: &mut Events, job: Job) -> Result<(), Failure> {
    let id = job.id;
    let ended = watch(session, events, job);
    session.output.progress_done();
    if matches!(ended, Err(Failure::Interrupted(_))) {
        session.core.call(CancelJob { id }).wait().ok();
    }
    ended
}

fn watch(session: &Session, events: &mut Events, mut job: Job) -> Result<(), Failure> {
    let id = job.id;
    loop {
        match &job.state {
            JobState::Running => {}
            JobState::Done => return Ok(()),
            JobState::Cancelled => return Err(ApiError::cancelled().into()),
            JobState::Failed(error) => return Err(error.clone().into()),
        }
        session.output.progress(&progress_text(&job));
        job = loop {
            match session.next_event(events)? {
                Heard::Event(envelope) => match envelope.event {
                    Event::JobChanged { job } if job.id == id => break job,
                    _ => {}
                },
                Heard::Gap(_) => {
                    if let Some(job) = session.call(ListJobs {})?.into_iter().find(|job| job.id == id) {
                        break job;
                    }
                }
                Heard::Closed => return Err(Failure::system("the engine ended before the work did", "Try again.")),
            }
        };
    }
}

fn progress_text(job: &Job) -> String {
    let amount = |value| if job.unit == "bytes" { size(value) } else { value.to_string() };
    match job.total {
        0 => job.label.clone(),
        total => format!("{}: {} of {}", job.label, amount(job.done), amount(total)),
    }
}
