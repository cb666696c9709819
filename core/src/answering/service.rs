//! The service: stores what is asked, starts answers on threads of their own, stops them, and ends them in order.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use rspa_ml::Cancel;

use super::run::Run;
use super::turns::Turns;
use super::{AnswerSettings, ChatModels, CiteEmbedder, FindPassages, Publish};
use crate::api::request::chats::Sent;
use crate::api::{ApiError, ErrorCategory, Event};
use crate::clock::{Clock, Ids};
use crate::model::{
    Author, Chat, ChatId, Happening, Message, MessageId, MessageState, ProfileId, Question, TrashItem, Versions,
};
use crate::storage::trash::{self, Deletion};
use crate::storage::{Db, chats};

/// Answers that may wait or run at the same time.
const AT_ONCE: usize = 16;
/// Characters of a question.
const LONGEST_QUESTION: usize = 64 * 1024;
/// Characters of a title that is made from a question.
const TITLE: usize = 60;

/// What the service works with.
#[derive(Clone)]
pub struct Parts {
    pub main: Db,
    pub profile: ProfileId,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<Ids>,
    pub publish: Publish,
    /// Keeps what happened.
    pub happened: Arc<dyn Fn(Happening) + Send + Sync>,
    /// An answer begins, on its own thread: a test may let it panic here.
    pub turn: Arc<dyn Fn() + Send + Sync>,
    pub find: Arc<dyn FindPassages>,
    pub models: Arc<dyn ChatModels>,
    pub embedder: CiteEmbedder,
    pub settings: Arc<dyn Fn() -> AnswerSettings + Send + Sync>,
}

/// A handle to the service; clones share it.
#[derive(Clone)]
pub struct Answering {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub parts: Parts,
    pub turns: Turns,
    running: Mutex<HashMap<MessageId, Running>>,
    closing: AtomicBool,
}

struct Running {
    chat: ChatId,
    cancel: Cancel,
    /// None until the thread was started.
    thread: Option<JoinHandle<()>>,
}

/// A place among the running, given back if no thread takes it over.
struct Reserved {
    inner: Arc<Inner>,
    answer: MessageId,
    cancel: Cancel,
    started: bool,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.started {
            self.inner.running().remove(&self.answer);
        }
    }
}

