//! The loop: asks the model, calls tools, waits for the person, until there is an answer or the budget is used up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_ml::generate::{ChatTurn, Constraint, GenerateRequest, Prompt, SamplingParams};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::approvals::{self, Decision, Desk, Question};
use super::budget::{self, Used};
use super::context::{self, Mark};
use super::next::{self, Next, next};
use super::prompt::{self, Opening, SMALL_MODEL};
use super::protocol::{self, Offer, Said};
use super::recorder::{self, Recorder};
use super::{Parts, routine, turn, validate};
use crate::api::{ApiError, ErrorCategory};
use crate::crews::StepWork;
use crate::inference::{ChatModel, ToolOffer, Wanted};
use crate::model::{
    Agent, AgentType, AllowedFolder, ApprovalId, ApprovalState, Permission, ProposedAction, RoutineCall, Run, RunId,
    RunOutcome, RunStep, StepKind, Task, TaskOutput, TaskProgress, ToolCall, ToolEffect, ToolOutput, Verdict, Wait,
    WorkKind,
};
use crate::panics;
use crate::storage::{chats, runs};
use crate::tasks::{Attempt, Executor, Failure};
use crate::tools::{Found, Proposal, Scope, Tool, ToolSpec};

/// Answers of the model in a row that cannot be read.
const MOST_UNREADABLE: usize = 3;
/// Calls that were made before, in all.
const MOST_REPEATED: usize = 4;
const LARGEST_ANSWER: usize = 4_096;

/// A call that may be asked for: its tool, what it would do, and the word of agent and profile.
type Proposed = (Found, Proposal, Permission);

/// Does what tasks say, with agents.
#[derive(Clone)]
pub struct Worker {
    parts: Parts,
    desk: Desk,
}

impl Worker {
    pub fn new(parts: Parts, desk: Desk) -> Self {
        Self { parts, desk }
    }

    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The same in the next run of the program.
    #[cfg(test)]
    pub(crate) fn with_ending(&self, ending: CancellationToken) -> Self {
        Self { parts: Parts { ending, ..self.parts.clone() }, desk: self.desk.clone() }
    }
}

impl Executor for Worker {
    fn execute(&self, attempt: &Attempt<'_>) -> Result<TaskOutput, Failure> {
        let mut work = Work::begin(self, attempt).map_err(failure)?;
        let result = work.go_on();
        let outcome = match &result {
            Ok(_) => RunOutcome::Completed,
            Err(_) if self.parts.ending.is_cancelled() => RunOutcome::CutOff,
            Err(_) if attempt.cancel.is_cancelled() => RunOutcome::Cancelled,
            Err(failure) => RunOutcome::Failed { error: failure.error.clone() },
        };
        match work.recorder.end(outcome) {
            Err(error) if result.is_ok() => Err(failure(error)),
            Err(error) => {
                tracing::warn!(%error, "the end of a run was not stored");
                result
            }
            Ok(()) => result,
        }
    }
}

/// A tool as models are told of it that know calls of their own.
fn offer_of(spec: &ToolSpec) -> ToolOffer {
    ToolOffer {
        name: spec.name.to_string(),
        description: spec.description.to_string(),
        parameters: spec.parameters.clone(),
    }
}

/// Whether another try makes sense is in the kind of the error: what is not valid stays so.
fn failure(error: ApiError) -> Failure {
    let retry = !matches!(error.category, ErrorCategory::Validation | ErrorCategory::Authorisation);
    Failure { error, retry, partial: None }
}

/// One attempt at a task.
struct Work<'a> {
    parts: &'a Parts,
    desk: &'a Desk,
    attempt: &'a Attempt<'a>,
    agent: Arc<Agent>,
    /// As the agent reads it.
    task: Task,
    /// Of a step of a crew.
    crew: Option<StepWork>,
    kind: Option<AgentType>,
    routine: Vec<RoutineCall>,
    specs: Vec<ToolSpec>,
    recorder: Recorder<'a>,
    scope: Scope,
    mark: Mark,
    /// Results of the tasks that this one depends on.
    before: Vec<(String, TaskOutput)>,
    model: Option<Arc<dyn ChatModel>>,
    opening: Option<[ChatTurn; 2]>,
}

