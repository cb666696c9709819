//! What can be done with chats from the command line: list, search, sort into folders, branch, export, ask in them.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use rspa_core::api::request::chats::{
    BranchChat, ChooseVersion, ContinueAnswer, CreateChatFolder, DeleteChat, DeleteChatFolder, EditQuestion,
    ExportChat, GetMessages, ListChatFolders, ListChats, MoveChat, PinChat, PreviewContext, RenameChat,
    RenameChatFolder, RetryAnswer, SearchChats,
};
use rspa_core::model::{
    Author, Chat, ChatFormat, ChatHit, ChatId, ChatSummary, ContextKind, ContextUse, Message, MessageId, MessageState,
    ModelId,
};
use serde_json::{Value, json};

use super::Last;
use crate::cli::activities::moment;
use crate::cli::answer::{self, AnswerArguments, How};
use crate::cli::failure::Failure;
use crate::cli::output::{Output, one_line, path_text};
use crate::cli::session::Session;
use crate::cli::typed;

#[derive(Subcommand)]
pub enum ChatVerb {
    /// List the chats, pinned ones first
    List {
        /// Only those in this folder and the folders in it
        #[arg(long)]
        folder: Option<String>,
        /// Only those whose title or last message holds this
        #[arg(long)]
        text: Option<String>,
    },
    /// Show a chat as it is shown in the window
    Show { chat: String },
    /// Find chats and messages that hold all these words
    Search {
        #[arg(required = true)]
        words: Vec<String>,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Give a chat another title
    Rename { chat: String, title: String },
    /// Put a chat into a folder; without one, out of all
    Move { chat: String, folder: Option<String> },
    /// Keep a chat at the top
    Pin { chat: String },
    /// Let a chat go from the top
    Unpin { chat: String },
    /// List folders, or change them
    Folders {
        #[command(subcommand)]
        verb: Option<FolderVerb>,
    },
    /// Make a new chat of everything up to a message
    Branch {
        chat: String,
        /// Its number in the chat, or its id; the last one when not given
        #[arg(long, value_name = "N")]
        message: Option<String>,
    },
    /// Write a chat as Markdown or JSON
    Export {
        chat: String,
        /// A file that is not there yet; standard output when not given
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        #[arg(long, default_value = "markdown")]
        format: Format,
    },
    /// Put a chat into the trash
    Delete { chat: String },
    /// Ask in a chat; - reads the text from standard input
    Ask {
        chat: String,
        #[arg(required = true)]
        text: Vec<String>,
        /// Let a second model answer too
        #[arg(long, value_name = "ID")]
        beside: Option<String>,
        #[command(flatten)]
        answer: AnswerArguments,
    },
    /// Answer once more; the old answer stays as another version
    Retry {
        chat: String,
        /// Number or id of the answer; the last one when not given
        #[arg(long, value_name = "N")]
        message: Option<String>,
        /// Answer with this model
        #[arg(long, value_name = "ID")]
        model: Option<String>,
    },
    /// Ask a question again with another text; the chat goes on from it
    Edit {
        chat: String,
        #[arg(required = true)]
        text: Vec<String>,
        /// Number or id of the question; the last one when not given
        #[arg(long, value_name = "N")]
        message: Option<String>,
        #[command(flatten)]
        answer: AnswerArguments,
    },
    /// Go on with an answer that was stopped or ran out of tokens
    Continue {
        chat: String,
        /// Number or id of the answer; the last one when not given
        #[arg(long, value_name = "N")]
        message: Option<String>,
    },
    /// Show another version of a message; the chat goes on from it
    Choose {
        chat: String,
        /// Number or id of the message
        #[arg(long, value_name = "N")]
        message: String,
        /// From 1, the oldest; of an answer with another beside it, 0 takes that one
        #[arg(long, value_name = "N")]
        version: usize,
    },
    /// Show what fills the context: of the last answer, or of a question before it is asked
    Context {
        chat: String,
        text: Vec<String>,
        #[command(flatten)]
        answer: AnswerArguments,
    },
}

#[derive(Subcommand)]
pub enum FolderVerb {
    /// List them, empty ones too
    List,
    /// Make one; a / stands between a folder and one inside it
    Create { name: String },
    /// Rename one, with all inside it
    Rename { name: String, to: String },
    /// Remove one; its chats stay, without a folder
    Delete { name: String },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    Markdown,
    Json,
}

pub fn run(session: &Session, verb: ChatVerb) -> Result<(), Failure> {
    let chat = |name: &str| known_chat(session, name);
    match verb {
        ChatVerb::List { folder, text } => list(session, folder.as_deref(), text.as_deref()),
        ChatVerb::Show { chat: name } => show(session, chat(&name)?),
        ChatVerb::Search { words, limit } => search(session, words.join(" "), limit),
        ChatVerb::Rename { chat: name, title } => {
            changed(session, &session.call(RenameChat { chat: chat(&name)?, title })?)
        }
        ChatVerb::Move { chat: name, folder } => {
            let folder = folder.unwrap_or_default();
            changed(session, &session.call(MoveChat { chat: chat(&name)?, folder })?)
        }
        ChatVerb::Pin { chat: name } => changed(session, &session.call(PinChat { chat: chat(&name)?, pinned: true })?),
        ChatVerb::Unpin { chat: name } => {
            changed(session, &session.call(PinChat { chat: chat(&name)?, pinned: false })?)
        }
        ChatVerb::Folders { verb } => folders(session, verb.unwrap_or(FolderVerb::List)),
        ChatVerb::Branch { chat: name, message } => {
            let chat = chat(&name)?;
            let message = message_of(session, chat, message.as_deref(), None)?.id;
            changed(session, &session.call(BranchChat { chat, message })?)
        }
        ChatVerb::Export { chat: name, to, format } => export(session, chat(&name)?, to.as_deref(), format),
        ChatVerb::Delete { chat: name } => {
            let item = session.call(DeleteChat { chat: chat(&name)? })?;
            if session.output.json {
                session.output.json_line(&item)
            } else {
                session.output.line(&format!(
                    "In the trash: {} (rspa trash restore {})",
                    one_line(&item.title),
                    item.id
                ))
            }
        }
        ChatVerb::Ask { chat: name, text, beside, answer } => {
            let text = typed::text_of(&text, "question")?;
            let mut how = How::new(session, &answer)?;
            how.beside = beside.map(ModelId);
            answer::ask(session, &mut session.events()?, chat(&name)?, &how, text)
        }
        ChatVerb::Retry { chat: name, message, model } => {
            retry(session, chat(&name)?, message.as_deref(), model.map(ModelId))
        }
        ChatVerb::Edit { chat: name, text, message, answer } => {
            let text = typed::text_of(&text, "question")?;
            let chat = chat(&name)?;
            let question = How::new(session, &answer)?.question(text);
            let message = message_of(session, chat, message.as_deref(), Some(Author::Person))?.id;
            let mut events = session.events()?;
            let sent = session.call(EditQuestion { chat, message, question })?;
            answer::follow(session, &mut events, &sent)
        }
        ChatVerb::Continue { chat: name, message } => go_on(session, chat(&name)?, message.as_deref()),
        ChatVerb::Choose { chat: name, message, version } => {
            let chat = chat(&name)?;
            let shown = message_of(session, chat, Some(&message), None)?;
            let chosen = match version {
                0 => shown.versions.beside.first().map(|beside| beside.id),
                version => shown.versions.all.get(version - 1).copied(),
            };
            let message = chosen.ok_or_else(|| {
                let count = shown.versions.all.len().max(1);
                Failure::validation(
                    format!("there is no version {version} of it, but {count}"),
                    "Run rspa chat show CHAT.",
                )
            })?;
            session.call(ChooseVersion { chat, message })?;
            show(session, chat)
        }
        ChatVerb::Context { chat: name, text, answer } => {
            let chat = chat(&name)?;
            if text.is_empty() && answer.attach.is_empty() {
                return context_of_last(session, chat, &How::new(session, &answer)?);
            }
            let question = How::new(session, &answer)?.question(text.join(" "));
            print_context(session.output, &session.call(PreviewContext { chat, question })?)
        }
    }
}

/// What a line of a conversation asks of its last answer.
pub(super) fn last(session: &Session, chat: Option<ChatId>, how: &How, verb: Last) -> Result<(), Failure> {
    let chat = chat.ok_or_else(|| Failure::validation("nothing was asked yet", "Type a message first."))?;
    match verb {
        Last::Retry => retry(session, chat, None, None),
        Last::Continue => go_on(session, chat, None),
        Last::Context => context_of_last(session, chat, how),
    }
}

fn retry(session: &Session, chat: ChatId, message: Option<&str>, model: Option<ModelId>) -> Result<(), Failure> {
    let message = message_of(session, chat, message, Some(Author::Model))?.id;
    let mut events = session.events()?;
    let sent = session.call(RetryAnswer { chat, message, model })?;
    answer::follow(session, &mut events, &sent)
}

fn go_on(session: &Session, chat: ChatId, message: Option<&str>) -> Result<(), Failure> {
    let message = message_of(session, chat, message, Some(Author::Model))?.id;
    let mut events = session.events()?;
    let sent = session.call(ContinueAnswer { chat, message })?;
    answer::follow(session, &mut events, &sent)
}

/// A chat by its id, the end of it, or its title.
pub fn known_chat(session: &Session, name: &str) -> Result<ChatId, Failure> {
    let known = session.call(ListChats {})?;
    let wanted = name.trim().to_lowercase();
    let ends =
        |chat: &Chat| wanted.len() >= 4 && chat.id.to_string().replace('-', "").ends_with(&wanted.replace('-', ""));
    let by_id: Vec<ChatId> = known.iter().map(|row| &row.chat).filter(|chat| ends(chat)).map(|chat| chat.id).collect();
    let by_title =
        || known.iter().filter(|row| row.chat.title.to_lowercase() == wanted).map(|row| row.chat.id).collect();
    let found: Vec<ChatId> = if by_id.is_empty() { by_title() } else { by_id };
    match found[..] {
        [one] => Ok(one),
        [] => Err(Failure::validation(
            format!("there is no chat {}", one_line(name)),
            "Run rspa chat --list to see the chats.",
        )),
        _ => Err(Failure::validation(
            format!("{} chats are called {}", found.len(), one_line(name)),
            "Name it by its id: run rspa chat --list.",
        )),
    }
}

/// A shown message by its number or id; the last one of this author when it is not named.
fn message_of(
    session: &Session,
    chat: ChatId,
    named: Option<&str>,
    author: Option<Author>,
) -> Result<Message, Failure> {
    let messages = session.call(GetMessages { chat })?;
    let fits = |message: &Message| author.is_none_or(|author| author == message.author);
    let found = match named {
        None => messages.into_iter().rfind(fits),
        Some(name) => {
            let id = name.parse::<MessageId>().ok();
            let number = name.parse::<usize>().ok();
            messages
                .into_iter()
                .enumerate()
                .find(|(at, message)| Some(message.id) == id || Some(at + 1) == number)
                .map(|(_, message)| message)
                .filter(fits)
        }
    };
    found.ok_or_else(|| {
        let what = match author {
            Some(Author::Person) => "question",
            Some(Author::Model) => "answer",
            None => "message",
        };
        Failure::validation(format!("the chat has no such {what}"), "Run rspa chat show CHAT to see its messages.")
    })
}

pub fn list(session: &Session, folder: Option<&str>, text: Option<&str>) -> Result<(), Failure> {
    let mut chats = session.call(ListChats {})?;
    if let Some(folder) = folder {
        let below = format!("{folder}/");
        chats.retain(|row| row.chat.folder == folder || row.chat.folder.starts_with(&below));
    }
    if let Some(text) = text {
        let wanted = text.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&wanted);
        chats.retain(|row| holds(&row.chat.title) || holds(&row.preview));
    }
    chats.sort_by_key(|row| !row.chat.pinned);
    if session.output.json {
        let rows: Vec<Value> = chats.iter().map(as_json).collect();
        return session.output.json_line(&rows);
    }
    for row in &chats {
        let pin = if row.chat.pinned { "* " } else { "" };
        let folder =
            if row.chat.folder.is_empty() { String::new() } else { format!("{}: ", one_line(&row.chat.folder)) };
        session.output.line(&format!(
            "{}  {:>4} messages  {pin}{folder}{}",
            row.chat.id,
            row.messages,
            one_line(&row.chat.title)
        ))?;
    }
    Ok(())
}

