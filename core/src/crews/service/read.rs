//! What the agent of a step gets beside its task: from the stored run, never from the task itself, which others can write.

use super::Crews;
use crate::api::ApiError;
use crate::crews::{StepWork, delegate, fill, marked};
use crate::model::{CrewProcess, Task, TaskOutput};
use crate::storage::crews::{self as stored};

impl Crews {
    /// None for a task that is no step of a run, whatever it says.
    ///
    /// # Errors
    /// What the store says.
    pub fn work_of(&self, task: &Task) -> Result<Option<StepWork>, ApiError> {
        let Some((id, key)) = marked(&task.input) else { return Ok(None) };
        let kept = match super::go::found(stored::run(&self.parts.main, self.parts.profile, id).map_err(Into::into))? {
            Some(kept) => kept,
            None => return Ok(None),
        };
        let run = &kept.run;
        let Some(step) = run.steps.iter().find(|step| step.key == key && step.task == Some(task.id)) else {
            return Ok(None);
        };
        let managed = run.process == CrewProcess::Hierarchical;
        let plans = managed && delegate::is_plan(key);
        let before: Vec<(String, TaskOutput)> = run
            .steps
            .iter()
            .filter(|other| step.depends_on.contains(&other.key))
            // A member gets its part of the plan as its instructions.
            .filter(|other| plans || !managed || !delegate::is_plan(&other.key))
            .filter_map(|other| Some((other.title.clone(), other.output.clone()?)))
            .collect();
        let input = match managed {
            true => Some(run.input.trim()).filter(|input| !input.is_empty()),
            false => fill::beside(&run.input, &step.instructions, !step.depends_on.is_empty()),
        };
        Ok(Some(StepWork {
            offline: run.offline,
            folder: run.folder.clone(),
            input: input.map(str::to_owned),
            before,
            answer: plans.then(|| delegate::schema(&kept.members)),
        }))
    }
}