impl<'a> Work<'a> {
    fn begin(worker: &'a Worker, attempt: &'a Attempt<'a>) -> Result<Self, ApiError> {
        let parts = &worker.parts;
        let task = &attempt.task;
        let id = task.agent.ok_or_else(|| ApiError::validation("nobody is to do this task", "Give it to an agent."))?;
        let mut agent = parts.directory.agent(id)?;
        let mut crew = parts.directory.crew_step(task)?;
        if let Some(folder) = crew.as_ref().and_then(|crew| crew.folder.clone()) {
            give(&mut agent, folder);
        }
        let agent = Arc::new(agent);
        let kind = parts.directory.kind(&agent.settings.kind)?;
        let mut before = Vec::new();
        for id in &task.depends_on {
            let done = parts.directory.task(*id)?;
            if let Some(output) = done.output {
                before.push((done.title, output));
            }
        }
        if let Some(crew) = &mut crew {
            before.append(&mut crew.before);
        }
        let taken_up = match attempt.resumes {
            Some(id) => Some(runs::get(&parts.main, parts.profile, id)?),
            None => None,
        };
        let recorder = match taken_up {
            Some(run) => Recorder::take_up(parts, run)?,
            None => Recorder::begin(
                parts,
                Run {
                    id: RunId(parts.ids.next()),
                    agent: agent.id,
                    task: Some(task.id),
                    attempt: attempt.number,
                    model: String::new(),
                    started: parts.clock.now(),
                    ended: None,
                    outcome: None,
                    steps: 0,
                    prompt_tokens: 0,
                    answer_tokens: 0,
                    worked_ms: 0,
                },
            )?,
        };
        let run = recorder.run().id;
        attempt.queue.runs(run)?;
        let specs = agent
            .settings
            .tools
            .iter()
            .filter(|(_, rule)| rule.permission != Permission::Deny)
            .filter_map(|(name, _)| (parts.tools)(name))
            .filter(|tool| tool.unavailable().is_none())
            .map(|tool| tool.spec())
            .filter(|spec| !crew.as_ref().is_some_and(|crew| crew.offline && spec.effect == ToolEffect::Network))
            .collect();
        let mut routine = kind.as_ref().map_or_else(Vec::new, |kind| kind.routine.clone());
        if kind.as_ref().is_some_and(|kind| kind.uses_model) {
            // The person took this tool from the agent; the model does without.
            let has = |call: &RoutineCall| agent.settings.tools.get(&call.tool).map(|rule| rule.permission);
            routine.retain(|call| has(call).is_some_and(|permission| permission != Permission::Deny));
        }
        let host = (parts.host)(&agent, run);
        let scope = Scope { agent: agent.clone(), task: Some(task.id), run, cancel: attempt.cancel.clone(), host };
        let mark = Mark::of(run);
        let desk = &worker.desk;
        Ok(Self {
            parts,
            desk,
            attempt,
            agent,
            task: read_as(task, crew.as_ref()),
            crew,
            kind,
            routine,
            specs,
            recorder,
            scope,
            mark,
            before,
            model: None,
            opening: None,
        })
    }

    fn routine(&self) -> &[RoutineCall] {
        &self.routine
    }

    fn is_offline(&self) -> bool {
        self.crew.as_ref().is_some_and(|crew| crew.offline)
    }

    fn uses_model(&self) -> bool {
        self.kind.as_ref().is_none_or(|kind| kind.uses_model)
    }

    fn go_on(&mut self) -> Result<TaskOutput, Failure> {
        loop {
            if self.attempt.cancel.is_cancelled() {
                return Err(self.stopped());
            }
            let next = next(self.recorder.steps(), self.routine(), self.uses_model());
            let done = match next {
                Next::Routine(number) => self.routine_call(number),
                Next::Ask => self.ask(None),
                Next::AskAgain(index) => self.ask(Some(index)),
                Next::Act(said) => self.act(said),
                Next::Unreadable(why) => self.unreadable(&why),
                Next::Call(index) => self.take_up(index).map_err(|error| self.fail(error)),
                Next::Answer(text) => return Ok(self.output(text)),
                Next::RoutineDone => return self.routine_done(),
            };
            done?;
        }
    }

    /// A failure that keeps what there is.
    fn fail(&self, error: ApiError) -> Failure {
        let partial = (!self.recorder.steps().is_empty()).then(|| Box::new(self.output(self.so_far())));
        Failure { partial, ..failure(error) }
    }

    fn stopped(&self) -> Failure {
        Failure { retry: self.parts.ending.is_cancelled(), ..self.fail(ApiError::cancelled()) }
    }

    /// What was changed and drawn, around a text.
    fn output(&self, text: String) -> TaskOutput {
        let mut output = TaskOutput { text, ..TaskOutput::default() };
        for step in self.recorder.steps() {
            let StepKind::Tool { output: Some(given), .. } = &step.kind else { continue };
            if !given.changed.is_empty() {
                output.changed.push(given.changed.clone());
            }
            output.charts.extend(given.chart.clone());
            if let Some(data) = &given.data {
                output.data = data.clone();
            }
        }
        output
    }

