//! The router: gives a model that asks the response cache first, then the chosen model, then those behind it, and counts
//! every call.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

use rspa_ml::Cancel;
use rspa_ml::generate::{FinishReason, GenerateRequest, GenerateStats};
use tracing::Span;

use super::choose::{self, Candidate};
use super::remote::{RemoteModel, estimate};
use super::service::Gateway;
use crate::api::{ApiError, ErrorCategory};
use crate::clock::Clock;
use crate::inference::cache::{Asked, ResponseCache, key};
use crate::inference::{ChatModel, ModelEvent, ToolOffer, Wanted};
use crate::model::{Happening, ModelChoice, ModelId, ProviderId, TriedModel, UsageCall};
use crate::storage::responses::{Kept, Key};

/// The models inside this program.
pub trait Embedded: Send + Sync {
    /// Loads it if need be, which may take seconds; none is the default one.
    fn load(&self, id: Option<&ModelId>, cancel: &Cancel) -> Result<Arc<dyn ChatModel>, ApiError>;

    /// Why a model cannot be used, if it cannot; quickly.
    fn unusable(&self, id: &ModelId) -> Option<String>;
}

/// What the router works with.
pub struct RouterParts {
    pub gateway: Arc<Gateway>,
    pub embedded: Arc<dyn Embedded>,
    pub cache: Arc<ResponseCache>,
    pub clock: Arc<dyn Clock>,
    /// Counts a call.
    pub count: Box<dyn Fn(UsageCall) + Send + Sync>,
    /// The seed that the person fixed in the settings.
    pub seed: Box<dyn Fn() -> Option<u64> + Send + Sync>,
    pub happened: Box<dyn Fn(Happening) + Send + Sync>,
}

/// Gives models for what is wanted.
#[derive(Clone)]
pub struct Router(Arc<RouterParts>);

impl Router {
    pub fn new(parts: RouterParts) -> Self {
        Self(Arc::new(parts))
    }

    /// The model that is to answer, ready. Blocks.
    ///
    /// # Errors
    /// When none can be used; what was tried is in the words.
    pub fn model(&self, wanted: &Wanted, cancel: &Cancel) -> Result<Arc<dyn ChatModel>, ApiError> {
        let routing = self.0.gateway.routing()?;
        let unusable = |id: &ModelId| match id.split() {
            (provider, _) if provider.is_embedded() => self.0.embedded.unusable(id),
            (provider, _) => match self.0.gateway.server(&provider) {
                Ok(server) => server.unusable(),
                Err(error) => Some(error.message),
            },
        };
        let plan = choose::plan(wanted, &routing, &unusable);
        let mut line = Line {
            parts: self.0.clone(),
            candidates: plan.candidates,
            next: 0,
            tried: plan.tried,
            wanted: wanted.clone(),
        };
        let first = line.open(cancel)?;
        Ok(Arc::new(RoutedModel { line, first }))
    }
}

/// The candidates, and how far one is with them.
#[derive(Clone)]
struct Line {
    parts: Arc<RouterParts>,
    candidates: Vec<Candidate>,
    /// The candidate that is tried next.
    next: usize,
    tried: Vec<TriedModel>,
    wanted: Wanted,
}

/// A candidate that is ready.
#[derive(Clone)]
struct Ready {
    model: Arc<dyn ChatModel>,
    provider: ProviderId,
    /// Where it runs, for the key of the cache.
    place: String,
    reason: String,
}

impl Line {
    fn has_more(&self) -> bool {
        self.next < self.candidates.len()
    }

    /// The next candidate that is ready.
    fn open(&mut self, cancel: &Cancel) -> Result<Ready, ApiError> {
        let mut last = None;
        while let Some(candidate) = self.candidates.get(self.next).cloned() {
            self.next += 1;
            match self.ready(&candidate, cancel) {
                Ok(ready) => return Ok(ready),
                Err(error) if cancel.is_cancelled() => return Err(error),
                Err(error) => {
                    self.passed_over(&candidate, &error);
                    last = Some(error);
                }
            }
        }
        let error = last.unwrap_or_else(ApiError::cancelled);
        Err(self.with_tried(error))
    }