impl Answering {
    /// Starts the service. Answers that were cut off when the program last ended become failed ones.
    ///
    /// # Errors
    /// The chats cannot be read.
    pub fn new(parts: Parts) -> Result<Self, ApiError> {
        let closed = chats::close_unfinished(&parts.main, parts.profile)?;
        if closed > 0 {
            tracing::info!(answers = closed, "answers were interrupted when the program last ended");
        }
        let inner =
            Inner { parts, turns: Turns::default(), running: Mutex::default(), closing: AtomicBool::new(false) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes a chat; an empty title is made from the first question.
    pub fn create_chat(&self, title: &str) -> Result<Chat, ApiError> {
        let parts = &self.inner.parts;
        let now = parts.clock.now();
        let chat = Chat {
            id: ChatId(parts.ids.next()),
            profile: parts.profile,
            title: clipped(title, 200),
            created: now,
            updated: now,
            folder: String::new(),
            pinned: false,
            branched_from: None,
        };
        chats::create(&parts.main, chat.clone())?;
        (parts.publish)(Event::ChatsChanged);
        let title = if chat.title.is_empty() { "A new chat" } else { &chat.title };
        (parts.happened)(Happening::new("chat.created", title).with("chat", chat.id));
        Ok(chat)
    }

    pub fn rename_chat(&self, chat: ChatId, title: &str) -> Result<Chat, ApiError> {
        let title = clipped(title, 200);
        if title.is_empty() {
            return Err(ApiError::validation("a chat needs a title", "Type a title."));
        }
        let parts = &self.inner.parts;
        let chat = chats::rename(&parts.main, parts.profile, chat, title)?;
        (parts.publish)(Event::ChatsChanged);
        (parts.happened)(Happening::new("chat.renamed", &chat.title).with("chat", chat.id));
        Ok(chat)
    }

    /// Stops the answers of the chat, then puts it into the trash.
    pub fn delete_chat(&self, chat: ChatId, deletion: Deletion) -> Result<TrashItem, ApiError> {
        for running in self.inner.running().values().filter(|running| running.chat == chat) {
            running.cancel.cancel();
        }
        self.inner.turns.wake();
        let parts = &self.inner.parts;
        let item = trash::chat(&parts.main, parts.profile, chat, deletion)?;
        (parts.publish)(Event::ChatsChanged);
        (parts.publish)(Event::TrashChanged);
        (parts.happened)(Happening::new("chat.deleted", &item.title).describe(&item.detail).with("chat", chat));
        Ok(item)
    }

    /// Stores the question and starts its answer.
    ///
    /// # Errors
    /// The question is empty or too long, the chat does not exist, or too many answers are waiting.
    pub fn send(&self, chat: ChatId, question: Question) -> Result<Sent, ApiError> {
        let started = Instant::now();
        let text = question.text.trim();
        if text.is_empty() {
            return Err(ApiError::validation("the question is empty", "Type a question."));
        }
        if text.chars().count() > LONGEST_QUESTION {
            return Err(ApiError::validation(
                format!("the question is longer than {LONGEST_QUESTION} characters"),
                "Shorten it, or add the text as a source and ask about it.",
            ));
        }
        let parts = &self.inner.parts;
        let asked = self.message(chat, Author::Person, text.to_owned(), MessageState::Complete);
        let answer = self.message(chat, Author::Model, String::new(), MessageState::Preparing);
        let place = self.reserve(chat, answer.id)?;
        chats::add_exchange(
            &parts.main,
            parts.profile,
            asked.clone(),
            answer.clone(),
            &question,
            clipped(text, TITLE),
        )?;
        for message in [&asked, &answer] {
            (parts.publish)(Event::MessageChanged { message: message.clone() });
        }
        (parts.publish)(Event::ChatsChanged);
        self.start(place, answer.clone(), Question { text: text.to_owned(), ..question }, started)?;
        Ok(Sent { question: asked, answer })
    }

    /// Answers once more, in the place of the old answer.
    ///
    /// # Errors
    /// The answer is still being made, or does not exist.
    pub fn retry(&self, chat: ChatId, message: MessageId) -> Result<Sent, ApiError> {
        let started = Instant::now();
        let place = self.reserve(chat, message)?;
        let parts = &self.inner.parts;
        let exchange = chats::exchange(&parts.main, parts.profile, chat, message)?;
        let answer = Message {
            created: parts.clock.now(),
            id: message,
            ..self.message(chat, Author::Model, String::new(), MessageState::Preparing)
        };
        chats::update(&parts.main, answer.clone())?;
        (parts.publish)(Event::MessageChanged { message: answer.clone() });
        self.start(place, answer.clone(), exchange.asked, started)?;
        Ok(Sent { question: exchange.question, answer })
    }

    /// Stops an answer; what was streamed stays. Nothing happens when it has ended already.
    pub fn stop(&self, message: MessageId) {
        if let Some(running) = self.inner.running().get(&message) {
            running.cancel.cancel();
        }
        self.inner.turns.wake();
    }

    /// Whether an answer is being made or waits for its turn.
    pub fn is_busy(&self) -> bool {
        !self.inner.running().is_empty()
    }

    /// Stops all answers and waits for their threads.
    pub fn shutdown(&self) {
        self.inner.closing.store(true, Ordering::Release);
        let threads: Vec<JoinHandle<()>> = {
            let mut running = self.inner.running();
            running.values().for_each(|running| running.cancel.cancel());
            running.values_mut().filter_map(|running| running.thread.take()).collect()
        };
        self.inner.turns.wake();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread that answered ended with a panic");
            }
        }
    }

    /// Looks for room and takes it in one step, so that two calls never answer into one message.
    fn reserve(&self, chat: ChatId, answer: MessageId) -> Result<Reserved, ApiError> {
        let mut running = self.inner.running();
        // Under the lock: the shutdown either sees this place, or this sees the shutdown.
        if self.inner.closing() {
            return Err(ApiError::cancelled());
        }
        if running.contains_key(&answer) {
            return Err(ApiError::validation("this answer is still being made", "Stop it first, or wait for it."));
        }
        if running.len() >= AT_ONCE {
            return Err(ApiError::validation(
                format!("{AT_ONCE} answers are waiting already"),
                "Wait for one, or stop one.",
            ));
        }
        let cancel = Cancel::new();
        running.insert(answer, Running { chat, cancel: cancel.clone(), thread: None });
        Ok(Reserved { inner: self.inner.clone(), answer, cancel, started: false })
    }