    /// What a run that did not finish has: the thoughts of the model, and what its tools gave, the last of it.
    fn so_far(&self) -> String {
        let mut lines = Vec::new();
        for step in self.recorder.steps() {
            match &step.kind {
                StepKind::Model { said, .. } => match protocol::parse(said) {
                    Ok(Said::Call { thought, .. } | Said::Answer { thought, .. }) if !thought.trim().is_empty() => {
                        lines.push(format!("- {}", context::cut(&thought, 400)));
                    }
                    Err(_) if !said.trim().is_empty() => lines.push(format!("- {}", context::cut(said, 2_000))),
                    _ => {}
                },
                StepKind::Tool { call, output: Some(output), .. } => {
                    let gave = output.text.lines().next().unwrap_or_default();
                    lines.push(format!("- {}: {}", call.tool, context::cut(gave, 200)));
                }
                StepKind::Plan { .. } | StepKind::Tool { .. } | StepKind::Note { .. } | StepKind::Answer { .. } => {}
            }
        }
        if lines.is_empty() {
            return "The agent had nothing yet.".to_owned();
        }
        format!("The agent did not finish. What it had:\n\n{}", lines.join("\n"))
    }

    fn note(&mut self, text: String) -> Result<(), Failure> {
        self.recorder.push(StepKind::Note { text }, 0).map(drop).map_err(|error| self.fail(error))
    }

    fn doing(&self, doing: &str) {
        let used = self.recorder.used();
        let most = self.agent.settings.budget.steps;
        self.attempt.queue.progress(TaskProgress { step: used.steps, most, doing: context::cut(doing, 200) });
    }

    fn routine_call(&mut self, number: usize) -> Result<(), Failure> {
        let call = self.routine().get(number).cloned().ok_or_else(|| self.fail(ApiError::cancelled()))?;
        let call = routine::fill(&call, &self.task).map_err(|error| self.fail(error))?;
        self.call(call).map_err(|error| self.fail(error))
    }

    /// The end of a type that asks no model: its results, or the first call that went wrong.
    fn routine_done(&self) -> Result<TaskOutput, Failure> {
        let mut texts = Vec::new();
        for step in self.recorder.steps() {
            let StepKind::Tool { call, output, error, verdict, .. } = &step.kind else { continue };
            if let Some(output) = output {
                texts.push(output.text.clone());
                continue;
            }
            let why = match (error, verdict) {
                (Some(error), _) => error.clone(),
                (None, Verdict::Denied { why }) => ApiError::new(
                    ErrorCategory::Authorisation,
                    format!("{}: {why}", call.tool),
                    "Change the agent's tools.",
                ),
                (None, Verdict::Refused { why }) => ApiError::validation(
                    format!("{}: {why}", call.tool),
                    "Look at the input of the task, and at the routine of the agent's type.",
                ),
                (None, _) => ApiError::new(
                    ErrorCategory::Authorisation,
                    format!("the person did not allow {}", call.tool),
                    "Allow it the next time, or change the agent's tools.",
                ),
            };
            return Err(self.fail(why));
        }
        Ok(self.output(texts.join("\n\n")))
    }

    fn model(&mut self) -> Result<Arc<dyn ChatModel>, ApiError> {
        if let Some(model) = &self.model {
            return Ok(model.clone());
        }
        self.doing("Loading the model");
        let cancel = Cancel::new();
        let guard = self.cancels(&cancel);
        let wanted = Wanted {
            model: validate::model_of(&self.agent.settings),
            work: if self.crew.is_some() { WorkKind::Crew } else { WorkKind::Task },
            agent: Some((self.agent.id, self.agent.settings.name.clone())),
            offline: self.is_offline(),
            uncached: !self.agent.settings.cache,
            ..Wanted::default()
        };
        let model = self.parts.models.chat_model(&wanted, &cancel);
        drop(guard);
        let model = model?;
        self.recorder.set_model(model.id());
        self.model = Some(model.clone());
        Ok(model)
    }

    /// Passes the end of the attempt on, until it is dropped.
    fn cancels(&self, cancel: &Cancel) -> Watch {
        let (cancel, token) = (cancel.clone(), self.attempt.cancel.clone());
        Watch(self.parts.runtime.spawn(async move {
            token.cancelled().await;
            cancel.cancel();
        }))
    }

    fn opening(&mut self, small: bool) -> Result<[ChatTurn; 2], ApiError> {
        if let Some(opening) = &self.opening {
            return Ok(opening.clone());
        }
        let most = self.agent.settings.memory.last_tasks;
        let outcomes = if most > 0 { self.parts.directory.outcomes(self.agent.id, most)? } else { Vec::new() };
        let opening = prompt::opening(&Opening {
            agent: &self.agent,
            tools: &self.specs,
            task: &self.task,
            before: &self.before,
            outcomes: &outcomes,
            small,
            mark: &self.mark,
        });
        self.opening = Some(opening.clone());
        Ok(opening)
    }

