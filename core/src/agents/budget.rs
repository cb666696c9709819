//! What a run has used of its budget, computed from its recorded steps.

use crate::api::{ApiError, ErrorCategory};
use crate::model::{Budget, RunStep, StepKind};

/// What was used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Model calls.
    pub steps: u32,
    pub prompt_tokens: u64,
    /// Written by the model.
    pub tokens: u64,
    /// Waiting for the person not counted.
    pub ms: u64,
}

impl Used {
    pub fn of(steps: &[RunStep]) -> Self {
        let mut used = Self::default();
        for step in steps {
            used.ms += step.ms;
            if let StepKind::Model { prompt_tokens, answer_tokens, .. } = &step.kind {
                used.steps += 1;
                used.prompt_tokens += u64::from(*prompt_tokens);
                used.tokens += u64::from(*answer_tokens);
            }
        }
        used
    }

    pub fn tokens_left(&self, budget: &Budget) -> u64 {
        u64::from(budget.tokens).saturating_sub(self.tokens)
    }

    pub fn ms_left(&self, budget: &Budget) -> u64 {
        (u64::from(budget.seconds) * 1_000).saturating_sub(self.ms)
    }

    /// Why the model may not be asked again; none while it may.
    pub fn exhausted(&self, budget: &Budget) -> Option<String> {
        if self.steps >= budget.steps {
            Some(format!("all {} steps were used", budget.steps))
        } else if self.tokens_left(budget) == 0 {
            Some(format!("all {} tokens were written", budget.tokens))
        } else if self.ms_left(budget) == 0 {
            Some(format!("all {} seconds were used", budget.seconds))
        } else {
            None
        }
    }
}

/// Tokens that are kept for the answer while the run still calls tools: without them it could only be cut off.
pub fn reserve(budget: &Budget) -> usize {
    const ANSWER: usize = 128;
    ANSWER.min(budget.tokens as usize / 3)
}

/// The error of a run that used up its budget.
pub fn error(why: &str) -> ApiError {
    ApiError::new(
        ErrorCategory::Processing,
        format!("the agent did not finish within its budget: {why}"),
        "Give the agent a larger budget, a smaller task, or a more capable model. What it had is kept.",
    )
}
