//! `rspa trash`: what was deleted, and the way back.

use std::io::{BufRead, IsTerminal, Write};

use clap::{Args, Subcommand};
use rspa_core::api::request::trash::{DeleteTrashed, EmptyTrash, ListTrash, RestoreTrashed};
use rspa_core::api::{ApiError, ErrorCategory};
use rspa_core::model::{Page, PageRequest, TrashId, TrashItem, TrashKind};
use serde_json::json;

use super::Context;
use super::activities::moment;
use super::failure::Failure;
use super::output::{Output, one_line};
use super::session::Session;

/// Rows that are asked for at once.
const PAGE: u32 = 1_000;

#[derive(Args)]
pub struct TrashArguments {
    #[command(subcommand)]
    verb: Option<TrashVerb>,
}

#[derive(Subcommand)]
enum TrashVerb {
    /// List what lies in the trash, newest first
    List,
    /// Bring a thing back to where it was
    Restore { id: TrashId },
    /// Remove a thing for good, after asking
    Delete {
        id: TrashId,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Remove everything in the trash for good, after asking
    Empty {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub fn run(context: &Context, arguments: TrashArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    match arguments.verb.unwrap_or(TrashVerb::List) {
        TrashVerb::List => {
            let all = all(&session)?;
            if output.json {
                return output.json_line(&all);
            }
            if all.items.is_empty() {
                output.note("The trash is empty.");
            }
            all.items.iter().try_for_each(|item| show(output, item))
        }
        TrashVerb::Restore { id } => {
            let item = session.call(RestoreTrashed { id })?;
            if output.json { output.json_line(&item) } else { output.line(&format!("Restored: {}", title(&item))) }
        }
        TrashVerb::Delete { id, yes } => {
            let all = all(&session)?;
            let item = all.items.iter().find(|item| item.id == id).ok_or_else(unknown)?;
            confirm(yes, &format!("Delete {} for good?", title(item)))?;
            session.call(DeleteTrashed { id })?;
            if output.json { output.json_line(&json!({ "deleted": id })) } else { output.line("Deleted for good.") }
        }
        TrashVerb::Empty { yes } => {
            let count = all(&session)?.total;
            if count > 0 {
                confirm(yes, &format!("Delete {count} things for good?"))?;
            }
            let gone = session.call(EmptyTrash {})?;
            if output.json {
                output.json_line(&json!({ "deleted": gone }))
            } else {
                output.line(&format!("Deleted for good: {gone}"))
            }
        }
    }
}

fn all(session: &Session) -> Result<Page<TrashItem>, Failure> {
    let mut all = Page { items: Vec::new(), total: 0, offset: 0 };
    loop {
        let page = PageRequest { offset: all.items.len() as u64, limit: PAGE };
        let page = session.call(ListTrash { page })?;
        all.total = page.total;
        let more = page.items.len() == PAGE as usize;
        all.items.extend(page.items);
        if !more {
            return Ok(all);
        }
    }
}

fn show(output: Output, item: &TrashItem) -> Result<(), Failure> {
    let kind = match item.kind {
        TrashKind::Chat => "chat",
        TrashKind::Source => "source",
        TrashKind::Agent => "agent",
        TrashKind::Task => "task",
        TrashKind::Schedule => "schedule",
        TrashKind::Crew => "crew",
        TrashKind::RetrievalTest => "retrieval test",
    };
    output.line(&format!("{}  {kind}: {}  ({})", item.id, title(item), one_line(&item.detail)))?;
    output.line(&format!("    deleted {}, goes for good {}", moment(item.deleted), moment(item.expires)))
}

fn title(item: &TrashItem) -> String {
    if item.title.is_empty() { "without a title".to_owned() } else { one_line(&item.title) }
}

fn unknown() -> Failure {
    Failure::validation("this thing is not in the trash", "Run rspa trash to see what is.")
}

/// A person at a terminal says yes, or `--yes` was given; anything else is a no.
fn confirm(yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let refused = |message: String| {
        let advice = "Confirm at a terminal, or give --yes if you want it.";
        Failure::Api(ApiError::new(ErrorCategory::Authorisation, message, advice))
    };
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(refused(format!("nobody is here to confirm: {question}")));
    }
    write!(std::io::stderr().lock(), "{question} It cannot be brought back. [y/N] ").ok();
    let mut reply = String::new();
    std::io::stdin().lock().read_line(&mut reply)?;
    match reply.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(refused("not confirmed; nothing was removed".to_owned())),
    }
}