fn as_json(row: &ChatSummary) -> Value {
    json!({ "id": row.chat.id, "title": row.chat.title, "messages": row.messages, "updated": row.chat.updated,
            "preview": row.preview, "folder": row.chat.folder, "pinned": row.chat.pinned,
            "branched_from": row.chat.branched_from })
}

fn changed(session: &Session, chat: &Chat) -> Result<(), Failure> {
    if session.output.json {
        return session.output.json_line(chat);
    }
    let mut words = format!("{}  {}", chat.id, one_line(&chat.title));
    if !chat.folder.is_empty() {
        words += &format!("  in {}", one_line(&chat.folder));
    }
    if chat.pinned {
        words += "  pinned";
    }
    session.output.line(&words)
}

fn show(session: &Session, chat: ChatId) -> Result<(), Failure> {
    let messages = session.call(GetMessages { chat })?;
    let output = session.output;
    if output.json {
        return output.json_line(&messages);
    }
    for (at, message) in messages.iter().enumerate() {
        let who = match message.author {
            Author::Person => "You",
            Author::Model => "Answer",
        };
        let version = message.versions.all.iter().position(|id| *id == message.id);
        let version = version
            .map_or_else(String::new, |version| format!(", version {} of {}", version + 1, message.versions.all.len()));
        output.line(&format!("[{}] {who}, {}{version}", at + 1, moment(message.created)))?;
        for attached in &message.attachments {
            let problem = attached.problem.as_deref().map(|why| format!(" ({})", one_line(why))).unwrap_or_default();
            output.line(&format!("    attached: {}{problem}", one_line(&attached.title)))?;
        }
        output.line(message.text.trim_end())?;
        for (number, citation) in message.citations.iter().enumerate() {
            let stale = citation.stale.map(|stale| format!("  {}", answer::stale_text(stale))).unwrap_or_default();
            let place = answer::place(&citation.passage, citation.start_line, citation.end_line);
            output.line(&format!("    [{}] {place}{stale}", number + 1))?;
        }
        match &message.state {
            MessageState::Failed(error) => output.line(&format!("(failed: {})", one_line(&error.message)))?,
            MessageState::Stopped => output.line("(stopped)")?,
            _ => {}
        }
        for beside in &message.versions.beside {
            let model = beside.stats.as_ref().map(|stats| stats.model.as_str()).unwrap_or_default();
            output.line(&format!("--- beside it, {}:", one_line(model)))?;
            output.line(beside.text.trim_end())?;
        }
        output.line("")?;
    }
    Ok(())
}

