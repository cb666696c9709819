//! One answer from search to citations: what is found is told first, then the text streams, then it is checked.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use rspa_ml::Cancel;
use rspa_ml::generate::{ChatTurn, FinishReason, GenerateRequest, GenerateStats, Prompt, Role, SamplingParams};

use super::prompt::{self, Budget, Ground};
use super::repetition;
use super::service::Inner;
use super::words;
use super::{AnswerSettings, Found, cite};
use crate::api::{ApiError, ErrorCategory, Event};
use crate::inference::{ChatModel, ModelEvent, Wanted};
use crate::model::{AnswerStats, Author, Message, MessageState, Question, WorkKind};
use crate::storage::chats;

/// At most about 30 pieces a second are told.
const TELL_EVERY: Duration = Duration::from_millis(33);
/// What a crash can cost of a streaming answer.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// An answer from passages stays close to them.
const KNOWLEDGE_TEMPERATURE: f32 = 0.2;
const KNOWLEDGE_TOKENS: usize = 320;
/// Below this number of weights a model rambles when it is given room. Tried with SmolLM2-135M: it copies what the
/// passages say best when it is greedy and not punished for repeating their words.
const SMALL_MODEL: u64 = 1_000_000_000;
const SMALL_MODEL_TOKENS: usize = 96;
/// Where a small model begins to go on with the prompt instead of ending.
const RUNAWAY: &[&str] = &["\nQuestion:", "\nNote 1", "\nNote 2", "\nUser:", "```\nNote"];

pub const NOTHING_FOUND: &str =
    "*Nothing in your sources answers this. What follows is from the model's own knowledge and was not checked.*\n\n";
pub const NO_SOURCES: &str =
    "*There is nothing in your sources yet. What follows is from the model's own knowledge and was not checked.*\n\n";

pub struct Run<'a> {
    inner: &'a Inner,
    message: Message,
    question: Question,
    settings: AnswerSettings,
    cancel: Cancel,
    started: Instant,
    stats: AnswerStats,
    first_token: Option<Instant>,
    /// Text that was not told yet.
    untold: String,
    told_at: Instant,
    kept_at: Instant,
}

/// How the stream of a model ended.
struct Ended {
    stats: Option<GenerateStats>,
    error: Option<ApiError>,
}

impl<'a> Run<'a> {
    pub fn new(inner: &'a Inner, message: Message, question: Question, started: Instant, cancel: Cancel) -> Self {
        let settings = (inner.parts.settings)();
        Self {
            inner,
            message,
            question,
            settings,
            cancel,
            started,
            stats: AnswerStats::default(),
            first_token: None,
            untold: String::new(),
            told_at: started,
            kept_at: started,
        }
    }

    pub fn execute(mut self) {
        let outcome = self.answer();
        self.tell();
        let stopped = self.cancel.is_cancelled();
        self.message.state = match outcome {
            _ if stopped && self.inner.closing() => MessageState::Failed(ApiError::new(
                ErrorCategory::System,
                "the answer was interrupted because the program ended",
                "Retry the answer.",
            )),
            _ if stopped => MessageState::Stopped,
            Ok(()) => MessageState::Complete,
            Err(error) => MessageState::Failed(error),
        };
        self.check();
        self.stats.ttft_ms = self.first_token.map_or(0.0, |at| milliseconds(at - self.started));
        self.message.stats = Some(self.stats.clone()).filter(|stats| !stats.model.is_empty());
        self.inner.finish(self.message);
    }

    fn answer(&mut self) -> Result<(), ApiError> {
        let inner = self.inner;
        let found = self.search()?;
        let turn = inner.turns.queue();
        // Progress of nothing, of nothing: another answer is being made first.
        if !turn.wait(&self.cancel, || self.progress(0, 0)) {
            return Err(ApiError::cancelled());
        }
        let wanted = Wanted { model: self.question.model.clone(), work: WorkKind::Chat, ..Wanted::default() };
        let model = inner.parts.models.chat_model(&wanted, &self.cancel)?;
        model.id().clone_into(&mut self.stats.model);
        let ended = self.generate(model.as_ref(), found.as_ref())?;
        if let Some(stats) = ended.stats {
            self.measured(model.id(), &stats);
        }
        ended.error.map_or(Ok(()), Err)
    }

