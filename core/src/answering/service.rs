//! The service: stores what is asked, starts answers on threads of their own, stops them, and ends them in order.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use rspa_ml::Cancel;

use super::attach::{self, Desk, Documents, Restriction};
use super::mentions::{self, Names};
use super::prepare::{self, Material};
use super::run::{self, Run, Work, WorkOn};
use super::turns::Turns;
use super::{AnswerSettings, ChatModels, CiteEmbedder, FindPassages, Publish};
use crate::api::request::chats::Sent;
use crate::api::{ApiError, ErrorCategory, Event};
use crate::clock::{Clock, Ids};
use crate::inference::Wanted;
use crate::model::{
    Author, Chat, ChatId, ContextUse, Happening, Mention, Message, MessageId, MessageState, ProfileId, Question,
    TrashItem, Versions, WorkKind,
};
use crate::storage::chats::Asked;
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
    pub documents: Documents,
    /// The program's own data, which is never attached with a folder.
    pub data: PathBuf,
    /// The person's, for paths that begin with `~`.
    pub home: Option<PathBuf>,
}

/// A handle to the service; clones share it.
#[derive(Clone)]
pub struct Answering {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub parts: Parts,
    pub turns: Turns,
    names: Names,
    running: Mutex<HashMap<MessageId, Running>>,
    closing: AtomicBool,
}

struct Running {
    chat: ChatId,
    question: MessageId,
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
        let inner = Inner {
            parts,
            turns: Turns::default(),
            names: Names::default(),
            running: Mutex::default(),
            closing: AtomicBool::new(false),
        };
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

    /// Stores the question and starts its answer, or two side by side.
    ///
    /// # Errors
    /// The question is empty or too long, the chat does not exist, or too many answers are waiting.
    pub fn send(&self, chat: ChatId, question: Question) -> Result<Sent, ApiError> {
        self.ask(chat, question, None)
    }

    /// Asks another version of a question; the chat goes on from it.
    ///
    /// # Errors
    /// As [`Self::send`], or the question does not exist.
    pub fn edit(&self, chat: ChatId, message: MessageId, question: Question) -> Result<Sent, ApiError> {
        self.ask(chat, question, Some(message))
    }

    fn ask(&self, chat: ChatId, question: Question, instead_of: Option<MessageId>) -> Result<Sent, ApiError> {
        let started = Instant::now();
        let text = checked(&question.text)?;
        let parts = &self.inner.parts;
        // Reading takes a while: nothing is read for a chat that is not there.
        chats::get(&parts.main, parts.profile, chat)?;
        let attachments = self.inner.with_desk(&Cancel::new(), |desk| attach::read_all(desk, &question.attachments))?;
        let asked = Message {
            attachments: attachments.clone(),
            ..self.message(chat, Author::Person, text.clone(), MessageState::Complete)
        };
        let question = Question { text: text.clone(), ..question };
        let mut answers = vec![(self.answer(chat), Question { beside: None, ..question.clone() })];
        if let Some(beside) = question.beside.clone().filter(|beside| Some(beside) != question.model.as_ref()) {
            answers.push((self.answer(chat), Question { model: Some(beside), beside: None, ..question }));
        }
        let mut places = Vec::new();
        for (answer, _) in &answers {
            places.push(self.reserve(chat, answer.id, None, asked.id)?);
        }
        let title = clipped(&text, TITLE);
        let new = Asked::Anew { question: asked.clone(), answers: answers.clone(), instead_of, title };
        chats::add(&parts.main, parts.profile, new)?;
        let sent = Sent {
            question: chats::message(&parts.main, parts.profile, chat, asked.id)?,
            answer: chats::message(&parts.main, parts.profile, chat, answers[0].0.id)?,
        };
        self.tell(&sent);
        for (place, (answer, question)) in places.into_iter().zip(answers) {
            let work = Work { answer, question, attachments: attachments.clone(), kind: WorkOn::New };
            self.start(place, work, started)?;
        }
        Ok(sent)
    }

    fn tell(&self, sent: &Sent) {
        for message in [&sent.question, &sent.answer] {
            (self.inner.parts.publish)(Event::MessageChanged { message: message.clone() });
        }
        (self.inner.parts.publish)(Event::ChatsChanged);
    }

