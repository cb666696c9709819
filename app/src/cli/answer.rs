//! One question and its answer: streamed as it comes, then what supports it.

use std::path::{Path, PathBuf};

use clap::Args;
use rspa_core::api::request::chats::{GetMessages, SendQuestion, Sent, StopAnswer};
use rspa_core::api::{ApiError, Event, Heard};
use rspa_core::model::{
    ChatId, Mentioned, Message, MessageId, MessageState, ModelId, Passage, Question, SourceId, Stale,
};
use serde_json::{Value, json};

use super::failure::Failure;
use super::output::{one_line, path_text, with_path};
use super::session::{Events, Session};
use super::typed;

/// How a question is asked.
#[derive(Args)]
pub struct AnswerArguments {
    /// Answer with this model instead of the default one (see: rspa models list)
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// Do not search the documents first
    #[arg(long, conflicts_with = "source")]
    pub no_knowledge: bool,
    /// Search only in this source; may be given several times
    #[arg(long, value_name = "PATH")]
    pub source: Vec<PathBuf>,
    /// Give this file or folder along with the question; may be given several times
    #[arg(long, value_name = "PATH")]
    pub attach: Vec<PathBuf>,
}

/// The same, checked against what is there.
pub struct How {
    model: Option<ModelId>,
    use_knowledge: bool,
    sources: Vec<SourceId>,
    /// With the next question.
    pub attachments: Vec<Mentioned>,
    /// A second model for the same question.
    pub beside: Option<ModelId>,
}

impl How {
    pub fn new(session: &Session, arguments: &AnswerArguments) -> Result<Self, Failure> {
        Ok(Self {
            model: arguments.model.clone().map(ModelId),
            use_knowledge: !arguments.no_knowledge,
            sources: typed::sources_of(session, &arguments.source)?,
            attachments: arguments.attach.iter().map(|path| attachment(path)).collect::<Result<_, _>>()?,
            beside: None,
        })
    }

    pub fn question(&self, text: String) -> Question {
        Question {
            text,
            use_knowledge: self.use_knowledge,
            sources: self.sources.clone(),
            model: self.model.clone(),
            beside: self.beside.clone(),
            attachments: self.attachments.clone(),
        }
    }
}

/// A file or folder to attach.
///
/// # Errors
/// It is not there.
pub fn attachment(path: &Path) -> Result<Mentioned, Failure> {
    let there = std::fs::metadata(path).map_err(|error| {
        Failure::validation(format!("{} cannot be attached: {error}", path_text(path)), "Name a file or a folder.")
    })?;
    let path = std::path::absolute(path)?;
    Ok(if there.is_dir() { Mentioned::Folder { path } } else { Mentioned::File { path } })
}

/// Asks and prints the answer as text or JSON.
///
/// # Errors
/// When it ends early: with the text that had come.
pub fn ask(session: &Session, events: &mut Events, chat: ChatId, how: &How, text: String) -> Result<(), Failure> {
    let sent = session.call(SendQuestion { chat, question: how.question(text) })?;
    follow(session, events, &sent)
}

/// Prints an answer that was begun, and the one beside it.
///
/// # Errors
/// As [`ask`].
pub fn follow(session: &Session, events: &mut Events, sent: &Sent) -> Result<(), Failure> {
    for attached in &sent.question.attachments {
        if let Some(problem) = &attached.problem {
            session.output.note(&format!("{}: {}", one_line(&attached.title), one_line(problem)));
        }
    }
    // Of an answer that is continued, only what is new is printed.
    let mut stream = Stream { session, sent, printed: String::new(), before: sent.answer.text.clone() };
    let message = match stream.follow(events) {
        Ok(message) => message,
        Err(failure) => {
            stop(session, sent.answer.id);
            sent.answer.versions.beside.iter().for_each(|beside| stop(session, beside.id));
            return Err(failure);
        }
    };
    stream.finish_line()?;
    let mut beside = Vec::new();
    for other in &sent.answer.versions.beside {
        match wait_for(session, events, other) {
            Ok(message) => beside.push(message),
            Err(failure) => {
                stop(session, other.id);
                return Err(failure);
            }
        }
    }
    let end = print(session, &message, &beside);
    for message in std::iter::once(message).chain(beside) {
        match message.state {
            MessageState::Failed(error) => return Err(ended(error, message.text)),
            MessageState::Stopped => return Err(ended(ApiError::cancelled(), message.text)),
            _ => {}
        }
    }
    end
}

