//! `rspa chat`: one chat, line by line, or one message of it; and all that can be done with chats.

mod verbs;

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::Path;

use clap::Args;
use rspa_core::api::request::chats::CreateChat;
use rspa_core::model::ChatId;
use tokio::sync::mpsc;

use super::Context;
use super::answer::{self, AnswerArguments, How};
use super::failure::Failure;
use super::session::Session;
use super::typed::{self, MAX_TEXT_BYTES};
use verbs::ChatVerb;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ChatArguments {
    #[command(subcommand)]
    verb: Option<ChatVerb>,
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
    if let Some(verb) = arguments.verb {
        return verbs::run(&session, verb);
    }
    if arguments.list {
        return verbs::list(&session, None, None);
    }
    let how = How::new(&session, &arguments.answer)?;
    let given = match &arguments.chat {
        Some(id) => Some(verbs::known_chat(&session, id)?),
        None => None,
    };
    if let Some(message) = arguments.message {
        let message = typed::check(message, "message")?;
        return send(&session, &mut { given }, &how, message);
    }
    converse(&session, given, how)
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

fn converse(session: &Session, given: Option<ChatId>, mut how: How) -> Result<(), Failure> {
    let mut chat = given;
    let person = std::io::stdin().is_terminal();
    let mut lines = read_lines()?;
    let mut failed = None;
    if person {
        session.output.note(
            "Type a message and press Enter; /attach PATH, /retry, /continue and /context do what they say; Ctrl-D ends.",
        );
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
        let done = match Typed::of(&line) {
            Typed::Message => {
                let done = send(session, &mut chat, &how, line);
                how.attachments.clear();
                done
            }
            Typed::Attach(path) => answer::attachment(Path::new(path)).map(|attached| how.attachments.push(attached)),
            Typed::Verb(verb) => verbs::last(session, chat, &how, verb),
        };
        match done {
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

/// What a line of the conversation is.
enum Typed<'a> {
    Message,
    Attach(&'a str),
    Verb(Last),
}

/// What is done with the last answer.
#[derive(Clone, Copy)]
enum Last {
    Retry,
    Continue,
    Context,
}

impl<'a> Typed<'a> {
    fn of(line: &'a str) -> Self {
        let line = line.trim();
        match line {
            "/retry" => Self::Verb(Last::Retry),
            "/continue" => Self::Verb(Last::Continue),
            "/context" => Self::Verb(Last::Context),
            _ => match line.strip_prefix("/attach ").map(str::trim) {
                Some(path) if !path.is_empty() => Self::Attach(path),
                _ => Self::Message,
            },
        }
    }
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