    /// One question to the model.
    fn ask(&mut self, again: Option<u32>) -> Result<(), Failure> {
        let budget = self.agent.settings.budget;
        let steps = self.recorder.steps();
        let recorded = &steps[..again.map_or(steps.len(), |index| index as usize)];
        let used = Used::of(recorded);
        if let Some(why) = used.exhausted(&budget) {
            return Err(Failure { retry: false, ..self.fail(budget::error(&why)) });
        }
        let first = used.steps == 0;
        let model = self.model().map_err(|error| self.fail(error))?;
        let small = model.parameters().is_some_and(|count| count < SMALL_MODEL);
        let opening = self.opening(small).map_err(|error| self.fail(error))?;
        let left = usize::try_from(used.tokens_left(&budget)).unwrap_or(usize::MAX);
        // Calls may not use up what the answer needs.
        let reserve = budget::reserve(&budget);
        let last = used.steps + 1 >= budget.steps || left < 2 * reserve;
        if again.is_none() && last && !first {
            const LAST: &str = "This is your last step: give your answer now, with what you have.";
            let told = |step: &RunStep| matches!(&step.kind, StepKind::Note { text } if text == LAST);
            if !self.recorder.steps().iter().any(told) {
                return self.note(LAST.to_owned());
            }
        }
        let context_length = model.context_length();
        let left = if last { left } else { left - reserve };
        let room = (context_length / 3).clamp(64, LARGEST_ANSWER);
        let most = (self.agent.settings.max_tokens as usize).min(left).min(room).max(1);
        let limit = context_length.saturating_sub(most);
        let upto = again.map_or(self.recorder.steps().len(), |index| index as usize);
        let count = |text: &str| model.count_tokens(text);
        let fitted = context::fit(&opening, &self.recorder.steps()[..upto], &self.mark, limit, &count)
            .map_err(|error| self.fail(error))?;
        if let (Some(words), None) = (shortening(fitted.shortened, fitted.left_out), again) {
            let said = |step: &RunStep| matches!(&step.kind, StepKind::Note { text } if *text == words);
            if !self.recorder.steps().iter().any(said) {
                return self.note(words);
            }
        }
        let prompt = if first { context::written(&fitted.turns) } else { context::written(new_turns(&fitted.turns)) };
        let asked = StepKind::Model {
            prompt,
            said: String::new(),
            prompt_tokens: u32::try_from(fitted.tokens).unwrap_or(u32::MAX),
            answer_tokens: 0,
            ttft_ms: 0.0,
            constrained: true,
        };
        self.doing("Thinking");
        let index = match again {
            Some(index) => self.recorder.change(index, 0, |kind| *kind = asked).map(|()| index),
            None => self.recorder.push(asked, 0),
        };
        let index = index.map_err(|error| self.fail(error))?;
        let (offer, only_look) = self.offer(small, first, last, most);
        let offered: Vec<&ToolSpec> = self.specs.iter().filter(|spec| !only_look || looks(spec)).collect();
        let mut schema = protocol::schema(offered.iter().map(|spec| (&*spec.name, &spec.parameters)), offer);
        if let Some(answer) = self.crew.as_ref().and_then(|crew| crew.answer.as_ref()) {
            protocol::answer_is(&mut schema, answer);
        }
        let tools: Vec<ToolOffer> = offered.iter().filter(|_| offer.tools).map(|spec| offer_of(spec)).collect();
        let (_, seed) = self.recorder.run().id.0.as_u64_pair();
        #[expect(clippy::cast_possible_truncation, reason = "0.0 to 2.0")]
        let sampling = SamplingParams {
            temperature: if small { 0.0 } else { self.agent.settings.temperature as f32 },
            max_tokens: most,
            // Names and figures of a result stand in the answer again.
            repeat_penalty: if small { 1.0 } else { SamplingParams::default().repeat_penalty },
            // Steps of a run differ from each other, a run that is taken up goes on as it would have.
            seed: seed.wrapping_add(u64::from(index)),
            ..SamplingParams::default()
        };
        let request = GenerateRequest {
            prompt: Prompt::Chat(fitted.turns),
            sampling,
            constraint: Some(Constraint::JsonSchema(schema)),
        };
        let begun = self.parts.clock.now();
        let left_ms = i64::try_from(used.ms_left(&budget)).unwrap_or(i64::MAX);
        let clock = self.parts.clock.clone();
        let over = || clock.now().0 - begun.0 > left_ms;
        let (parts, run) = (self.parts, self.recorder.run().clone());
        let told = turn::ask(model.as_ref(), request, &tools, &self.attempt.cancel, &over, &mut |text| {
            recorder::tell(parts, &run, text);
        })
        .map_err(|error| self.fail(error))?;
        if self.attempt.cancel.is_cancelled() && self.parts.ending.is_cancelled() {
            // It is asked again when the run is taken up.
            return Err(self.stopped());
        }
        let now = self.parts.clock.now();
        let answered = told.choice.as_ref().map_or_else(|| model.id(), |choice| choice.model.as_str());
        if let Some(speed) = told.speed {
            self.parts.models.measured(answered, speed, now);
        }
        // Another one may have taken over.
        self.recorder.set_model(answered);
        let seconds = chats::add_model_seconds(&self.parts.main, self.parts.profile, now, told.seconds);
        if let Err(error) = seconds {
            tracing::warn!(%error, "the model's working time was not counted");
        }
        let ms = u64::try_from(now.0 - begun.0).unwrap_or(0);
        let changed = self.recorder.change(index, ms, |kind| {
            if let StepKind::Model { said, prompt_tokens, answer_tokens, ttft_ms, .. } = kind {
                said.clone_from(&told.said);
                if told.prompt_tokens > 0 {
                    *prompt_tokens = told.prompt_tokens;
                }
                *answer_tokens = told.answer_tokens;
                *ttft_ms = told.ttft_ms;
            }
        });
        changed.map_err(|error| self.fail(error))?;
        if self.attempt.cancel.is_cancelled() {
            return Err(self.stopped());
        }
        let ran_out = (told.cut_off || over()) && protocol::parse(&told.said).is_err();
        if let Some(why) = self.recorder.used().exhausted(&budget).filter(|_| ran_out) {
            return Err(Failure { retry: false, ..self.fail(budget::error(&why)) });
        }
        if let Some(error) = told.error.filter(|_| !told.cut_off) {
            return Err(self.fail(error));
        }
        if told.said.trim().is_empty() || ran_out {
            let why = if told.said.trim().is_empty() { "it was empty" } else { "it was too long and is cut off" };
            return self.unreadable(why);
        }
        Ok(())
    }

