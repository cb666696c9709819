//! How a run goes on: a pure function of what is stored of it and of how its tasks stand.

use super::delegate;
use crate::api::{ApiError, ErrorCategory};
use crate::model::{
    CrewRun, CrewRunState, CrewRunStep, StepState, Task, TaskId, TaskOutput, TaskStatus, Timestamp, Wait,
};
use crate::storage::crews::KeptRun;

/// Characters of a step's output that are kept.
const LONGEST_OUTPUT: usize = 64_000;

/// How a task stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub status: TaskStatus,
    /// It does not go on without the person.
    pub needs_you: bool,
    pub output: Option<TaskOutput>,
    pub error: Option<ApiError>,
    pub completed: Option<Timestamp>,
}

impl From<Task> for Seen {
    fn from(task: Task) -> Self {
        let needs_you = match &task.waits {
            Some(
                Wait::Approval { .. }
                | Wait::Repeat { .. }
                | Wait::Held
                | Wait::Nobody
                | Wait::Agent { .. }
                | Wait::Broken { .. },
            ) => true,
            Some(Wait::Tasks { .. } | Wait::Until { .. } | Wait::Turn | Wait::Paused) | None => false,
        };
        let completed = task.completed;
        Self { status: task.status, needs_you, output: task.output, error: task.error, completed }
    }
}

/// The run as it is now, and the places of the steps that begin now: each of them gets its task, and is marked with
/// [`begun`], in the commit that stores the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Advanced {
    pub kept: KeptRun,
    pub begin: Vec<usize>,
}

/// `seen` gives how a task stands; none when it is gone.
pub fn advance(kept: &KeptRun, seen: &dyn Fn(TaskId) -> Option<Seen>, now: Timestamp) -> Advanced {
    let mut kept = kept.clone();
    let mut begin = Vec::new();
    if kept.run.state.is_final() {
        return Advanced { kept, begin };
    }
    for step in &mut kept.run.steps {
        if let (Some(task), StepState::Running | StepState::NeedsYou) = (step.task, step.state) {
            look(step, seen(task), now);
        }
    }
    if kept.cancelling {
        for step in kept.run.steps.iter_mut().filter(|step| step.state == StepState::Waiting) {
            step.state = StepState::Cancelled;
            step.ended = Some(now);
        }
    } else {
        delegate::expand(&mut kept);
        begin = ready(&kept.run);
    }
    let goes_on = |step: &CrewRunStep| matches!(step.state, StepState::Running | StepState::NeedsYou);
    if begin.is_empty() && !kept.run.steps.iter().any(goes_on) {
        end(&mut kept.run, now);
    }
    Advanced { kept, begin }
}

/// A step's task is made.
pub fn begun(step: &mut CrewRunStep, task: TaskId, now: Timestamp) {
    step.state = StepState::Running;
    step.task = Some(task);
    step.started = Some(now);
    step.ended = None;
    step.error = None;
}

/// A step's task cannot be made.
pub fn failed(step: &mut CrewRunStep, error: ApiError, now: Timestamp) {
    step.state = StepState::Failed;
    step.error = Some(error);
    step.ended = Some(now);
}

fn look(step: &mut CrewRunStep, seen: Option<Seen>, now: Timestamp) {
    let Some(seen) = seen else {
        return failed(step, ApiError::validation("its task was deleted", "Resume the run: it gets a new one."), now);
    };
    match seen.status {
        TaskStatus::Pending | TaskStatus::Running => {
            step.state = if seen.needs_you { StepState::NeedsYou } else { StepState::Running };
        }
        TaskStatus::Completed => {
            let mut output = seen.output.unwrap_or_default();
            if let Some((end, _)) = output.text.char_indices().nth(LONGEST_OUTPUT) {
                output.text.truncate(end);
            }
            step.state = StepState::Completed;
            step.output = Some(output);
            step.ended = Some(seen.completed.unwrap_or(now));
        }
        TaskStatus::Failed => {
            let unknown = || ApiError::new(ErrorCategory::Processing, "its task failed", "Look at the task.");
            failed(step, seen.error.unwrap_or_else(unknown), seen.completed.unwrap_or(now));
        }
        TaskStatus::Cancelled => {
            step.state = StepState::Cancelled;
            step.ended = Some(seen.completed.unwrap_or(now));
        }
    }
}

/// Waiting steps whose needs are all there.
fn ready(run: &CrewRun) -> Vec<usize> {
    let done = |key: &String| run.steps.iter().any(|step| step.key == *key && step.state.is_done());
    let places = run.steps.iter().enumerate();
    let ready = places.filter(|(_, step)| step.state == StepState::Waiting && step.depends_on.iter().all(done));
    ready.map(|(place, _)| place).collect()
}

/// Nothing goes on any more.
fn end(run: &mut CrewRun, now: Timestamp) {
    run.ended = Some(now);
    run.error = None;
    run.output = None;
    let failed = run.steps.iter().find(|step| step.state == StepState::Failed);
    if let Some(step) = failed {
        let (message, advice, category) = match &step.error {
            Some(error) => (error.message.clone(), error.advice.clone(), error.category),
            None => ("it failed".to_owned(), "Look at its task.".to_owned(), ErrorCategory::Processing),
        };
        run.error = Some(ApiError::new(category, format!("“{}”: {message}", step.title), advice));
        run.state = CrewRunState::Failed;
    } else if run.steps.iter().all(|step| step.state.is_done()) {
        run.output = Some(output(run));
        run.state = CrewRunState::Completed;
    } else {
        run.state = CrewRunState::Cancelled;
    }
}

/// What the last steps gave; under their titles where there are several.
fn output(run: &CrewRun) -> String {
    let is_last = |step: &&CrewRunStep| !run.steps.iter().any(|other| other.depends_on.contains(&step.key));
    let last: Vec<&CrewRunStep> = run.steps.iter().filter(is_last).collect();
    let text = |step: &CrewRunStep| step.output.as_ref().map(|output| output.text.clone()).unwrap_or_default();
    match last.as_slice() {
        [only] => text(only),
        several => {
            several.iter().map(|step| format!("## {}\n\n{}", step.title, text(step))).collect::<Vec<_>>().join("\n\n")
        }
    }
}

#[cfg(test)]
mod tests;
