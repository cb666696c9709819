//! What a run does next, computed from its recorded steps alone: the same when it goes on as when it is taken up again.

use super::protocol::{self, Said};
use crate::api::ApiError;
use crate::model::{RoutineCall, RunStep, StepKind, Verdict};

#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The call of this number of the type's routine.
    Routine(usize),
    /// Ask the model, in a new step.
    Ask,
    /// Ask the model again: the step of this index was cut off.
    AskAgain(u32),
    /// Do what the model said.
    Act(Said),
    /// What the model said cannot be read; why.
    Unreadable(String),
    /// Go on with the call in the step of this index: it waits for the person, or was cut off.
    Call(u32),
    /// The result is there.
    Answer(String),
    /// The routine was all.
    RoutineDone,
}

/// `routine` are the calls before the model begins, none where no model is asked.
pub fn next(steps: &[RunStep], routine: &[RoutineCall], uses_model: bool) -> Next {
    let begin = || match steps.len() {
        done if done < routine.len() => Next::Routine(done),
        _ if uses_model => Next::Ask,
        _ => Next::RoutineDone,
    };
    let Some(last) = steps.last() else { return begin() };
    match &last.kind {
        StepKind::Tool { .. } if is_open(&last.kind) => Next::Call(last.index),
        StepKind::Model { said, .. } if said.is_empty() => Next::AskAgain(last.index),
        StepKind::Model { said, .. } => match protocol::parse(said) {
            Ok(said) => Next::Act(said),
            Err(why) => Next::Unreadable(why),
        },
        StepKind::Answer { text } => Next::Answer(text.clone()),
        StepKind::Tool { .. } | StepKind::Plan { .. } | StepKind::Note { .. } => begin(),
    }
}

/// A call that has no result yet and may get one.
pub fn is_open(kind: &StepKind) -> bool {
    match kind {
        StepKind::Tool {
            output: None,
            error,
            verdict: Verdict::Allowed | Verdict::Rule | Verdict::Waits { .. } | Verdict::Person { allowed: true, .. },
            ..
        } => error.as_ref().is_none_or(|error| *error == not_begun()),
        _ => false,
    }
}

/// What stands in a step whose call was allowed but not made, because the work was told to stop.
pub fn not_begun() -> ApiError {
    ApiError { message: "the work was told to stop before this call began".to_owned(), ..ApiError::cancelled() }
}