    /// None when no search was wanted.
    fn search(&mut self) -> Result<Option<Found>, ApiError> {
        if !self.question.use_knowledge {
            return Ok(None);
        }
        let begun = Instant::now();
        let text = self.search_text();
        let parts = &self.inner.parts;
        let found = parts.find.find(&text, &self.question.sources, self.settings.passages, &self.cancel)?;
        self.stats.search_ms = milliseconds(begun.elapsed());
        self.message.passages.clone_from(&found.passages);
        (parts.publish)(Event::PassagesFound {
            chat: self.message.chat,
            message: self.message.id,
            passages: found.passages.clone(),
            ms: self.stats.search_ms,
        });
        self.keep();
        Ok(Some(found))
    }

    /// A question of few words ("And how long?") is searched together with the one before it.
    fn search_text(&self) -> String {
        let content = words::tokens(&self.question.text).iter().filter(|t| t.is_content()).count();
        let before = self.history().into_iter().rfind(|turn| turn.role == Role::User);
        match before {
            Some(before) if content < 2 => format!("{} {}", before.content, self.question.text),
            _ => self.question.text.clone(),
        }
    }

    /// Finished turns before this question, oldest first.
    fn history(&self) -> Vec<ChatTurn> {
        let parts = &self.inner.parts;
        let all = chats::messages(&parts.main, parts.profile, self.message.chat).unwrap_or_else(|error| {
            tracing::warn!(%error, "the chat's history cannot be read");
            Vec::new()
        });
        let end = all.iter().position(|m| m.id == self.message.id).unwrap_or(all.len()).saturating_sub(1);
        all[..end]
            .iter()
            .filter(|m| matches!(m.state, MessageState::Complete | MessageState::Stopped) && !m.text.is_empty())
            .map(|m| ChatTurn {
                role: if m.author == Author::Person { Role::User } else { Role::Assistant },
                content: m.text.trim_start_matches(NOTHING_FOUND).trim_start_matches(NO_SOURCES).to_owned(),
            })
            .collect()
    }

    fn generate(&mut self, model: &dyn ChatModel, found: Option<&Found>) -> Result<Ended, ApiError> {
        let grounded = found.is_some_and(|found| !found.passages.is_empty());
        let small = model.parameters().is_some_and(|count| count < SMALL_MODEL);
        let mut sampling = SamplingParams { max_tokens: self.settings.max_tokens, ..self.settings.sampling.clone() };
        if grounded {
            sampling.temperature = sampling.temperature.min(KNOWLEDGE_TEMPERATURE);
            let most = if small { SMALL_MODEL_TOKENS } else { KNOWLEDGE_TOKENS };
            sampling.max_tokens = sampling.max_tokens.min(most);
            sampling.stop = RUNAWAY.iter().map(|text| (*text).to_owned()).collect();
            if small {
                sampling.temperature = 0.0;
                sampling.repeat_penalty = 1.0;
            }
        }
        let budget = Budget::new(model.context_length(), sampling.max_tokens, model.parameters());
        sampling.max_tokens = sampling.max_tokens.min(budget.answer);
        let ground = found.map_or(Ground::None, |found| Ground::Passages(&found.passages));
        let history = self.history();
        let built = prompt::build(&self.question.text, ground, &history, budget, &|text| model.count_tokens(text))?;
        match found {
            Some(found) if found.passages.is_empty() => {
                self.untold.push_str(if found.searched == 0 { NO_SOURCES } else { NOTHING_FOUND });
            }
            _ => {}
        }
        // Of its own, so that an answer that is ended here is complete and not stopped by the person.
        let end = Cancel::new();
        let events = model
            .generate(GenerateRequest { prompt: Prompt::Chat(built.turns), sampling, constraint: None }, end.clone())?;
        loop {
            if self.cancel.is_cancelled() {
                end.cancel();
            }
            match events.recv_timeout(TELL_EVERY) {
                Ok(ModelEvent::Prefill { done, total }) => self.progress(done, total),
                Ok(ModelEvent::Text(_)) if end.is_cancelled() => {}
                Ok(ModelEvent::Text(text)) => {
                    self.push(&text);
                    if self.goes_in_circles() {
                        end.cancel();
                    }
                }
                Ok(ModelEvent::Finished(stats)) => return Ok(Ended { stats: Some(stats), error: None }),
                Ok(ModelEvent::Chosen(choice)) => self.message.choice = Some(choice),
                Ok(ModelEvent::Failed { error, .. }) => return Ok(Ended { stats: None, error: Some(error) }),
                Err(RecvTimeoutError::Timeout) => self.tell_in_time(),
                Err(RecvTimeoutError::Disconnected) => {
                    return Ok(Ended { stats: None, error: Some(rspa_ml::Error::WorkerGone.into()) });
                }
            }
        }
    }