    /// What the model may say now, and whether only with tools that look. A large model chooses; a small one is led: it
    /// looks before it answers, and answers when it has nothing better to do or no step is left.
    fn offer(&self, small: bool, first: bool, last: bool, tokens: usize) -> (Offer, bool) {
        let all = Offer { plan: false, tools: true, answer: true, small, tokens };
        if !small {
            return (Offer { plan: first && self.routine().is_empty(), ..all }, false);
        }
        let tools = self.recorder.steps().iter().rev().filter_map(|step| match &step.kind {
            StepKind::Tool { output, .. } => Some(output.is_some()),
            _ => None,
        });
        let results: Vec<bool> = tools.collect();
        let stuck = results.first() == Some(&false);
        let looked = results.contains(&true);
        // What the routine found is the ground of the answer: beyond it a small model calls at random.
        let asked = |step: &RunStep| matches!(&step.kind, StepKind::Model { said, .. } if !said.is_empty());
        let found =
            |step: &RunStep| matches!(&step.kind, StepKind::Tool { output: Some(given), .. } if given.data.is_some());
        let steps = self.recorder.steps();
        let told = !self.routine().is_empty() && steps.iter().any(found) && !steps.iter().any(asked);
        if last || told || (stuck && (looked || results.len() > 1)) {
            (Offer { tools: false, ..all }, false)
        } else if !looked && self.specs.iter().any(looks) {
            (Offer { answer: false, ..all }, true)
        } else {
            (all, false)
        }
    }

    fn unreadable(&mut self, why: &str) -> Result<(), Failure> {
        const BEGINS: &str = "Your last message cannot be used: ";
        let notes = self.recorder.steps().iter().rev().skip(1).step_by(2);
        let in_row =
            notes.take_while(|step| matches!(&step.kind, StepKind::Note { text } if text.starts_with(BEGINS))).count();
        self.note(format!("{BEGINS}{why}. Answer with one JSON object, as you were told."))?;
        if in_row + 1 >= MOST_UNREADABLE {
            let error = ApiError::new(
                ErrorCategory::Processing,
                format!("the model gave {MOST_UNREADABLE} answers in a row that cannot be read: {why}"),
                "Choose a more capable model for this agent.",
            );
            return Err(Failure { retry: false, ..self.fail(error) });
        }
        Ok(())
    }

    fn act(&mut self, said: Said) -> Result<(), Failure> {
        match said {
            Said::Plan { steps } => {
                let lines: Vec<String> =
                    steps.iter().enumerate().map(|(n, step)| format!("{}. {step}", n + 1)).collect();
                self.push(StepKind::Plan { text: lines.join("\n") })
            }
            Said::Answer { text, .. } => self.push(StepKind::Answer { text: protocol::without_loops(&text) }),
            Said::Call { call, .. } => {
                if self.goes_in_circles() {
                    let error = ApiError::new(
                        ErrorCategory::Processing,
                        "the agent makes the same calls again and again",
                        "Choose a more capable model, or say in the task what is wanted in other words.",
                    );
                    return Err(Failure { retry: false, ..self.fail(error) });
                }
                self.call(call).map_err(|error| self.fail(error))
            }
        }
    }

