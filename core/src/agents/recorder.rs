//! Writes a run down while it goes on: each step is durable before anything follows from it.

use crate::api::{ApiError, Event};
use crate::model::{ProposedAction, Run, RunOutcome, RunStep, StepKind, TaskId};
use crate::storage::runs;

use super::Parts;
use super::budget::Used;
use super::context::cut;

/// Characters of a prompt, of what the model said, and of a result that are kept.
const PROMPT: usize = 48_000;
const SAID: usize = 256 * 1024;
const RESULT: usize = 96_000;
/// Bytes of the data, the chart and the arguments of a step; more is left out and said so.
const DATA: usize = 512 * 1024;

pub struct Recorder<'a> {
    parts: &'a Parts,
    run: Run,
    steps: Vec<RunStep>,
}

impl<'a> Recorder<'a> {
    /// A new run.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn begin(parts: &'a Parts, run: Run) -> Result<Self, ApiError> {
        runs::put(&parts.main, parts.profile, run.clone(), None)?;
        Ok(Self { parts, run, steps: Vec::new() })
    }

    /// Goes on with a run that was cut off.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn take_up(parts: &'a Parts, mut run: Run) -> Result<Self, ApiError> {
        let steps = runs::all_steps(&parts.main, parts.profile, run.id)?;
        run.ended = None;
        run.outcome = None;
        runs::put(&parts.main, parts.profile, run.clone(), None)?;
        Ok(Self { parts, run, steps })
    }

    pub fn run(&self) -> &Run {
        &self.run
    }

    pub fn steps(&self) -> &[RunStep] {
        &self.steps
    }

    pub fn step(&self, index: u32) -> Option<&RunStep> {
        self.steps.get(index as usize)
    }

    pub fn used(&self) -> Used {
        Used::of(&self.steps)
    }

    pub fn set_model(&mut self, model: &str) {
        model.clone_into(&mut self.run.model);
    }

    /// Adds a step; its index.
    ///
    /// # Errors
    /// When it cannot be stored: then nothing may follow from it.
    pub fn push(&mut self, kind: StepKind, ms: u64) -> Result<u32, ApiError> {
        let index = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        self.steps.push(RunStep { index, at: self.parts.clock.now(), ms, kind: bounded(kind) });
        self.keep(index)?;
        Ok(index)
    }

    /// Changes a step, and adds to the time that it took.
    ///
    /// # Errors
    /// As [`Recorder::push`].
    pub fn change(&mut self, index: u32, ms: u64, change: impl FnOnce(&mut StepKind)) -> Result<(), ApiError> {
        if let Some(step) = self.steps.get_mut(index as usize) {
            change(&mut step.kind);
            step.kind = bounded(step.kind.clone());
            step.ms += ms;
        }
        self.keep(index)
    }

    fn keep(&mut self, index: u32) -> Result<(), ApiError> {
        self.count();
        let step = self.steps.get(index as usize).cloned();
        runs::put(&self.parts.main, self.parts.profile, self.run.clone(), step.clone())?;
        if let Some(step) = step {
            (self.parts.publish)(Event::RunStepped { run: self.run.id, task: self.run.task, step: Box::new(step) });
        }
        Ok(())
    }

    fn count(&mut self) {
        let used = self.used();
        self.run.steps = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        self.run.prompt_tokens = used.prompt_tokens;
        self.run.answer_tokens = used.tokens;
        self.run.worked_ms = used.ms;
    }

    /// A piece of what the model says.
    pub fn tell(&self, text: String) {
        tell(self.parts, &self.run, text);
    }

    /// # Errors
    /// As [`Recorder::push`].
    pub fn end(&mut self, outcome: RunOutcome) -> Result<(), ApiError> {
        self.count();
        self.run.ended = Some(self.parts.clock.now());
        self.run.outcome = Some(outcome);
        runs::put(&self.parts.main, self.parts.profile, self.run.clone(), None)?;
        Ok(())
    }
}

/// Tells a piece of what a run's model says.
pub fn tell(parts: &Parts, run: &Run, text: String) {
    let task: Option<TaskId> = run.task;
    (parts.publish)(Event::RunText { run: run.id, task, text });
}

/// Keeps a step within bounds, whatever a model or a tool made of it.
fn bounded(mut kind: StepKind) -> StepKind {
    let size = |value: &serde_json::Value| value.to_string().len();
    match &mut kind {
        StepKind::Model { prompt, said, .. } => {
            *prompt = cut(prompt, PROMPT);
            if said.len() > SAID {
                said.truncate(said.floor_char_boundary(SAID));
            }
        }
        StepKind::Tool { call, action, output, .. } => {
            if size(&call.arguments) > DATA {
                call.arguments = serde_json::json!({ "left_out": "more than 512 kB" });
            }
            if let ProposedAction::Other { arguments, .. } = action
                && size(arguments) > DATA
            {
                *arguments = serde_json::json!({ "left_out": "more than 512 kB" });
            }
            if let Some(output) = output {
                output.text = cut(&output.text, RESULT);
                output.changed = cut(&output.changed, 4_000);
                if output.data.as_ref().is_some_and(|data| size(data) > DATA) {
                    output.data = Some(serde_json::json!({ "left_out": "more than 512 kB" }));
                }
            }
        }
        StepKind::Plan { text } | StepKind::Note { text } | StepKind::Answer { text } => *text = cut(text, SAID),
    }
    kind
}
