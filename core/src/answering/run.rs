//! One answer from search to citations: what is found is told first, then the text streams, then it is checked.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use rspa_ml::Cancel;
use rspa_ml::generate::{FinishReason, GenerateRequest, GenerateStats, Prompt, Role};

use super::attach::Restriction;
use super::prepare::{self, Material, Prepared, Turn};
use super::repetition;
use super::service::Inner;
use super::words;
use super::{AnswerSettings, Found, cite};
use crate::api::{ApiError, ErrorCategory, Event};
use crate::inference::{ChatModel, ModelEvent, Wanted};
use crate::model::{AnswerStats, Attachment, ChatId, Message, MessageState, Origin, Question, WorkKind};
use crate::storage::chats;

/// At most about 30 pieces a second are told.
const TELL_EVERY: Duration = Duration::from_millis(33);
/// What a crash can cost of a streaming answer.
const KEEP_EVERY: Duration = Duration::from_secs(1);
pub const NOTHING_FOUND: &str =
    "*Nothing in your sources answers this. What follows is from the model's own knowledge and was not checked.*\n\n";
pub const NO_SOURCES: &str =
    "*There is nothing in your sources yet. What follows is from the model's own knowledge and was not checked.*\n\n";

/// How an answer came to be wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkOn {
    New,
    /// The same was asked before.
    Again,
    /// It ended before it was complete.
    Continued,
}

/// An answer to be made.
pub struct Work {
    pub answer: Message,
    pub question: Question,
    pub attachments: Vec<Attachment>,
    pub kind: WorkOn,
}