    fn passed_over(&mut self, candidate: &Candidate, error: &ApiError) {
        let model = candidate.id.as_ref().map_or_else(|| "the default model".to_owned(), |id| id.0.clone());
        tracing::info!(model, %error, "a model could not be used");
        self.tried.push(TriedModel { model, why: error.message.clone() });
    }

    /// The last error, with what went wrong before it.
    fn with_tried(&self, mut error: ApiError) -> ApiError {
        if self.tried.len() > 1 {
            let before: Vec<String> = self.tried[..self.tried.len() - 1]
                .iter()
                .take(4)
                .map(|tried| format!("{}: {}", tried.model, tried.why))
                .collect();
            error.message = format!("{} (tried before: {})", error.message, before.join("; "));
        }
        error
    }

    fn ready(&self, candidate: &Candidate, cancel: &Cancel) -> Result<Ready, ApiError> {
        let reason = candidate.reason.clone();
        match candidate.id.as_ref().map(|id| (id, id.split())) {
            Some((_, (provider, name))) if !provider.is_embedded() => {
                let server = self.parts.gateway.server(&provider)?;
                let info = self.parts.gateway.describe(&server, name, cancel)?;
                let place = format!("{:?} {}", server.draft().kind, server.draft().base_url);
                let model = Arc::new(RemoteModel::new(server, name, info));
                Ok(Ready { model, provider, place, reason })
            }
            _ => {
                let model = self.parts.embedded.load(candidate.id.as_ref(), cancel)?;
                Ok(Ready { model, provider: ProviderId::embedded(), place: String::new(), reason })
            }
        }
    }

    fn choice(&self, ready: &Ready, cached: bool) -> ModelChoice {
        ModelChoice {
            provider: ready.provider.0.clone(),
            model: ready.model.id().to_owned(),
            reason: ready.reason.clone(),
            tried: self.tried.clone(),
            cached,
        }
    }

    fn count(&self, ready: &Ready, stats: Option<&GenerateStats>, said: &str, seconds: f64, cached: bool) {
        (self.parts.count)(UsageCall {
            provider: ready.provider.0.clone(),
            model: ready.model.id().to_owned(),
            agent: self.wanted.agent.as_ref().map(|(_, name)| name.clone()),
            prompt_tokens: stats.map_or(0, |stats| stats.prompt_tokens as u64),
            answer_tokens: match stats {
                Some(stats) => stats.answer_tokens as u64,
                None if cached => 0,
                None => estimate(said) as u64,
            },
            seconds,
            cached,
            failed: stats.is_none() && !cached,
        });
    }
}

/// A model that was chosen, with those behind it.
struct RoutedModel {
    line: Line,
    first: Ready,
}

/// What is asked.
struct Question {
    request: GenerateRequest,
    /// None where no calls are wanted.
    tools: Option<Vec<ToolOffer>>,
    cancel: Cancel,
}

impl Question {
    fn ask(&self, model: &dyn ChatModel) -> Result<Receiver<ModelEvent>, ApiError> {
        match &self.tools {
            Some(tools) => model.generate_call(self.request.clone(), tools, self.cancel.clone()),
            None => model.generate(self.request.clone(), self.cancel.clone()),
        }
    }
}

impl ChatModel for RoutedModel {
    fn id(&self) -> &str {
        self.first.model.id()
    }

    fn context_length(&self) -> usize {
        self.first.model.context_length()
    }

    fn parameters(&self) -> Option<u64> {
        self.first.model.parameters()
    }

    fn count_tokens(&self, text: &str) -> Result<usize, ApiError> {
        self.first.model.count_tokens(text)
    }

    fn generate(&self, request: GenerateRequest, cancel: Cancel) -> Result<Receiver<ModelEvent>, ApiError> {
        self.start(Question { request, tools: None, cancel })
    }

    fn generate_call(
        &self,
        request: GenerateRequest,
        tools: &[ToolOffer],
        cancel: Cancel,
    ) -> Result<Receiver<ModelEvent>, ApiError> {
        self.start(Question { request, tools: Some(tools.to_vec()), cancel })
    }
}

