//! How runs go on: each change is one commit, in which the tasks of the steps that begin are made too. So a step begins
//! exactly once, wherever the program ends.

use std::collections::HashMap;

use super::{Crews, start};
use crate::api::{ApiError, ErrorCategory};
use crate::crews::advance::{self, Seen};
use crate::crews::mark;
use crate::model::{CrewRun, CrewRunId, CrewRunStep, StepState, TaskDraft, TaskId};
use crate::storage::crews::{self as stored, KeptRun};
use crate::storage::tasks::{self, Change, NewTask};
use crate::tasks::state::Origin;

/// Changes of one run in a row; each moves it on, so that more would be a fault.
const MOST_CHANGES: usize = 1_000;
const LONGEST_TITLE: usize = 200;
const LONGEST_LABEL: usize = 50;

impl Crews {
    /// Lets all runs that have not ended go on.
    ///
    /// # Errors
    /// What the store says; the runs are as they were, and go on at the next call.
    pub fn turn(&self) -> Result<(), ApiError> {
        let mut first = Ok(());
        for id in stored::open_runs(&self.parts.main, self.parts.profile)? {
            // One run that cannot be read does not hold up the others.
            let gone_on = self.go_on(id);
            first = first.and(gone_on);
        }
        first
    }

    /// Lets a run go on as far as it can now.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn go_on(&self, id: CrewRunId) -> Result<(), ApiError> {
        for _ in 0..MOST_CHANGES {
            let kept = stored::run(&self.parts.main, self.parts.profile, id)?;
            if kept.run.state.is_final() {
                return Ok(());
            }
            if kept.cancelling {
                self.cancel_tasks(&kept.run)?;
            }
            if !self.change(kept)? {
                return Ok(());
            }
        }
        Err(ApiError::new(
            ErrorCategory::System,
            "a run of a crew does not come to rest",
            "Cancel it, and report this.",
        ))
    }

    /// One change; false when there was none to make.
    fn change(&self, kept: KeptRun) -> Result<bool, ApiError> {
        let (queue, now) = (self.queue()?, self.now());
        let seen = self.seen(&kept.run)?;
        let mut next = advance::advance(&kept, &|id| seen.get(&id).cloned(), now);
        let mut new: Vec<NewTask> = Vec::new();
        for place in std::mem::take(&mut next.begin) {
            let draft = draft(&next.kept.run, &next.kept.run.steps[place]);
            let step = &mut next.kept.run.steps[place];
            if step.agent.is_none() {
                advance::failed(step, start::nobody(&step.key), now);
                continue;
            }
            match queue.prepared(vec![draft]).map(|mut made| made.pop()) {
                Ok(Some(task)) => {
                    advance::begun(step, task.id, now);
                    step.agent_name.clone_from(&task.agent_name);
                    new.push(task);
                }
                // The store may be back the next time.
                Err(error) if error.category == ErrorCategory::Storage => return Err(error),
                Err(error) => advance::failed(step, error, now),
                Ok(None) => {}
            }
        }
        if next.kept == kept {
            return Ok(false);
        }
        next.kept.revision = kept.revision + 1;
        let (run, before) = (next.kept.run.clone(), kept.run.state);
        let (profile, defaults) = (self.parts.profile, (self.parts.defaults)());
        let made = self.parts.main.write(move |txn| {
            if !stored::put_run(txn, profile, &next.kept)? {
                return Ok(None);
            }
            tasks::create(txn, Change { profile, now }, &new, Origin::default(), defaults).map(Some)
        })?;
        // None: somebody else changed it meanwhile; it is looked at again.
        if let Some(made) = made {
            if !made.is_empty() {
                queue.created(&made);
            }
            self.tell(&run, Some(before));
        }
        Ok(true)
    }

    /// How the tasks of a run stand that have not ended for it.
    fn seen(&self, run: &CrewRun) -> Result<HashMap<TaskId, Seen>, ApiError> {
        let queue = self.queue()?;
        let mut seen = HashMap::new();
        for id in open_tasks(run) {
            if let Some(task) = found(queue.get(id))? {
                seen.insert(id, Seen::from(task));
            }
        }
        Ok(seen)
    }

    /// Tells the tasks of a run to stop; those that were told already stay told.
    pub(super) fn cancel_tasks(&self, run: &CrewRun) -> Result<(), ApiError> {
        let queue = self.queue()?;
        for id in open_tasks(run) {
            if found(queue.get(id))?.is_some_and(|task| !task.status.is_final()) {
                found(queue.cancel(vec![id]))?;
            }
        }
        Ok(())
    }

    /// Stores a run as `change` makes it, from whatever state it is in by then.
    ///
    /// # Errors
    /// Those of `change`; what the store says.
    pub(super) fn store(
        &self,
        id: CrewRunId,
        change: impl Fn(&mut KeptRun) -> Result<(), ApiError>,
    ) -> Result<KeptRun, ApiError> {
        for _ in 0..MOST_CHANGES {
            let kept = stored::run(&self.parts.main, self.parts.profile, id)?;
            let (mut next, profile) = (kept.clone(), self.parts.profile);
            change(&mut next)?;
            if next == kept {
                return Ok(kept);
            }
            next.revision = kept.revision + 1;
            let new = next.clone();
            if self.parts.main.write(move |txn| stored::put_run(txn, profile, &new))? {
                self.tell(&next.run, Some(kept.run.state));
                return Ok(next);
            }
        }
        Err(ApiError::new(ErrorCategory::System, "a run of a crew changes without end", "Try again."))
    }
}

/// What is not there is none.
pub(super) fn found<T>(result: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(found) => Ok(Some(found)),
        // The store has no other word for it.
        Err(error) if error.category == ErrorCategory::Validation => Ok(None),
        Err(error) => Err(error),
    }
}

fn open_tasks(run: &CrewRun) -> impl Iterator<Item = TaskId> + '_ {
    let open = run.steps.iter().filter(|step| matches!(step.state, StepState::Running | StepState::NeedsYou));
    open.filter_map(|step| step.task)
}

/// The task of a step.
fn draft(run: &CrewRun, step: &CrewRunStep) -> TaskDraft {
    let label: String = run.crew_name.chars().filter(|c| !c.is_control()).take(LONGEST_LABEL).collect();
    TaskDraft {
        description: step.instructions.clone(),
        input: mark(run.id, &step.key),
        labels: vec!["crew".to_owned(), label.trim().to_owned()],
        ..TaskDraft::new(step.agent, step.title.chars().take(LONGEST_TITLE).collect::<String>())
    }
}