    fn push(&mut self, kind: StepKind) -> Result<(), Failure> {
        self.recorder.push(kind, 0).map(drop).map_err(|error| self.fail(error))
    }

    fn goes_in_circles(&self) -> bool {
        let repeated = |step: &&RunStep| matches!(&step.kind, StepKind::Tool { verdict: Verdict::Refused { why }, .. } if why.starts_with(REPEATED));
        self.recorder.steps().iter().filter(repeated).count() >= MOST_REPEATED
    }

    /// Whether the same call has a result already, and nothing was changed since.
    fn was_made(&self, call: &ToolCall) -> bool {
        let mut failed = 0;
        for step in self.recorder.steps().iter().rev() {
            let StepKind::Tool { call: made, output, error, .. } = &step.kind else { continue };
            if made == call && output.is_some() {
                return true;
            }
            failed += usize::from(made == call && error.is_some());
            // What failed once may go better the next time.
            if failed > 1 {
                return true;
            }
            if output.as_ref().is_some_and(|output| !output.changed.is_empty()) {
                return false;
            }
        }
        false
    }

    /// Decides about a call and makes it, or says why not.
    fn call(&mut self, call: ToolCall) -> Result<(), ApiError> {
        if self.was_made(&call) {
            let why = format!("{REPEATED} its result stands above. Do something else, or answer.");
            return self.refuse(call, Verdict::Refused { why });
        }
        let (tool, proposal, permission) = match self.proposed(&call)? {
            Ok(proposed) => proposed,
            Err(verdict) => {
                if let Verdict::Denied { why } = &verdict {
                    self.desk.denied(&self.agent, &call.tool, why)?;
                }
                return self.refuse(call, verdict);
            }
        };
        let action = proposal.action.clone();
        let step = |verdict| StepKind::Tool { call: call.clone(), action, verdict, output: None, error: None };
        match self.desk.decide(&self.agent, permission, &call, &proposal)? {
            Decision::Go(verdict) => {
                let index = self.recorder.push(step(verdict), 0)?;
                self.run(index, &*tool, &call, &proposal)
            }
            Decision::No(verdict) => self.refuse(call, verdict),
            Decision::Ask => {
                // The step first: an approval that nobody waits for would be asked twice.
                let approval = ApprovalId(self.parts.ids.next());
                let index = self.recorder.push(step(Verdict::Waits { approval }), 0)?;
                self.wait(index)
            }
        }
    }

    /// The tool, what it would do, and the word of agent and profile; or why it may not.
    fn proposed(&self, call: &ToolCall) -> Result<Result<Proposed, Verdict>, ApiError> {
        let policy = self.parts.directory.policy(&call.tool)?;
        let permission = match approvals::permission(&self.agent, policy, &call.tool) {
            Ok(permission) => permission,
            Err(verdict) => return Ok(Err(verdict)),
        };
        let offline = || Verdict::Denied { why: "this run is offline: nothing in it reaches the network.".to_owned() };
        let Some(tool) = (self.parts.tools)(&call.tool) else {
            let why = format!("there is no tool named \"{}\".", call.tool);
            return Ok(Err(Verdict::Refused { why }));
        };
        if let Some(why) = tool.unavailable() {
            return Ok(Err(Verdict::Refused { why }));
        }
        if self.is_offline() && tool.spec().effect == ToolEffect::Network {
            return Ok(Err(offline()));
        }
        let proposed = catch_unwind(AssertUnwindSafe(|| tool.propose(&call.arguments, &self.scope)));
        Ok(match proposed {
            Ok(Ok(Proposal { action: ProposedAction::RunCommand { network: true, .. }, .. })) if self.is_offline() => {
                Err(offline())
            }
            Ok(Ok(proposal)) => Ok((tool, proposal, permission)),
            Ok(Err(error)) => Err(Verdict::Refused { why: format!("{}. {}", error.message, error.advice) }),
            Err(panic) => {
                let why = panics::text(panic.as_ref()).to_owned();
                tracing::error!(tool = call.tool, why, "a tool panicked");
                Err(Verdict::Refused { why: format!("the tool failed: {why}") })
            }
        })
    }

    fn refuse(&mut self, call: ToolCall, verdict: Verdict) -> Result<(), ApiError> {
        let action = ProposedAction::Other { tool: call.tool.clone(), arguments: call.arguments.clone() };
        self.recorder.push(StepKind::Tool { call, action, verdict, output: None, error: None }, 0).map(drop)
    }