impl RoutedModel {
    fn start(&self, question: Question) -> Result<Receiver<ModelEvent>, ApiError> {
        let (tell, told) = mpsc::channel();
        let parts = &self.line.parts;
        let asks_cache = !self.line.wanted.fresh && !self.line.wanted.uncached && parts.cache.enabled();
        if asks_cache && let Some((kept, _tier)) = parts.cache.get(&self.line.key(&self.first, &question)) {
            self.line.count(&self.first, None, "", 0.0, true);
            let stats = GenerateStats {
                prompt_tokens: usize::try_from(kept.prompt_tokens).unwrap_or(0),
                answer_tokens: usize::try_from(kept.answer_tokens).unwrap_or(0),
                prefill_seconds: 0.0,
                decode_seconds: 0.0,
                time_to_first_token_seconds: 0.0,
                finish: finish_of(&kept.finish),
            };
            tell.send(ModelEvent::Chosen(self.line.choice(&self.first, true))).ok();
            tell.send(ModelEvent::Text(kept.text.clone())).ok();
            tell.send(ModelEvent::Finished(stats)).ok();
            return Ok(told);
        }
        let mut running = Running { line: self.line.clone(), question, tell };
        let first = running.ask(self.first.clone())?;
        let span = Span::current();
        let work = move || span.in_scope(|| running.run(first));
        std::thread::Builder::new().name("routed generation".to_owned()).spawn(work).map_err(|error| {
            ApiError::new(ErrorCategory::System, format!("no thread for the model: {error}"), "Close other programs.")
        })?;
        Ok(told)
    }
}

impl Line {
    fn key(&self, ready: &Ready, question: &Question) -> Key {
        let fixed = (self.parts.seed)().filter(|seed| *seed == question.request.sampling.seed);
        key(&Asked {
            profile: self.parts.cache.profile(),
            model: ready.model.id(),
            place: &ready.place,
            request: &question.request,
            tools: question.tools.as_deref().unwrap_or_default(),
            seed: fixed,
        })
    }
}

fn finish_name(finish: FinishReason) -> Option<&'static str> {
    match finish {
        FinishReason::EndOfText => Some("end_of_text"),
        FinishReason::StopText => Some("stop_text"),
        // What was cut is not the answer.
        FinishReason::MaxTokens | FinishReason::ContextFull | FinishReason::Cancelled => None,
    }
}

fn finish_of(name: &str) -> FinishReason {
    if name == "stop_text" { FinishReason::StopText } else { FinishReason::EndOfText }
}

/// How one candidate ended.
enum Ended {
    Said,
    /// Before it said anything; the next one may.
    Failed(ApiError),
}

struct Running {
    line: Line,
    question: Question,
    tell: Sender<ModelEvent>,
}

type Stream = (Ready, Receiver<ModelEvent>);

impl Running {
    /// Asks this one, or the next that takes the question.
    fn ask(&mut self, mut ready: Ready) -> Result<Stream, ApiError> {
        loop {
            match self.question.ask(ready.model.as_ref()) {
                Ok(stream) => return Ok((ready, stream)),
                Err(error) => ready = self.after(&ready, error)?,
            }
        }
    }

    /// The next one that is ready, after this one failed.
    fn after(&mut self, failed: &Ready, error: ApiError) -> Result<Ready, ApiError> {
        if self.question.cancel.is_cancelled() || !self.line.has_more() {
            return Err(error);
        }
        let why = error.message.clone();
        self.line.tried.push(TriedModel { model: failed.model.id().to_owned(), why });
        self.line.open(&self.question.cancel)
    }

    fn run(mut self, mut stream: Stream) {
        loop {
            let (ready, events) = stream;
            self.say(ModelEvent::Chosen(self.line.choice(&ready, false)));
            let error = match self.listen(&ready, events) {
                Ended::Said => return,
                Ended::Failed(error) => error,
            };
            let next = self.after(&ready, error).and_then(|ready| self.ask(ready));
            stream = match next {
                Ok(stream) => stream,
                Err(error) => {
                    return self.say(ModelEvent::Failed { error, unfinished: false, partial: String::new() });
                }
            };
        }
    }