fn search(session: &Session, text: String, limit: u32) -> Result<(), Failure> {
    let hits: Vec<ChatHit> = session.call(SearchChats { text, limit })?;
    if session.output.json {
        return session.output.json_line(&hits);
    }
    if hits.is_empty() {
        session.output.note("No chat holds all these words.");
    }
    for hit in &hits {
        let what = if hit.message.is_some() { one_line(&hit.snippet) } else { "(its title)".to_owned() };
        session.output.line(&format!("{}  {}  {}\n    {what}", hit.chat, moment(hit.at), one_line(&hit.title)))?;
    }
    Ok(())
}

fn folders(session: &Session, verb: FolderVerb) -> Result<(), Failure> {
    match verb {
        FolderVerb::List => {}
        FolderVerb::Create { name } => session.call(CreateChatFolder { name })?,
        FolderVerb::Rename { name, to } => session.call(RenameChatFolder { name, to })?,
        FolderVerb::Delete { name } => session.call(DeleteChatFolder { name })?,
    }
    let all = session.call(ListChatFolders {})?;
    if session.output.json {
        return session.output.json_line(&all);
    }
    all.iter().try_for_each(|name| session.output.line(&one_line(name)))
}

fn export(session: &Session, chat: ChatId, to: Option<&Path>, format: Format) -> Result<(), Failure> {
    let format = match format {
        Format::Markdown => ChatFormat::Markdown,
        Format::Json => ChatFormat::Json,
    };
    let text = session.call(ExportChat { chat, format })?;
    let output = session.output;
    let Some(path) = to else {
        return if output.json && format == ChatFormat::Markdown {
            output.json_line(&json!({ "markdown": text }))
        } else {
            output.text(&text)
        };
    };
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| {
        Failure::validation(format!("{} cannot be made: {error}", path_text(path)), "Choose a name that is free.")
    })?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if output.json {
        output.json_line(&json!({ "path": path.to_string_lossy() }))
    } else {
        output.line(&format!("written: {}", path_text(path)))
    }
}

