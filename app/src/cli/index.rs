//! `rspa index`: the folders, files and pages that are read and searched.

mod trials;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use rspa_core::api::request::knowledge::{
    AddPage, AddSource, ListDocuments, ListProblems, ListSources, PauseSource, RemoveSource, RescanSource, WaitFor,
    WaitForSource,
};
use rspa_core::api::{Event, Heard, WorksIn};
use rspa_core::model::{Document, DocumentProblem, Page, PageRequest, SourceId, SourceKind, SourceState, SourceStatus};
use serde_json::{Value, json};

use super::Context;
use super::failure::Failure;
use super::output::{Output, one_line, path_text, size, with_path};
use super::session::Session;
use super::typed;
use crate::commands::consent::host_of_page;

#[derive(Args)]
pub struct IndexArguments {
    #[command(subcommand)]
    verb: IndexVerb,
}

#[derive(Subcommand)]
enum IndexVerb {
    /// Add a folder, a file or the address of a page; adding it again looks for changes
    Add {
        #[arg(value_name = "PATH|ADDRESS")]
        path: PathBuf,
        /// The host that a page may be fetched from, instead of asking at the terminal
        #[arg(long, value_name = "HOST")]
        yes: Option<String>,
        #[command(flatten)]
        wait: Wait,
    },
    /// List the sources with their true figures
    List,
    /// Forget a source; the files themselves are not touched
    Remove {
        /// Path or id
        source: PathBuf,
    },
    /// Look for changes now: in one source, or in all
    Rescan {
        /// Path or id
        source: Option<PathBuf>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Stop reading a source; what was read stays searchable
    Pause {
        /// Path or id
        source: PathBuf,
        /// Go on reading it
        #[arg(long)]
        resume: bool,
    },
    /// What could not be read, or only in part, and why
    Problems {
        /// Path or id; all sources when absent
        source: Option<PathBuf>,
    },
    /// The documents of a source
    Documents {
        /// Path or id
        source: PathBuf,
        /// Only those whose path contains this
        #[arg(long, default_value = "", value_name = "TEXT")]
        filter: String,
    },
    /// Retrieval tests: questions with the passage that search should find
    #[command(subcommand)]
    Tests(trials::TestsVerb),
}

#[derive(Args)]
struct Wait {
    /// Return when the source is searchable, or when the encoder has embedded it too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "searchable", value_name = "UNTIL")]
    wait: Option<Until>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Until {
    Searchable,
    Complete,
}

impl From<Until> for WaitFor {
    fn from(until: Until) -> Self {
        match until {
            Until::Searchable => Self::Searchable,
            Until::Complete => Self::Complete,
        }
    }
}

pub fn run(context: &Context, arguments: IndexArguments) -> Result<(), Failure> {
    let output = context.output;
    match arguments.verb {
        IndexVerb::Add { path, yes, wait } => {
            let address = path.to_str().and_then(|text| host_of_page(text).map(|host| (text.to_owned(), host)));
            let path = if address.is_none() { existing(&path)? } else { path };
            let session = Session::start(context)?;
            let status = match address {
                Some((address, host)) => add_page(&session, address, host, yes.as_deref())?,
                None => session.call(AddSource { path })?,
            };
            let status = wait_for(&session, status, &wait)?;
            show_one(output, &status, wait.wait.is_none() && session.core.works_in() == WorksIn::Here)
        }
        IndexVerb::List => {
            let session = Session::start(context)?;
            show_all(output, &session.call(ListSources {})?)
        }
        IndexVerb::Remove { source } => {
            let session = Session::start(context)?;
            let id = typed::source_of(&session, &source)?;
            let item = session.call(RemoveSource { id })?;
            if output.json {
                return output.json_line(&json!({ "removed": id, "trash": item.id }));
            }
            output.line(&format!("Removed. To bring it back: rspa trash restore {}", item.id))
        }
        IndexVerb::Rescan { source, wait } => {
            let session = Session::start(context)?;
            let ids = match source {
                Some(source) => vec![typed::source_of(&session, &source)?],
                None => session.call(ListSources {})?.iter().map(|status| status.source.id).collect(),
            };
            let mut all = Vec::new();
            for id in ids {
                let status = session.call(RescanSource { id })?;
                all.push(wait_for(&session, status, &wait)?);
            }
            show_all(output, &all)
        }
        IndexVerb::Pause { source, resume } => {
            let session = Session::start(context)?;
            let id = typed::source_of(&session, &source)?;
            show_one(output, &session.call(PauseSource { id, paused: !resume })?, false)
        }
        IndexVerb::Problems { source } => {
            let session = Session::start(context)?;
            let source = source.map(|source| typed::source_of(&session, &source)).transpose()?;
            problems(&session, source)
        }
        IndexVerb::Documents { source, filter } => {
            let session = Session::start(context)?;
            let source = typed::source_of(&session, &source)?;
            documents(&session, source, &filter)
        }
        IndexVerb::Tests(verb) => trials::run(context, verb),
    }
}

/// A person at a terminal, or in the window, says yes, or `--yes` names exactly the host.
fn add_page(session: &Session, address: String, host: String, yes: Option<&str>) -> Result<SourceStatus, Failure> {
    if let Some(named) = yes
        && !named.eq_ignore_ascii_case(&host)
    {
        return Err(Failure::validation(
            format!("the page would come from {host}, not from {}", one_line(named)),
            "Name the host of the address.",
        ));
    }
    let add = AddPage { address, confirmed_host: Some(host) };
    if yes.is_some() { session.call_confirmed(add) } else { session.call(add) }
}

/// The absolute path of something that is there.
fn existing(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(|error| {
        Failure::validation(format!("cannot use {}: {error}", path_text(path)), "Name a folder or a file that exists.")
    })
}

fn wait_for(session: &Session, status: SourceStatus, wait: &Wait) -> Result<SourceStatus, Failure> {
    let Some(until) = wait.wait else { return Ok(status) };
    let id = status.source.id;
    let mut events = session.events()?;
    let pending = session.core.call(WaitForSource { id, until: until.into() });
    let output = session.output;
    let waited = session.wait_hearing(pending, &mut events, |heard| {
        if let Heard::Event(envelope) = heard
            && let Event::SourceChanged { status } = &envelope.event
            && status.source.id == id
        {
            output.progress(&progress_text(status));
        }
    });
    output.progress_done();
    waited
}

fn progress_text(status: &SourceStatus) -> String {
    let Some(progress) = status.progress else { return state_text(status.state).to_owned() };
    let left = progress.seconds_left.map(|seconds| format!(", {seconds:.0} s left")).unwrap_or_default();
    format!(
        "{}: {} of {} files, {:.0} a second{left}",
        state_text(status.state),
        progress.files_done,
        progress.files_total,
        progress.files_per_second
    )
}

fn state_text(state: SourceState) -> &'static str {
    match state {
        SourceState::Queued => "waiting",
        SourceState::Scanning => "looking for changes",
        SourceState::Indexing => "reading",
        SourceState::Upgrading => "searchable; the encoder still works",
        SourceState::Ready => "ready",
        SourceState::Paused => "paused",
        SourceState::Missing => "missing",
    }
}

fn show_one(output: Output, status: &SourceStatus, unfinished: bool) -> Result<(), Failure> {
    if output.json {
        return output.json_line(&status_json(status));
    }
    output.line(&status_line(status))?;
    if unfinished && status.state != SourceState::Ready {
        output.note("It is read while the program runs: open the window, or add --wait.");
    }
    Ok(())
}

fn show_all(output: Output, all: &[SourceStatus]) -> Result<(), Failure> {
    if output.json {
        return output.json_line(&all.iter().map(status_json).collect::<Vec<_>>());
    }
    if all.iter().all(|status| status.source.kind.is_built_in()) {
        output.note("No sources yet. Add one: rspa index add PATH");
    }
    all.iter().try_for_each(|status| output.line(&status_line(status)))
}

fn status_line(status: &SourceStatus) -> String {
    let place = match &status.source.address {
        Some(address) => one_line(address),
        None => path_text(&status.source.path),
    };
    format!(
        "{place}  {}, {}: {} documents, {} passages, {} problems  ({})",
        kind_text(status.source.kind),
        state_text(status.state),
        status.documents,
        status.passages,
        status.problems,
        status.source.id
    )
}

fn kind_text(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Folder => "folder",
        SourceKind::File => "file",
        SourceKind::Repository => "git repository",
        SourceKind::Vault => "Obsidian vault",
        SourceKind::Web => "page",
        SourceKind::Chats => "chats",
        SourceKind::Tasks => "tasks",
        SourceKind::Activities => "activity",
    }
}

