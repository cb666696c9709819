//! The thread that owns a language model's weights and its last session, and answers one request after another.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use jiff::Timestamp;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::arch::{LanguageWeights, Session};
use crate::generate::constrain::{Constrainer, Rules};
use crate::generate::stream::Generation;
use crate::generate::template::ChatTemplate;
use crate::generate::{Constraint, GenerateEvent, GenerateRequest, GenerateStats, Prompt};
use crate::tokenize::Tokenizer;
use crate::{Cancel, Error, Result};

pub(super) struct Job {
    pub request: GenerateRequest,
    pub cancel: Cancel,
    pub events: Sender<GenerateEvent>,
}

pub(super) struct Worker {
    weights: Box<dyn LanguageWeights>,
    tokenizer: Arc<Tokenizer>,
    /// Or why it cannot be used: raw prompts still work.
    template: Result<ChatTemplate, String>,
    clock: fn() -> Timestamp,
    unload: Cancel,
    pool: ThreadPool,
    /// What the last request left: a next turn begins like it and computes only what is new.
    session: Session,
    /// Made when the first constrained request comes.
    constrainer: Option<Constrainer>,
}

impl Worker {
    pub(super) fn new(
        weights: Box<dyn LanguageWeights>,
        tokenizer: Arc<Tokenizer>,
        template: Result<ChatTemplate, String>,
        clock: fn() -> Timestamp,
        unload: Cancel,
        threads: usize,
    ) -> Result<Self> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| Error::Compute(candle_core::Error::wrap(error)))?;
        let session = weights.new_session();
        Ok(Self { weights, tokenizer, template, clock, unload, pool, session, constrainer: None })
    }

    /// Answers until the last handle is gone.
    pub(super) fn run(mut self, queue: Receiver<Job>) {
        for job in queue {
            let mut partial = String::new();
            let outcome = catch_unwind(AssertUnwindSafe(|| self.answer(&job, &mut partial)));
            let outcome = outcome.unwrap_or_else(|panic| {
                Err(Error::Compute(candle_core::Error::msg(format!("internal error: {}", panic_text(&*panic)))))
            });
            let last = match outcome {
                Ok(stats) => GenerateEvent::Finished(stats),
                Err(error) => {
                    // Its cache may be half written, unless the fault was not the model's.
                    if !matches!(error, Error::Constraint(_) | Error::Unfinished) {
                        self.session = self.weights.new_session();
                    }
                    GenerateEvent::Failed { error, partial }
                }
            };
            if job.events.send(last).is_err() {
                tracing::debug!("nobody waited for the end of an answer");
            }
        }
    }

    fn answer(&mut self, job: &Job, partial: &mut String) -> Result<GenerateStats> {
        let prompt = self.prompt(&job.request.prompt)?;
        let rules = job.request.constraint.as_ref().map(|constraint| self.rules(constraint)).transpose()?;
        let cancelled = || job.cancel.is_cancelled() || self.unload.is_cancelled();
        let events = job.events.clone();
        let mut emit = |event: GenerateEvent| {
            if let GenerateEvent::Text(text) = &event {
                partial.push_str(text);
            }
            events.send(event).is_ok()
        };
        let mut generation =
            Generation { weights: &*self.weights, tokenizer: &self.tokenizer, cancelled: &cancelled, emit: &mut emit };
        let (session, sampling) = (&mut self.session, job.request.sampling.clone());
        self.pool.install(|| generation.run(session, &prompt, sampling, rules))
    }

    fn rules(&mut self, constraint: &Constraint) -> Result<Rules> {
        if self.constrainer.is_none() {
            self.constrainer = Some(Constrainer::new(&self.tokenizer)?);
        }
        let constrainer = self.constrainer.as_ref().ok_or(Error::WorkerGone)?;
        constrainer.rules(constraint)
    }

    fn prompt(&self, prompt: &Prompt) -> Result<Vec<u32>> {
        match prompt {
            Prompt::Chat(turns) => {
                let template = self.template.as_ref().map_err(|reason| Error::Template(reason.clone()))?;
                let rendered = template.render(turns, (self.clock)())?;
                self.tokenizer.encode_rendered(&rendered.text, rendered.guard)
            }
            Prompt::Raw(text) => self.tokenizer.encode(text, true, false),
            Prompt::Tokens(tokens) => Ok(tokens.clone()),
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("")
}

#[cfg(test)]
mod tests;