fn context_of_last(session: &Session, chat: ChatId, how: &How) -> Result<(), Failure> {
    let messages = session.call(GetMessages { chat })?;
    let context = messages.into_iter().rev().find_map(|message| message.context);
    let context = match context {
        Some(context) => context,
        None => session.call(PreviewContext { chat, question: how.question(String::new()) })?,
    };
    print_context(session.output, &context)
}

fn print_context(output: Output, context: &ContextUse) -> Result<(), Failure> {
    if output.json {
        return output.json_line(context);
    }
    let used: u32 = context.parts.iter().map(|part| part.tokens).sum();
    output.line(&format!("{used} of {} tokens", context.limit))?;
    for part in context.parts.iter().filter(|part| part.tokens > 0) {
        let name = match part.kind {
            ContextKind::System => "instructions",
            ContextKind::Tools => "tools",
            ContextKind::Summary => "summary of older turns",
            ContextKind::Attachments => "attachments",
            ContextKind::Passages => "passages",
            ContextKind::History => "turns before",
            ContextKind::Question => "question",
            ContextKind::Answer => "kept for the answer",
        };
        output.line(&format!("{:>8}  {name} ({})", part.tokens, part.count))?;
    }
    if !context.summary.is_empty() {
        output.line(&format!("\nThe summary:\n{}", context.summary.trim_end()))?;
    }
    if !context.dropped.is_empty() {
        output.line("\nLeft out:")?;
    }
    context.dropped.iter().try_for_each(|turn| output.line(&format!("  - {}", one_line(turn))))
}