    fn progress(&self, done: usize, total: usize) {
        let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
        (self.inner.parts.publish)(Event::AnswerProgress {
            chat: self.message.chat,
            message: self.message.id,
            done: count(done),
            total: count(total),
        });
    }

    fn push(&mut self, text: &str) {
        // A model that begins with white space would begin a code block.
        let text = if self.message.text.is_empty() && self.untold.is_empty() { text.trim_start() } else { text };
        if text.is_empty() {
            return;
        }
        if self.first_token.is_none() {
            self.first_token = Some(Instant::now());
            self.message.state = MessageState::Streaming;
            self.untold.push_str(text);
            self.tell();
            self.keep();
            return;
        }
        self.untold.push_str(text);
        self.tell_in_time();
    }

    /// Takes repeated copies of a sentence from the end. True when there were some.
    fn goes_in_circles(&mut self) -> bool {
        let text = format!("{}{}", self.message.text, self.untold);
        let Some(length) = repetition::without_copies(&text) else { return false };
        self.tell();
        self.message.text.truncate(length);
        true
    }

    fn tell_in_time(&mut self) {
        if self.told_at.elapsed() >= TELL_EVERY {
            self.tell();
        }
        if self.kept_at.elapsed() >= KEEP_EVERY {
            self.keep();
        }
    }

    fn tell(&mut self) {
        self.told_at = Instant::now();
        if self.untold.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.untold);
        self.message.text.push_str(&text);
        (self.inner.parts.publish)(Event::AnswerDelta { chat: self.message.chat, message: self.message.id, text });
    }

    /// Stores what there is, so that a crash costs little.
    fn keep(&mut self) {
        self.kept_at = Instant::now();
        if let Err(error) = chats::update(&self.inner.parts.main, self.message.clone()) {
            // The chat was deleted, or the disk is full; the end of the answer tells.
            tracing::debug!(%error, "a streaming answer was not kept");
            if matches!(error, crate::storage::StorageError::NotFound(_)) {
                self.cancel.cancel();
            }
        }
    }

    fn measured(&mut self, model: &str, stats: &GenerateStats) {
        let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
        self.stats.prompt_tokens = count(stats.prompt_tokens);
        self.stats.answer_tokens = count(stats.answer_tokens);
        if stats.decode_seconds > 0.0 {
            self.stats.tok_s = stats.answer_tokens as f64 / stats.decode_seconds;
        }
        let parts = &self.inner.parts;
        let now = parts.clock.now();
        // A handful of tokens says nothing about the speed.
        if stats.answer_tokens >= 8 && stats.finish != FinishReason::Cancelled {
            parts.models.measured(model, self.stats.tok_s, now);
        }
        let seconds = stats.prefill_seconds + stats.decode_seconds;
        if let Err(error) = chats::add_model_seconds(&parts.main, parts.profile, now, seconds) {
            tracing::warn!(%error, "the model's working time was not counted");
        }
    }

    /// Splits the text into sentences and cites what the passages support. Plain chat is not checked.
    fn check(&mut self) {
        self.message.text.truncate(self.message.text.trim_end().len());
        if !self.question.use_knowledge || self.message.text.is_empty() {
            return;
        }
        let embedder = (self.inner.parts.embedder)();
        let cited = cite::cite(
            &self.message.text,
            &self.question.text,
            &self.message.passages,
            embedder.as_deref(),
            self.settings.citation_threshold,
        );
        self.message.sentences = cited.sentences;
        self.message.citations = cited.citations;
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