    /// Waits for the person's word on the call of a step, asking if that was not done yet, and does what was allowed.
    fn wait(&mut self, index: u32) -> Result<(), ApiError> {
        loop {
            let Some((call, id)) = self.waiting(index) else { return Ok(()) };
            let approval = match self.desk.get(id)? {
                Some(approval) => approval,
                None => match self.proposed(&call)? {
                    Ok((_, proposal, _)) => self.put_question(index, id, &call, &proposal)?,
                    Err(verdict) => return self.judged(index, verdict),
                },
            };
            self.doing(&approval.title);
            let answered = if approval.state == ApprovalState::Waiting {
                self.attempt.queue.waits(Some(Wait::Approval { id }))?;
                let Some(answered) = self.desk.wait(id, &self.attempt.cancel)? else {
                    // When the program ends, it waits again after the next start.
                    if !self.parts.ending.is_cancelled() {
                        self.desk.withdraw(id)?;
                    }
                    return Ok(());
                };
                answered
            } else {
                // The person answered while nothing ran.
                approval
            };
            self.attempt.queue.waits(None)?;
            match answered.state {
                ApprovalState::Denied { reason } => {
                    return self.judged(index, Verdict::Person { approval: id, allowed: false, reason });
                }
                ApprovalState::Withdrawn => return Err(ApiError::cancelled()),
                ApprovalState::Waiting => {}
                ApprovalState::Allowed | ApprovalState::AllowedAlways | ApprovalState::Replied { .. } => {
                    let (tool, proposal) = match self.proposed(&call)? {
                        Ok((tool, proposal, _)) => (tool, proposal),
                        Err(verdict) => return self.judged(index, verdict),
                    };
                    if proposal.action != answered.action {
                        // What the person saw is not what would be done now.
                        let id = ApprovalId(self.parts.ids.next());
                        let now = proposal.action.clone();
                        self.recorder.change(index, 0, |kind| {
                            if let StepKind::Tool { action, verdict, .. } = kind {
                                *action = now;
                                *verdict = Verdict::Waits { approval: id };
                            }
                        })?;
                        continue;
                    }
                    let reason = match answered.state {
                        ApprovalState::Replied { text } => text,
                        _ => String::new(),
                    };
                    self.judged(index, Verdict::Person { approval: id, allowed: true, reason })?;
                    return self.run(index, &*tool, &call, &proposal);
                }
            }
        }
    }

    fn waiting(&self, index: u32) -> Option<(ToolCall, ApprovalId)> {
        match &self.recorder.step(index)?.kind {
            StepKind::Tool { call, verdict: Verdict::Waits { approval }, .. } => Some((call.clone(), *approval)),
            _ => None,
        }
    }

    fn put_question(
        &self,
        index: u32,
        id: ApprovalId,
        call: &ToolCall,
        proposal: &Proposal,
    ) -> Result<crate::model::Approval, ApiError> {
        let titles: Vec<String> = self.before.iter().map(|(title, _)| title.clone()).collect();
        let steps = &self.recorder.steps()[..index as usize];
        let effect = |name: &str| (self.parts.tools)(name).map(|tool| tool.spec().effect);
        self.desk.ask(Question {
            id,
            agent: &self.agent,
            task: Some(&self.attempt.task),
            run: self.recorder.run().id,
            call,
            proposal,
            influenced_by: approvals::influences(Some(&self.attempt.task), &titles, steps, effect),
        })
    }

    fn judged(&mut self, index: u32, now: Verdict) -> Result<(), ApiError> {
        self.recorder.change(index, 0, |kind| {
            if let StepKind::Tool { verdict, .. } = kind {
                *verdict = now;
            }
        })
    }

    /// Goes on with a call that has no result: it waits for the person, or was cut off in the middle.
    fn take_up(&mut self, index: u32) -> Result<(), ApiError> {
        let Some(RunStep { kind: StepKind::Tool { call, action, verdict, error, .. }, .. }) =
            self.recorder.step(index).cloned()
        else {
            return Ok(());
        };
        let not_begun = error.is_some();
        if not_begun {
            // What the person saw and allowed is looked at again: it may be another thing by now.
            self.recorder.change(index, 0, |kind| {
                if let StepKind::Tool { verdict, error, .. } = kind {
                    *error = None;
                    if let Verdict::Person { approval, allowed: true, .. } = verdict {
                        *verdict = Verdict::Waits { approval: *approval };
                    }
                }
            })?;
            if matches!(verdict, Verdict::Person { .. }) {
                return self.wait(index);
            }
        }
        if matches!(verdict, Verdict::Waits { .. }) {
            return self.wait(index);
        }
        let (tool, proposal) = match self.proposed(&call)? {
            Ok((tool, proposal, _)) => (tool, proposal),
            Err(verdict) => return self.judged(index, verdict),
        };
        let again = tool.spec().repeatable || proposal.harmless || self.attempt.may_repeat;
        let same = proposal.action == action || !matches!(verdict, Verdict::Person { .. });
        if not_begun || (again && same) {
            return self.run(index, &*tool, &call, &proposal);
        }
        let error = ApiError::new(
            ErrorCategory::Processing,
            "the program ended during this call: nobody knows whether it was done, and it was not done again",
            "Look whether it was done before you go on.",
        );
        self.ended(index, 0, Err(error))
    }

