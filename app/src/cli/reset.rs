//! `rspa reset`: delete data of this program, after saying exactly what goes and asking for a typed word.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use rspa_core::api::ApiError;
use rspa_core::api::request::knowledge::{ListSources, RescanSource, WaitFor, WaitForSource};
use rspa_core::engine::knowledge_files;
use rspa_core::storage::disk::{Disk, SystemDisk};
use rspa_core::storage::{StorageError, check, tables};
use rspa_core::workspace::places::{Places, folder_bytes};
use serde_json::json;

use super::Context;
use super::db::rescue;
use super::failure::Failure;
use super::output::{path_text, size};
use super::session::Session;

#[derive(Args)]
#[command(group = ArgGroup::new("what").required(true).args(["settings", "index", "everything"]))]
pub struct ResetArguments {
    /// All settings go back to their defaults
    #[arg(long)]
    settings: bool,
    /// What was read from the sources goes, and is read again
    #[arg(long)]
    index: bool,
    /// All that the program keeps goes: chats, sources, settings, credentials, models, logs
    #[arg(long)]
    everything: bool,
    /// With --everything: the backups in the data folder go too
    #[arg(long, requires = "everything")]
    backups: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What is deleted, and what of the data folder stays.
struct Plan {
    word: &'static str,
    goes: Vec<(PathBuf, u64)>,
    stays: Vec<PathBuf>,
}

/// All that the program itself puts into its data folder, but for backups.
const OWN: &[&str] = &[
    "main.redb",
    "main.redb.suspect",
    "profiles",
    "index",
    "cache",
    "performance",
    "logs",
    "models",
    "samples",
    "credentials",
    "notes",
    "settings.toml",
    "settings.json",
    "settings.yaml",
];

pub fn run(context: &Context, arguments: ResetArguments) -> Result<(), Failure> {
    let rescue = rescue(context)?;
    let places = rescue.places();
    let plan = plan(places, &arguments);
    if plan.goes.is_empty() {
        return if context.output.json {
            context.output.json_line(&json!({ "removed": [], "bytes": 0 }))
        } else {
            context.output.line("There is nothing to delete.")
        };
    }
    nobody_else(places)?;
    show(context, &plan);
    if !arguments.yes {
        confirm(context, plan.word)?;
    }
    // It may have been opened while the question stood.
    nobody_else(places)?;
    for (path, _) in &plan.goes {
        remove(path)?;
    }
    SystemDisk.sync_folder(places.data())?;
    if arguments.index {
        read_again(context)?;
    }
    let bytes: u64 = plan.goes.iter().map(|(_, bytes)| bytes).sum();
    if context.output.json {
        let removed: Vec<_> = plan.goes.iter().map(|(path, _)| path).collect();
        return context.output.json_line(&json!({ "removed": removed, "bytes": bytes }));
    }
    context.output.line(&format!("Deleted: {}.", size(bytes)))
}

fn plan(places: &Places, arguments: &ResetArguments) -> Plan {
    let data = places.data();
    let (word, paths) = if arguments.settings {
        ("settings", ["settings.toml", "settings.json", "settings.yaml"].map(|name| data.join(name)).to_vec())
    } else if arguments.index {
        let mut paths = vec![data.join("index")];
        paths.extend(knowledge_files(places).into_iter().map(|(_, path)| path));
        ("index", paths)
    } else {
        let mut paths: Vec<_> = OWN.iter().map(|name| data.join(name)).collect();
        // Damaged files that were kept, and what a kill left half made.
        paths.extend(entries(data).into_iter().filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("main.redb.damaged-") || name == "main.redb-new" || name == "main.redb-making"
        }));
        if arguments.backups {
            paths.push(data.join("backups"));
        }
        ("everything", paths)
    };
    let goes: Vec<_> =
        paths.into_iter().filter(|path| path.exists()).map(|path| (path.clone(), bytes(&path))).collect();
    let stays = entries(data).into_iter().filter(|path| !goes.iter().any(|(gone, _)| gone == path)).collect();
    Plan { word, goes, stays }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    SystemDisk.list(folder).unwrap_or_default()
}

fn bytes(path: &Path) -> u64 {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => folder_bytes(path),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    }
}

/// Refuses while a window or another command works with the folder; a damaged database is nobody's.
fn nobody_else(places: &Places) -> Result<(), Failure> {
    let main = places.main_db();
    if !main.exists() {
        return Ok(());
    }
    match check::file(&main, &tables::MAIN, &SystemDisk) {
        Err(error @ StorageError::InUse { .. }) => Err(ApiError::from(error).into()),
        _ => Ok(()),
    }
}

fn show(context: &Context, plan: &Plan) {
    let output = context.output;
    output.note("This is deleted for good:");
    for (path, bytes) in &plan.goes {
        output.note(&format!("  {}  ({})", path_text(path), size(*bytes)));
    }
    if !plan.stays.is_empty() {
        output.note("This stays (but for what is named above):");
        for path in &plan.stays {
            output.note(&format!("  {}", path_text(path)));
        }
    }
    if plan.word == "index" {
        output.note("The files of your sources are not touched; they are read again now.");
    }
}

fn confirm(context: &Context, word: &str) -> Result<(), Failure> {
    let refused = || {
        Failure::validation(
            "nothing was deleted",
            format!("Type the word {word} when asked, or give --yes in a script."),
        )
    };
    let stdin = std::io::stdin();
    if stdin.is_terminal() || !context.output.json {
        context.output.note(&format!("Type {word} to go on:"));
    }
    let mut typed = String::new();
    stdin.lock().read_line(&mut typed)?;
    if typed.trim() == word { Ok(()) } else { Err(refused()) }
}

fn remove(path: &Path) -> Result<(), Failure> {
    let is_folder = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_folder { SystemDisk.remove_folder(path) } else { SystemDisk.remove_file(path) };
    removed.map_err(|error| {
        Failure::Api(ApiError::new(
            rspa_core::api::ErrorCategory::Storage,
            format!("{} could not be deleted: {error}", path_text(path)),
            "Check its permissions; what is listed before it is gone.",
        ))
    })
}

fn read_again(context: &Context) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let sources = session.call(ListSources {})?;
    for status in &sources {
        let id = status.source.id;
        context.output.note(&format!("Reading {} again …", path_text(&status.source.path)));
        session.call(RescanSource { id })?;
        session.call(WaitForSource { id, until: WaitFor::Searchable })?;
    }
    Ok(())
}