    /// Whoever listened may have gone: then the answer is not wanted any more.
    fn say(&self, event: ModelEvent) {
        if self.tell.send(event).is_err() {
            self.question.cancel.cancel();
        }
    }

    fn listen(&self, ready: &Ready, events: Receiver<ModelEvent>) -> Ended {
        let (begun, mut text) = (Instant::now(), String::new());
        for event in events {
            match event {
                ModelEvent::Text(piece) => {
                    text.push_str(&piece);
                    self.say(ModelEvent::Text(piece));
                }
                ModelEvent::Finished(stats) => {
                    let seconds = stats.prefill_seconds + stats.decode_seconds;
                    self.line.count(ready, Some(&stats), &text, seconds, false);
                    self.finished(ready, text, stats);
                    return Ended::Said;
                }
                ModelEvent::Failed { error, unfinished, partial } => {
                    let seconds = begun.elapsed().as_secs_f64();
                    self.line.count(ready, None, &text, seconds, false);
                    let said_nothing = text.is_empty() && !unfinished;
                    if said_nothing && self.line.has_more() && !self.question.cancel.is_cancelled() {
                        return Ended::Failed(error);
                    }
                    let error = if said_nothing { self.line.with_last(ready, error) } else { error };
                    self.say(ModelEvent::Failed { error, unfinished, partial });
                    return Ended::Said;
                }
                other @ (ModelEvent::Prefill { .. } | ModelEvent::Chosen(_)) => self.say(other),
            }
        }
        self.line.count(ready, None, &text, begun.elapsed().as_secs_f64(), false);
        let error = ApiError::from(rspa_ml::Error::WorkerGone);
        if text.is_empty() && self.line.has_more() && !self.question.cancel.is_cancelled() {
            return Ended::Failed(error);
        }
        self.say(ModelEvent::Failed { error, unfinished: false, partial: text });
        Ended::Said
    }

    /// The answer is whole: kept where it may be, told, and the detour of it noted.
    fn finished(&self, ready: &Ready, text: String, stats: GenerateStats) {
        let parts = &self.line.parts;
        let finish = finish_name(stats.finish).filter(|_| !self.question.cancel.is_cancelled());
        let keeps = !self.line.wanted.uncached && !text.is_empty() && parts.cache.enabled();
        let kept = finish.filter(|_| keeps).map(|finish| {
            let kept = Arc::new(Kept {
                text,
                stored: parts.clock.now(),
                prompt_tokens: stats.prompt_tokens as u64,
                answer_tokens: stats.answer_tokens as u64,
                finish: finish.to_owned(),
            });
            let key = self.line.key(ready, &self.question);
            // At hand before anybody can ask again.
            parts.cache.remember(key, &kept);
            (key, kept)
        });
        self.say(ModelEvent::Finished(stats));
        if let Some((key, kept)) = kept {
            parts.cache.store(key, &kept);
        }
        if !self.line.tried.is_empty() && !self.line.wanted.offline {
            let first = &self.line.tried[0];
            let title = format!("{} answered in place of {}", ready.model.id(), first.model);
            let mut happening = Happening::new("provider.fallback", title).describe(&first.why);
            happening.agent = self.line.wanted.agent.as_ref().map(|(_, name)| name.clone());
            for (number, tried) in self.line.tried.iter().enumerate() {
                happening = happening.with(&format!("tried {}", number + 1), format!("{}: {}", tried.model, tried.why));
            }
            (parts.happened)(happening);
        }
    }
}

impl Line {
    /// The error of the last one that was tried, with those before it.
    fn with_last(&self, ready: &Ready, error: ApiError) -> ApiError {
        let mut line = self.clone();
        line.tried.push(TriedModel { model: ready.model.id().to_owned(), why: error.message.clone() });
        line.with_tried(error)
    }
}

#[cfg(test)]
mod tests;