    /// Answers once more, as another version of the old answer.
    ///
    /// # Errors
    /// An answer to this question is still being made, or does not exist.
    pub fn retry(
        &self,
        chat: ChatId,
        message: MessageId,
        model: Option<crate::model::ModelId>,
    ) -> Result<Sent, ApiError> {
        let started = Instant::now();
        let parts = &self.inner.parts;
        let exchange = chats::exchange(&parts.main, parts.profile, chat, message)?;
        let answer = self.answer(chat);
        let place = self.reserve(chat, answer.id, Some(exchange.question.id), exchange.question.id)?;
        let question = Question { model: model.or(exchange.asked.model.clone()), ..exchange.asked };
        let again = Asked::Again { answer: Box::new(answer.clone()), asked: question.clone(), instead_of: message };
        chats::add(&parts.main, parts.profile, again)?;
        let sent =
            Sent { answer: chats::message(&parts.main, parts.profile, chat, answer.id)?, question: exchange.question };
        self.tell(&sent);
        let attachments = sent.question.attachments.clone();
        self.start(place, Work { answer, question, attachments, kind: WorkOn::Again }, started)?;
        Ok(sent)
    }

    /// Goes on where an answer ended; the new text follows in the same message.
    ///
    /// # Errors
    /// An answer to this question is still being made, or there is none with text.
    pub fn continue_answer(&self, chat: ChatId, message: MessageId) -> Result<Sent, ApiError> {
        let started = Instant::now();
        let parts = &self.inner.parts;
        let exchange = chats::exchange(&parts.main, parts.profile, chat, message)?;
        let place = self.reserve(chat, message, Some(exchange.question.id), exchange.question.id)?;
        chats::continue_answer(&parts.main, parts.profile, chat, message)?;
        let sent =
            Sent { answer: chats::message(&parts.main, parts.profile, chat, message)?, question: exchange.question };
        (parts.publish)(Event::MessageChanged { message: sent.answer.clone() });
        let attachments = sent.question.attachments.clone();
        let answer = Message { versions: Versions::default(), ..sent.answer.clone() };
        // The same model goes on with its own words, unless another one was chosen for it.
        let model = exchange.asked.model.clone();
        let question = Question { model, ..exchange.asked };
        self.start(place, Work { answer, question, attachments, kind: WorkOn::Continued }, started)?;
        Ok(sent)
    }

    /// Shows a version of a message; the chat goes on from it.
    pub fn choose(&self, chat: ChatId, message: MessageId) -> Result<(), ApiError> {
        let parts = &self.inner.parts;
        chats::choose(&parts.main, parts.profile, chat, message)?;
        (parts.publish)(Event::ChatsChanged);
        Ok(())
    }

    /// A new chat with everything up to a message.
    pub fn branch(&self, chat: ChatId, message: MessageId) -> Result<Chat, ApiError> {
        let parts = &self.inner.parts;
        let from = chats::get(&parts.main, parts.profile, chat)?;
        let now = parts.clock.now();
        let title = if from.title.is_empty() { "Chat" } else { from.title.as_str() };
        let new = Chat {
            id: ChatId(parts.ids.next()),
            title: clipped(&format!("{} (branch)", clipped(title, 180)), 200),
            created: now,
            updated: now,
            pinned: false,
            branched_from: Some(chat),
            ..from
        };
        let ids = parts.ids.clone();
        let made = chats::branch(&parts.main, parts.profile, chat, message, new, move || ids.next())?;
        (parts.publish)(Event::ChatsChanged);
        (parts.happened)(Happening::new("chat.created", &made.title).with("chat", made.id));
        Ok(made)
    }

    /// What `@` and this text may mean.
    pub fn mentions(&self, text: &str, limit: u32) -> Result<Vec<Mention>, ApiError> {
        let parts = &self.inner.parts;
        let ground = mentions::Ground {
            main: &parts.main,
            profile: parts.profile,
            documents: &parts.documents,
            home: parts.home.as_deref(),
            names: &self.inner.names,
        };
        mentions::find(&ground, text, limit)
    }