/// What follows the text of an answer.
fn print(session: &Session, message: &Message, beside: &[Message]) -> Result<(), Failure> {
    let is_whole = |message: &Message| message.state == MessageState::Complete;
    if session.output.json {
        if !is_whole(message) || !beside.iter().all(is_whole) {
            return Ok(());
        }
        let mut value = as_json(message);
        if !beside.is_empty() {
            value["beside"] = beside.iter().map(as_json).collect();
        }
        return session.output.json_line(&value);
    }
    if is_whole(message) {
        print_support(session, message)?;
    }
    for other in beside {
        let model = other.stats.as_ref().map(|stats| stats.model.as_str()).unwrap_or_default();
        session.output.line(&format!("\n--- beside it, {}:\n", one_line(model)))?;
        session.output.line(other.text.trim_end())?;
        if is_whole(other) {
            print_support(session, other)?;
        }
    }
    Ok(())
}

/// An answer whose text is not followed, once it is over.
fn wait_for(session: &Session, events: &mut Events, answer: &Message) -> Result<Message, Failure> {
    let is_over = |message: &Message| !matches!(message.state, MessageState::Preparing | MessageState::Streaming);
    loop {
        // It may have ended while another one was followed; if it has not, its end is still to be heard.
        let messages = session.call(GetMessages { chat: answer.chat })?;
        if let Some(message) = find(messages, answer.id).filter(is_over) {
            return Ok(message);
        }
        loop {
            match session.next_event(events)? {
                Heard::Event(envelope) => match envelope.event {
                    Event::MessageChanged { message } if message.id == answer.id && is_over(&message) => {
                        return Ok(message);
                    }
                    _ => {}
                },
                Heard::Gap(_) => break,
                Heard::Closed => {
                    return Err(Failure::system("the engine ended before the answer did", "Ask again."));
                }
            }
        }
    }
}

/// A message that is shown, or stands beside one.
fn find(messages: Vec<Message>, id: MessageId) -> Option<Message> {
    messages.into_iter().find_map(|mut message| {
        let beside = std::mem::take(&mut message.versions.beside);
        if message.id == id { Some(message) } else { beside.into_iter().find(|other| other.id == id) }
    })
}

fn ended(error: ApiError, text: String) -> Failure {
    if text.is_empty() { Failure::Api(error) } else { Failure::Partial { error, text } }
}

/// The reply does not matter: the core stops the answer at the latest when it shuts down.
fn stop(session: &Session, message: MessageId) {
    session.core.call(StopAnswer { message }).wait().ok();
}

struct Stream<'a> {
    session: &'a Session,
    sent: &'a Sent,
    printed: String,
    /// What the answer held before it was continued.
    before: String,
}

impl Stream<'_> {
    /// Prints what comes until the answer has ended.
    fn follow(&mut self, events: &mut Events) -> Result<Message, Failure> {
        let answer = self.sent.answer.id;
        loop {
            match self.session.next_event(events)? {
                Heard::Event(envelope) => match envelope.event {
                    Event::PassagesFound { message, passages, ms, .. } if message == answer => {
                        self.show_passages(&passages, ms);
                    }
                    Event::AnswerDelta { message, text, .. } if message == answer => self.show(&text)?,
                    Event::AnswerProgress { message, done, total, .. } if message == answer => {
                        self.session.output.progress(&format!("reading the prompt: {done} of {total} tokens"));
                    }
                    Event::MessageChanged { message } if message.id == answer => {
                        if let Some(message) = self.ended(message)? {
                            return Ok(message);
                        }
                    }
                    _ => {}
                },
                Heard::Gap(_) => {
                    let messages = self.session.call(GetMessages { chat: self.sent.answer.chat })?;
                    if let Some(message) = find(messages, answer)
                        && let Some(message) = self.ended(message)?
                    {
                        return Ok(message);
                    }
                }
                Heard::Closed => {
                    return Err(Failure::system("the engine ended before the answer did", "Ask again."));
                }
            }
        }
    }

    /// The message once it is over, with everything printed that had been missed.
    fn ended(&mut self, message: Message) -> Result<Option<Message>, Failure> {
        if matches!(message.state, MessageState::Preparing | MessageState::Streaming) {
            return Ok(None);
        }
        let printed = format!("{}{}", self.before, self.printed);
        if let Some(missed) = message.text.strip_prefix(printed.as_str()) {
            self.show(missed)?;
        }
        Ok(Some(message))
    }

    fn show(&mut self, text: &str) -> Result<(), Failure> {
        if self.session.output.json || text.is_empty() {
            return Ok(());
        }
        if self.printed.is_empty() {
            self.session.output.progress_done();
        }
        self.printed.push_str(text);
        self.session.output.text(text)
    }

    fn show_passages(&self, passages: &[Passage], ms: f64) {
        let output = self.session.output;
        if !output.watched() {
            return;
        }
        output.progress_done();
        if passages.is_empty() {
            output.note("Nothing in your documents fits the question.");
        } else {
            output.note(&format!("Found {} passages in {ms:.0} ms:", passages.len()));
        }
        for passage in passages {
            let heading = passage.heading.as_deref().map(one_line).unwrap_or_default();
            output.note(&format!("  {}  {heading}", place(passage, passage.start_line, passage.end_line)));
        }
        output.note("");
    }

    fn finish_line(&self) -> Result<(), Failure> {
        self.session.output.progress_done();
        if self.printed.is_empty() || self.printed.ends_with('\n') {
            return Ok(());
        }
        self.session.output.text("\n")
    }
}