pub struct Run<'a> {
    inner: &'a Inner,
    message: Message,
    question: Question,
    attachments: Vec<Attachment>,
    /// It is not answered from the response cache.
    fresh: bool,
    /// It goes on where it ended.
    continues: bool,
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
    pub fn new(inner: &'a Inner, work: Work, started: Instant, cancel: Cancel) -> Self {
        let settings = (inner.parts.settings)();
        let continues = work.kind == WorkOn::Continued;
        let stats = work.answer.stats.clone().filter(|_| continues).unwrap_or_default();
        Self {
            inner,
            message: work.answer,
            question: work.question,
            attachments: work.attachments,
            fresh: work.kind != WorkOn::New,
            continues,
            settings,
            cancel,
            started,
            stats,
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
        self.stats.ttft_ms = self.first_token.map_or(self.stats.ttft_ms, |at| milliseconds(at - self.started));
        self.message.stats = Some(self.stats.clone()).filter(|stats| !stats.model.is_empty());
        self.inner.finish(self.message);
    }

    fn answer(&mut self) -> Result<(), ApiError> {
        let inner = self.inner;
        let found = if self.continues { self.found_before() } else { self.search()? };
        // Only what runs in this process waits for its turn: a server answers several at once.
        let is_elsewhere = self.question.model.as_ref().is_some_and(|model| model.0.contains('/'));
        let turn = (!is_elsewhere).then(|| inner.turns.queue());
        if let Some(turn) = &turn {
            // Progress of nothing, of nothing: another answer is being made first.
            if !turn.wait(&self.cancel, || self.progress(0, 0)) {
                return Err(ApiError::cancelled());
            }
        }
        let wanted = Wanted {
            model: self.question.model.clone(),
            work: WorkKind::Chat,
            fresh: self.fresh,
            uncached: self.continues,
            ..Wanted::default()
        };
        let model = inner.parts.models.chat_model(&wanted, &self.cancel)?;
        model.id().clone_into(&mut self.stats.model);
        let ended = self.generate(model.as_ref(), found.as_ref())?;
        if let Some(stats) = ended.stats {
            self.measured(model.id(), &stats);
        }
        ended.error.map_or(Ok(()), Err)
    }

    /// What was found when the answer was begun.
    fn found_before(&self) -> Option<Found> {
        let searched = u64::from(!self.message.passages.is_empty());
        self.question.use_knowledge.then(|| Found { passages: self.message.passages.clone(), searched })
    }

    /// None when no search was wanted.
    fn search(&mut self) -> Result<Option<Found>, ApiError> {
        let restriction = self.inner.with_desk(&self.cancel, |desk| Restriction::of(desk, &self.attachments));
        // What is attached is searched, also where nothing else would be.
        self.question.use_knowledge |= !restriction.is_empty();
        if !self.question.use_knowledge {
            return Ok(None);
        }
        let begun = Instant::now();
        let text = self.search_text();
        let passages = self.settings.passages;
        let chat = self.message.chat;
        let found = find(self.inner, &text, &self.question, &restriction, (chat, passages), &self.cancel)?;
        self.stats.search_ms = milliseconds(begun.elapsed());
        self.message.passages.clone_from(&found.passages);
        (self.inner.parts.publish)(Event::PassagesFound {
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
        search_text(&self.question.text, &self.history())
    }

    /// Finished turns before this question, oldest first.
    fn history(&self) -> Vec<Turn> {
        let parts = &self.inner.parts;
        let all = chats::history(&parts.main, parts.profile, self.message.chat, self.message.id);
        let all = all.unwrap_or_else(|error| {
            tracing::warn!(%error, "the chat's history cannot be read");
            Vec::new()
        });
        // The last two are the question and this answer.
        prepare::turns(&all[..all.len().saturating_sub(2)])
    }

    /// The prompt, after the older turns were summarised if they no longer fit.
    fn prepare(
        &mut self,
        model: &dyn ChatModel,
        found: Option<&Found>,
        max_tokens: usize,
    ) -> Result<Prepared, ApiError> {
        let parts = &self.inner.parts;
        let turns = self.history();
        let kept = chats::summary(&parts.main, parts.profile, self.message.chat).unwrap_or_default();
        let so_far = if self.continues { self.message.text.as_str() } else { "" };
        let material = Material {
            question: &self.question.text,
            found,
            attachments: &self.attachments,
            turns: &turns,
            summary: kept.as_ref().map(|(upto, text)| (*upto, text.as_str())),
            so_far,
        };
        let prepared = prepare::prompt(model, material, max_tokens)?;
        if prepared.lost == 0 {
            return Ok(prepared);
        }
        let wanted = Wanted { model: self.question.model.clone(), work: WorkKind::Summary, ..Wanted::default() };
        let summary = parts.models.chat_model(&wanted, &self.cancel).and_then(|model| {
            let progress = |done, total| self.progress(done, total);
            prepare::summarise(model.as_ref(), material, max_tokens, &self.cancel, progress)
        });
        if self.cancel.is_cancelled() {
            return Err(ApiError::cancelled());
        }
        match summary {
            Ok(Some((upto, text))) => {
                let stored = chats::keep_summary(&parts.main, parts.profile, self.message.chat, upto, &text);
                if let Err(error) = stored {
                    tracing::warn!(%error, "the summary of a chat was not kept");
                }
                prepare::prompt(model, Material { summary: Some((upto, text.as_str())), ..material }, max_tokens)
            }
            Ok(None) => Ok(prepared),
            Err(error) => {
                // The older turns are left out, as the answer's context tells.
                tracing::warn!(%error, "older turns of a chat could not be summarised");
                Ok(prepared)
            }
        }
    }

    fn generate(&mut self, model: &dyn ChatModel, found: Option<&Found>) -> Result<Ended, ApiError> {
        let sampling = prepare::sampling(model, &self.settings, found);
        let prepared = self.prepare(model, found, sampling.max_tokens)?;
        let built = prepared.built;
        self.message.context = Some(prepared.context);
        match found {
            Some(found) if found.passages.is_empty() && !self.continues && self.attachments.is_empty() => {
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
            // A model that begins a turn of its own does not know that a word ended.
            let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let is_elsewhere = self.stats.model.contains('/');
            if is_elsewhere && joins(self.message.text.chars().next_back()) && joins(text.chars().next()) {
                self.untold.push(' ');
            }
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
        let before = if self.continues { self.stats.answer_tokens } else { 0 };
        self.stats.answer_tokens = before.saturating_add(count(stats.answer_tokens));
        self.stats.cut_off = matches!(stats.finish, FinishReason::MaxTokens | FinishReason::ContextFull);
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

/// The question, with the one before it where it has too few words of its own.
pub fn search_text(question: &str, history: &[Turn]) -> String {
    let content = words::tokens(question).iter().filter(|t| t.is_content()).count();
    let before = history.iter().rfind(|turn| turn.turn.role == Role::User);
    match before {
        Some(before) if content < 2 => format!("{} {question}", before.turn.content),
        _ => question.to_owned(),
    }
}

/// Searches what the question and its attachments allow; the chat that it is asked in says nothing new.
pub fn find(
    inner: &Inner,
    text: &str,
    question: &Question,
    restriction: &Restriction,
    (chat, passages): (ChatId, u32),
    cancel: &Cancel,
) -> Result<Found, ApiError> {
    let sources = if restriction.is_empty() { question.sources.clone() } else { restriction.searched() };
    // Of a few documents among many, more must be looked at.
    let looked_at = match (restriction.documents.is_empty(), sources.is_empty()) {
        (true, true) => passages,
        (true, false) => passages.saturating_mul(4).min(200),
        (false, _) => passages.saturating_mul(16).min(200),
    };
    let mut found = inner.parts.find.find(text, &sources, looked_at, cancel)?;
    found.passages.retain(|passage| {
        let elsewhere = !matches!(passage.origin, Origin::Chat { id, .. } if id == chat);
        elsewhere && (restriction.is_empty() || restriction.takes(passage.document, passage.source))
    });
    found.passages.truncate(passages as usize);
    Ok(found)
}