    /// What would fill the context if this were asked now. Loads the model if need be.
    ///
    /// # Errors
    /// There is no model, or the question does not fit.
    pub fn preview(&self, chat: ChatId, mut question: Question, cancel: &Cancel) -> Result<ContextUse, ApiError> {
        let parts = &self.inner.parts;
        let shown = chats::messages(&parts.main, parts.profile, chat)?;
        let settings = (parts.settings)();
        let turns = prepare::turns(&shown);
        let (attachments, restriction) = self.inner.with_desk(cancel, |desk| {
            let attachments = attach::read_all(desk, &question.attachments)?;
            let restriction = Restriction::of(desk, &attachments);
            Ok::<_, ApiError>((attachments, restriction))
        })?;
        question.use_knowledge |= !restriction.is_empty();
        let found = if question.use_knowledge && !question.text.trim().is_empty() {
            let text = run::search_text(&question.text, &turns);
            Some(run::find(&self.inner, &text, &question, &restriction, (chat, settings.passages), cancel)?)
        } else {
            None
        };
        let wanted = Wanted { model: question.model.clone(), work: WorkKind::Chat, ..Wanted::default() };
        let model = parts.models.chat_model(&wanted, cancel)?;
        let kept = chats::summary(&parts.main, parts.profile, chat)?;
        let material = Material {
            question: question.text.trim(),
            found: found.as_ref(),
            attachments: &attachments,
            turns: &turns,
            summary: kept.as_ref().map(|(upto, text)| (*upto, text.as_str())),
            so_far: "",
        };
        let sampling = prepare::sampling(model.as_ref(), &settings, found.as_ref());
        Ok(prepare::prompt(model.as_ref(), material, sampling.max_tokens)?.context)
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

    /// Looks for room and takes it in one step, so that two calls never answer into one message. No other answer to the
    /// question `alone` may be under way.
    fn reserve(
        &self,
        chat: ChatId,
        answer: MessageId,
        alone: Option<MessageId>,
        question: MessageId,
    ) -> Result<Reserved, ApiError> {
        let mut running = self.inner.running();
        // Under the lock: the shutdown either sees this place, or this sees the shutdown.
        if self.inner.closing() {
            return Err(ApiError::cancelled());
        }
        if running.contains_key(&answer) || alone.is_some_and(|one| running.values().any(|r| r.question == one)) {
            return Err(ApiError::validation("this answer is still being made", "Stop it first, or wait for it."));
        }
        if running.len() >= AT_ONCE {
            return Err(ApiError::validation(
                format!("{AT_ONCE} answers are waiting already"),
                "Wait for one, or stop one.",
            ));
        }
        let cancel = Cancel::new();
        running.insert(answer, Running { chat, question, cancel: cancel.clone(), thread: None });
        Ok(Reserved { inner: self.inner.clone(), answer, cancel, started: false })
    }

    fn answer(&self, chat: ChatId) -> Message {
        self.message(chat, Author::Model, String::new(), MessageState::Preparing)
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
    fn start(&self, mut place: Reserved, work: Work, started: Instant) -> Result<(), ApiError> {
        let inner = self.inner.clone();
        let (id, cancel) = (place.answer, place.cancel.clone());
        let spawned = std::thread::Builder::new().name("answer".to_owned()).spawn(move || {
            let kept = work.answer.clone();
            let run = Run::new(&inner, work, started, cancel);
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

    /// Lets attachments be read.
    pub fn with_desk<T>(&self, cancel: &Cancel, work: impl FnOnce(&Desk<'_>) -> T) -> T {
        work(&Desk {
            main: &self.parts.main,
            profile: self.parts.profile,
            documents: &self.parts.documents,
            data: &self.parts.data,
            cancel,
        })
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
        // With its versions, which may be others by now; the rest of what is stored is older where it could not be written.
        let mut message = message;
        if let Ok(stored) = chats::message(&self.parts.main, self.parts.profile, id, message.id) {
            message.versions = stored.versions;
        }
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
        if let Ok(stored) = chats::message(&self.parts.main, self.parts.profile, message.chat, message.id) {
            message = stored;
        }
        message.state = MessageState::Failed(error);
        self.finish(message);
    }
}

/// The text of a question.
fn checked(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ApiError::validation("the question is empty", "Type a question."));
    }
    if text.chars().count() > LONGEST_QUESTION {
        return Err(ApiError::validation(
            format!("the question is longer than {LONGEST_QUESTION} characters"),
            "Shorten it, or attach the text as a file.",
        ));
    }
    Ok(text.to_owned())
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