fn status_json(status: &SourceStatus) -> Value {
    let progress = status.progress;
    with_path(
        &status.source.path,
        json!({
            "id": status.source.id,
            "name": status.source.name,
            "kind": status.source.kind,
            "address": status.source.address,
            "state": status.state,
            "documents": status.documents,
            "passages": status.passages,
            "problems": status.problems,
            "files_done": progress.map(|progress| progress.files_done),
            "files_total": progress.map(|progress| progress.files_total),
            "completed": status.completed,
        }),
    )
}

/// All items of a paged list.
pub fn all_pages<T>(mut read: impl FnMut(PageRequest) -> Result<Page<T>, Failure>) -> Result<Vec<T>, Failure> {
    let mut items = Vec::new();
    loop {
        let page = read(PageRequest { offset: items.len() as u64, limit: 1000 })?;
        let end = page.items.is_empty();
        items.extend(page.items);
        if end || items.len() as u64 >= page.total {
            return Ok(items);
        }
    }
}

fn problems(session: &Session, source: Option<SourceId>) -> Result<(), Failure> {
    let all: Vec<DocumentProblem> = all_pages(|page| session.call(ListProblems { source, page }))?;
    let output = session.output;
    if output.json {
        let rows: Vec<Value> = all
            .iter()
            .map(|problem| {
                let fields = json!({ "source": problem.source, "reason": problem.reason, "at": problem.at });
                with_path(&problem.path, fields)
            })
            .collect();
        return output.json_line(&rows);
    }
    all.iter().try_for_each(|problem| output.line(&format!("{}: {}", path_text(&problem.path), problem.reason)))
}

fn documents(session: &Session, source: SourceId, filter: &str) -> Result<(), Failure> {
    let all: Vec<Document> = all_pages(|page| session.call(ListDocuments { source, filter: filter.to_owned(), page }))?;
    let output = session.output;
    if output.json {
        let rows: Vec<Value> = all
            .iter()
            .map(|document| {
                with_path(
                    &document.path,
                    json!({
                        "id": document.id,
                        "kind": document.kind,
                        "size_bytes": document.size_bytes,
                        "hash": document.hash,
                        "passages": document.passages,
                        "confidence": document.confidence,
                        "note": document.note,
                        "title": document.title,
                    }),
                )
            })
            .collect();
        return output.json_line(&rows);
    }
    all.iter().try_for_each(|document| {
        let note = document.note.as_deref().map(|note| format!("  ({note})")).unwrap_or_default();
        output.line(&format!(
            "{}  {} passages, {}{note}",
            path_text(&document.path),
            document.passages,
            size(document.size_bytes)
        ))
    })
}