    fn message(&self, chat: ChatId, author: Author, text: String, state: MessageState) -> Message {
        Message {
            id: MessageId(self.inner.parts.ids.next()),
            chat,
            author,
            text,
            created: self.inner.parts.clock.now(),
            state,
            passages: Vec::new(),
            citations: Vec::new(),
            sentences: Vec::new(),
            stats: None,
            versions: Versions::default(),
            attachments: Vec::new(),
            choice: None,
            context: None,
        }
    }

    /// The thread gives the place up when it ends.
    fn start(
        &self,
        mut place: Reserved,
        answer: Message,
        question: Question,
        started: Instant,
    ) -> Result<(), ApiError> {
        let inner = self.inner.clone();
        let (id, cancel) = (place.answer, place.cancel.clone());
        let spawned = std::thread::Builder::new().name("answer".to_owned()).spawn(move || {
            let kept = answer.clone();
            let run = Run::new(&inner, answer, question, started, cancel);
            let execute = || {
                (inner.parts.turn)();
                run.execute();
            };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(execute)) {
                let error = crate::panics::error_of(panic.as_ref());
                // What told of the damage may do so again.
                let finished = catch_unwind(AssertUnwindSafe(|| inner.failed_unexpectedly(kept, error)));
                if finished.is_err() {
                    tracing::error!("the end of an answer could not be told");
                }
            }
        });
        match spawned {
            Ok(thread) => {
                place.started = true;
                if let Some(running) = self.inner.running().get_mut(&id) {
                    running.thread = Some(thread);
                }
                Ok(())
            }
            Err(error) => Err(ApiError::new(
                ErrorCategory::System,
                format!("no thread for the answer: {error}"),
                "Close other programs, then retry the answer.",
            )),
        }
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, HashMap<MessageId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Stores the message in its last state and tells everybody. A deleted chat takes its answers with it.
    pub fn finish(&self, message: Message) {
        let stored = chats::update(&self.parts.main, message.clone());
        // Before anybody hears of the end: who hears it may ask again at once.
        self.running().remove(&message.id);
        match stored {
            Ok(()) => {}
            Err(crate::storage::StorageError::NotFound(_)) => return,
            Err(error) => {
                tracing::error!(%error, "an answer cannot be stored");
                (self.parts.publish)(Event::Health {
                    part: "chats".to_owned(),
                    healthy: false,
                    detail: format!("an answer could not be stored: {error}"),
                });
            }
        }
        let (kind, why) = match &message.state {
            MessageState::Complete => (Some("answer.finished"), String::new()),
            MessageState::Stopped => (Some("answer.stopped"), String::new()),
            MessageState::Failed(error) => (Some("answer.failed"), error.message.clone()),
            MessageState::Preparing | MessageState::Streaming => (None, String::new()),
        };
        let stats = message.stats.clone();
        let id = message.chat;
        // What was asked tells more than how a sentence of the answer begins.
        let chat = chats::get(&self.parts.main, self.parts.profile, message.chat).map(|chat| chat.title);
        let title = chat.ok().filter(|title| !title.is_empty()).unwrap_or_else(|| clipped(&message.text, TITLE));
        (self.parts.publish)(Event::MessageChanged { message });
        if let Some(kind) = kind {
            let mut happening = Happening::new(kind, title).describe(why).with("chat", id);
            if let Some(stats) = stats {
                happening = happening.with("model", stats.model).with("tokens", stats.answer_tokens);
            }
            (self.parts.happened)(happening);
        }
    }

    fn failed_unexpectedly(&self, mut message: Message, error: ApiError) {
        let stored = chats::messages(&self.parts.main, self.parts.profile, message.chat);
        if let Some(stored) = stored.ok().and_then(|all| all.into_iter().find(|m| m.id == message.id)) {
            message = stored;
        }
        message.state = MessageState::Failed(error);
        self.finish(message);
    }
}

/// One line, at most so many characters, cut at a word with an ellipsis.
fn clipped(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most - 1).collect();
    let end = cut.rfind(' ').filter(|at| *at > most / 2).unwrap_or(cut.len());
    format!("{}…", &cut[..end])
}

#[cfg(test)]
mod tests;