    /// Makes the call of a step and keeps what came of it.
    fn run(&mut self, index: u32, tool: &dyn Tool, call: &ToolCall, proposal: &Proposal) -> Result<(), ApiError> {
        let spec = tool.spec();
        let effect = !spec.repeatable && !proposal.harmless;
        self.doing(&proposal.title);
        if effect {
            let begins = self.attempt.queue.effect_begins(&approvals::in_words(&spec, proposal));
            if let Err(error) = begins {
                // It was told to stop, and nothing has begun: that is known when the run is taken up.
                self.ended(index, 0, Err(next::not_begun()))?;
                return Err(error);
            }
        }
        let used = self.recorder.used();
        let scope = Scope { cancel: self.attempt.cancel.child_token(), ..self.scope.clone() };
        let timer = self.timer(used.ms_left(&self.agent.settings.budget), scope.cancel.clone());
        let begun = self.parts.clock.now();
        let result = catch_unwind(AssertUnwindSafe(|| tool.run(&call.arguments, proposal, &scope)));
        drop(timer);
        let ms = u64::try_from(self.parts.clock.now().0 - begun.0).unwrap_or(0);
        let result = result.unwrap_or_else(|panic| {
            let why = panics::text(panic.as_ref()).to_owned();
            tracing::error!(tool = call.tool, why, "a tool panicked");
            Err(ApiError::new(ErrorCategory::System, format!("the tool failed: {why}"), "Do it another way."))
        });
        if !effect && result.is_err() && self.parts.ending.is_cancelled() {
            // It is made again when the run is taken up.
            return Err(ApiError::cancelled());
        }
        self.ended(index, ms, result)?;
        if effect {
            self.attempt.queue.effect_ended()?;
        }
        Ok(())
    }

    /// Cancels when the time of the run is over.
    fn timer(&self, ms: u64, cancel: CancellationToken) -> Watch {
        Watch(self.parts.runtime.spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
            cancel.cancel();
        }))
    }

    fn ended(&mut self, index: u32, ms: u64, result: Result<ToolOutput, ApiError>) -> Result<(), ApiError> {
        self.recorder.change(index, ms, |kind| {
            if let StepKind::Tool { output, error, .. } = kind {
                match result {
                    Ok(given) => *output = Some(given),
                    Err(why) => *error = Some(why),
                }
            }
        })
    }
}

/// Lets an agent read a folder for this run; it comes first, so that paths are relative to it.
fn give(agent: &mut Agent, path: PathBuf) {
    let folders = &mut agent.settings.folders;
    let known = folders.iter().position(|folder| folder.path == path);
    let folder = known.map_or(AllowedFolder { path, write: false }, |place| folders.remove(place));
    folders.insert(0, folder);
}

/// A step of a crew says where it belongs, which is nothing for its agent; what the run works on stands in its place.
fn read_as(task: &Task, crew: Option<&StepWork>) -> Task {
    let input = match crew {
        Some(crew) => crew.input.clone().map_or(Value::Null, Value::String),
        None => task.input.clone(),
    };
    Task { input, ..task.clone() }
}

const REPEATED: &str = "the same call was made before:";

/// Whether a tool only reads or computes.
fn looks(spec: &ToolSpec) -> bool {
    matches!(spec.effect, ToolEffect::Reads | ToolEffect::Computes)
}

/// What a task of the runtime does until this is dropped.
struct Watch(tokio::task::JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// That the conversation had to be cut, in words; none when it fits.
fn shortening(shortened: usize, left_out: usize) -> Option<String> {
    match (shortened, left_out) {
        (0, 0) => None,
        (_, 0) => Some("Older results were shortened, because there is no room for all of them.".to_owned()),
        _ => Some("The first steps were left out, because there is no room for all of them.".to_owned()),
    }
}

/// What the model has not read before.
fn new_turns(turns: &[ChatTurn]) -> &[ChatTurn] {
    let last = turns.iter().rposition(|turn| turn.role == rspa_ml::generate::Role::Assistant);
    &turns[last.map_or(0, |at| at + 1)..]
}

#[cfg(test)]
mod tests;
