//! `rspa chat`: one chat, line by line, or one message of it.

use std::io::{BufRead, IsTerminal, Read, Write};

use clap::Args;
use rspa_core::api::request::chats::{CreateChat, ListChats};
use rspa_core::model::ChatId;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Context;
use super::answer::{self, AnswerArguments, How};
use super::failure::Failure;
use super::output::one_line;
use super::session::Session;
use super::typed::{self, MAX_TEXT_BYTES};

#[derive(Args)]
pub struct ChatArguments {
    /// Go on with this chat instead of a new one
    #[arg(long, value_name = "ID")]
    chat: Option<String>,
    /// Send this one message and end
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// List the chats and end
    #[arg(long, conflicts_with_all = ["chat", "message"])]
    list: bool,
    #[command(flatten)]
    answer: AnswerArguments,
}

pub fn run(context: &Context, arguments: ChatArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    if arguments.list {
        return list(&session);
    }
    let how = How::new(&session, &arguments.answer)?;
    let given = match &arguments.chat {
        Some(id) => Some(known_chat(&session, id)?),
        None => None,
    };
    if let Some(message) = arguments.message {
        let message = typed::check(message, "message")?;
        return send(&session, &mut { given }, &how, message);
    }
    converse(&session, given, &how)
}

fn list(session: &Session) -> Result<(), Failure> {
    let chats = session.call(ListChats {})?;
    if session.output.json {
        let rows: Vec<Value> = chats
            .iter()
            .map(|row| {
                json!({ "id": row.chat.id, "title": row.chat.title, "messages": row.messages,
                        "updated": row.chat.updated, "preview": row.preview })
            })
            .collect();
        return session.output.json_line(&rows);
    }
    for row in &chats {
        session.output.line(&format!(
            "{}  {:>4} messages  {}",
            row.chat.id,
            row.messages,
            one_line(&row.chat.title)
        ))?;
    }
    Ok(())
}

fn known_chat(session: &Session, id: &str) -> Result<ChatId, Failure> {
    let known = session.call(ListChats {})?;
    known.iter().map(|row| row.chat.id).find(|chat| Ok(*chat) == id.parse()).ok_or_else(|| {
        Failure::validation(format!("there is no chat {}", one_line(id)), "Run rspa chat --list to see the chats.")
    })
}

/// Sends one message; the chat is made with the first one.
fn send(session: &Session, chat: &mut Option<ChatId>, how: &How, message: String) -> Result<(), Failure> {
    let id = match *chat {
        Some(id) => id,
        None => session.call(CreateChat { title: String::new() })?.id,
    };
    *chat = Some(id);
    let mut events = session.events()?;
    answer::ask(session, &mut events, id, how, message)
}

fn converse(session: &Session, given: Option<ChatId>, how: &How) -> Result<(), Failure> {
    let mut chat = given;
    let person = std::io::stdin().is_terminal();
    let mut lines = read_lines()?;
    let mut failed = None;
    if person {
        session.output.note("Type a message and press Enter; Ctrl-D ends.");
    }
    loop {
        if person {
            write!(std::io::stderr().lock(), "> ").ok();
        }
        let Some(line) = session.next_of(&mut lines)? else { break };
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        match send(session, &mut chat, how, line) {
            Ok(()) => {}
            // A conversation goes on after a failed answer, but the exit code tells of it.
            Err(failure @ (Failure::Api(_) | Failure::Partial { .. })) => {
                failure.report(session.output);
                failed = Some(Failure::Reported);
            }
            Err(failure) => return Err(failure),
        }
        if !session.output.json {
            session.output.line("")?;
        }
    }
    if let Some(chat) = chat
        && person
    {
        session.output.note(&format!("\nGo on with: rspa chat --chat {chat}"));
    }
    failed.map_or(Ok(()), Err)
}

/// Lines of standard input, read on a thread of their own so that an interrupt need not wait for one.
fn read_lines() -> Result<mpsc::Receiver<Result<String, Failure>>, Failure> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        loop {
            let line = next_line();
            let last = !matches!(line, Some(Ok(_)));
            if let Some(line) = line
                && sender.blocking_send(line).is_err()
            {
                return;
            }
            if last {
                return;
            }
        }
    })?;
    Ok(receiver)
}

fn next_line() -> Option<Result<String, Failure>> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_TEXT_BYTES as u64 + 1).read_until(b'\n', &mut bytes);
    match read {
        Ok(0) => None,
        Ok(_) => Some(typed::decode(bytes, "message").and_then(|text| match text.len() {
            length if length > MAX_TEXT_BYTES => typed::check(text, "message"),
            _ => Ok(text.trim_end_matches(['\n', '\r']).to_owned()),
        })),
        Err(error) => Some(Err(error.into())),
    }
}