/// Numbered citations, then the sentences that nothing supports.
fn print_support(session: &Session, message: &Message) -> Result<(), Failure> {
    let output = session.output;
    if !message.citations.is_empty() {
        output.line("\nSources:")?;
    }
    for (number, citation) in message.citations.iter().enumerate() {
        output.line(&format!(
            "[{}] {}",
            number + 1,
            place(&citation.passage, citation.start_line, citation.end_line)
        ))?;
        if let Some(stale) = citation.stale {
            output.line(&format!("    {}", stale_text(stale)))?;
        }
        for line in citation.quote.lines() {
            output.line(&format!("    | {line}"))?;
        }
    }
    let unsupported = unsupported(message);
    if !unsupported.is_empty() && !message.passages.is_empty() {
        output.line("\nNo passage supports:")?;
        for sentence in unsupported {
            output.line(&format!("  - {}", one_line(sentence)))?;
        }
    }
    if message.stats.as_ref().is_some_and(|stats| stats.cut_off) {
        output.note("\nIts budget of tokens ended here; it can be continued.");
    }
    if let Some(stats) = &message.stats
        && output.watched()
    {
        output.note(&format!(
            "\n{}: {} tokens at {:.1} a second, the first after {:.1} s",
            stats.model,
            stats.answer_tokens,
            stats.tok_s,
            stats.ttft_ms / 1000.0
        ));
    }
    Ok(())
}

/// Sentences that claim something which no passage supports.
fn unsupported(message: &Message) -> Vec<&str> {
    message
        .sentences
        .iter()
        .filter(|sentence| sentence.claims && sentence.citations.is_empty())
        .filter_map(|sentence| message.text.get(sentence.start as usize..sentence.end as usize))
        .map(str::trim)
        .collect()
}

pub fn stale_text(stale: Stale) -> &'static str {
    match stale {
        Stale::Changed => "The source has changed since.",
        Stale::Gone => "The source is not there any more.",
    }
}

pub fn place(passage: &Passage, start: u32, end: u32) -> String {
    let page = passage.page.map(|page| format!(" (page {page})")).unwrap_or_default();
    format!("{}:{start}-{end}{page}", path_text(&passage.path))
}

fn as_json(message: &Message) -> Value {
    let citations: Vec<Value> = message
        .citations
        .iter()
        .map(|citation| {
            with_path(
                &citation.passage.path,
                json!({
                    "start_line": citation.start_line,
                    "end_line": citation.end_line,
                    "quote": citation.quote,
                    "support": citation.support,
                    "page": citation.passage.page,
                    "heading": citation.passage.heading,
                    "hash": citation.passage.document_hash,
                    "stale": citation.stale,
                }),
            )
        })
        .collect();
    let stats = message.stats.clone().unwrap_or_default();
    json!({
        "answer": message.text,
        "model": stats.model,
        "citations": citations,
        "prompt_tokens": stats.prompt_tokens,
        "answer_tokens": stats.answer_tokens,
        "ttft_ms": stats.ttft_ms,
        "tok_s": stats.tok_s,
        "search_ms": stats.search_ms,
        "passages": message.passages.len(),
        "unsupported": unsupported(message),
        "chat": message.chat,
        "message": message.id,
        "cut_off": stats.cut_off,
    })
}
