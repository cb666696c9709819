//! `rspa db`: check the data files, save what can be read of a damaged database, go on after damage.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use rspa_core::api::Role;
use rspa_core::api::request::system::CheckFiles;
use rspa_core::engine::knowledge_files;
use rspa_core::model::FileReport;
use rspa_core::recovery::{Recovery, Rescue};
use rspa_core::storage::disk::SystemDisk;
use rspa_core::storage::{Schema, StorageError, check, tables};
use rspa_core::workspace::places::Places;
use serde_json::json;

use super::Context;
use super::failure::Failure;
use super::output::{path_text, size};
use super::session::{Session, options};

#[derive(Args)]
pub struct DbArguments {
    #[command(subcommand)]
    verb: DbVerb,
}

#[derive(Subcommand)]
enum DbVerb {
    /// Check every page and row of the data files; nothing is changed
    Check,
    /// Write what can be read of a damaged database into a new folder
    Export {
        /// A folder that is new or empty
        target: PathBuf,
    },
    /// Go on after damage: with the newest backup, or with an empty database
    #[command(group = ArgGroup::new("how").required(true).args(["from_backup", "empty"]))]
    Recover {
        /// Restore the newest backup; a copy of the damaged file is kept
        #[arg(long)]
        from_backup: bool,
        /// Keep the damaged file under another name and start with nothing
        #[arg(long)]
        empty: bool,
    },
}

/// What works with the data folder while no core runs.
pub fn rescue(context: &Context) -> Result<Rescue, Failure> {
    Ok(Rescue::of(&options(&context.global, Role::Command))?)
}

pub fn run(context: &Context, arguments: DbArguments) -> Result<(), Failure> {
    match arguments.verb {
        DbVerb::Check => check_files(context),
        DbVerb::Export { target } => export(context, &target),
        DbVerb::Recover { from_backup, .. } => recover(context, from_backup),
    }
}

fn check_files(context: &Context) -> Result<(), Failure> {
    let rescue = rescue(context)?;
    let places = rescue.places();
    let reports = match closed_reports(places) {
        // Somebody has the folder open: whoever it is checks its own files.
        Err(StorageError::InUse { .. }) => Session::start(context)?.call(CheckFiles {})?,
        reports => reports.map_err(rspa_core::api::ApiError::from)?,
    };
    let sound = reports.iter().all(|report| report.damage.is_none());
    if context.output.json {
        context.output.json_line(&json!({ "ok": sound, "files": reports }))?;
    } else if reports.is_empty() {
        context.output.line(&format!("{} holds no data files yet.", path_text(places.data())))?;
    } else {
        for report in &reports {
            context.output.line(&line(report))?;
        }
        if let Some(recovery) = rescue.examine().ok().flatten() {
            context.output.line(&advice(&recovery))?;
        }
    }
    if sound { Ok(()) } else { Err(Failure::Reported) }
}

fn closed_reports(places: &Places) -> Result<Vec<FileReport>, StorageError> {
    let mut files: Vec<(String, PathBuf, &Schema)> = vec![("main.redb".to_owned(), places.main_db(), &tables::MAIN)];
    files.extend(knowledge_files(places).into_iter().map(|(name, path)| (name, path, &tables::KNOWLEDGE)));
    files.push(("cache/cache.redb".to_owned(), places.cache_db(), &tables::CACHE));
    files.push(("logs/logs.redb".to_owned(), places.logs().join("logs.redb"), &tables::LOGS));
    let there = files.into_iter().filter(|(_, path, _)| path.is_file());
    there
        .map(|(name, path, schema)| Ok(FileReport { file: name, ..check::file(&path, schema, &SystemDisk)? }))
        .collect()
}

fn line(report: &FileReport) -> String {
    let (mark, detail) = match &report.damage {
        None => ("ok  ", format!("{} rows", report.rows)),
        Some(damage) => ("FAIL", format!("damaged: {damage}")),
    };
    format!("{mark}  {}: {}, {detail}", report.file, size(report.bytes))
}

/// What can be done about a damaged main database.
fn advice(recovery: &Recovery) -> String {
    let readable = &recovery.readable;
    let mut text = format!(
        "\n{} is damaged and was not touched. {} chats with {} messages and {} sources can still be read.\n",
        path_text(&recovery.file),
        readable.chats,
        readable.messages,
        readable.sources
    );
    match (&recovery.backup, &recovery.backup_problem) {
        (Some(backup), _) => {
            text.push_str(&format!("The newest backup is {}.\n", backup.name));
            for difference in &recovery.differences {
                text.push_str(&format!("  {difference}\n"));
            }
            text.push_str("  rspa db recover --from-backup   restores it\n");
        }
        (None, Some(problem)) => text.push_str(&format!("Whether there is a backup is not known: {problem}\n")),
        (None, None) => text.push_str("There is no backup.\n"),
    }
    text.push_str("  rspa db export FOLDER           saves what can be read\n");
    text.push_str("  rspa db recover --empty         starts with nothing; the damaged file is kept");
    text
}

fn export(context: &Context, target: &std::path::Path) -> Result<(), Failure> {
    let target = std::path::absolute(target)?;
    let exported = rescue(context)?.export(&target)?;
    if context.output.json {
        return context.output.json_line(&exported);
    }
    let readable = &exported.readable;
    context.output.line(&format!(
        "{} chats with {} messages and {} sources are in {} ({} files).",
        readable.chats,
        readable.messages,
        readable.sources,
        path_text(&exported.folder),
        exported.files
    ))?;
    for missing in &readable.missing {
        context.output.line(&format!("Missing: {missing}"))?;
    }
    Ok(())
}

fn recover(context: &Context, from_backup: bool) -> Result<(), Failure> {
    let rescue = rescue(context)?;
    if rescue.examine()?.is_none() {
        return Err(Failure::validation(
            "the database is not damaged",
            "rspa restore goes back to a backup, rspa reset starts anew.",
        ));
    }
    let (backup, kept) = if from_backup {
        let (backup, kept) = rescue.restore_newest()?;
        (Some(backup.name), kept)
    } else {
        (None, Some(rescue.start_anew()?))
    };
    if context.output.json {
        return context.output.json_line(&json!({ "restored": backup, "kept": kept }));
    }
    match backup {
        Some(name) => context.output.line(&format!("{name} is restored."))?,
        None => context.output.line("The next start makes an empty database.")?,
    }
    match kept {
        Some(kept) => context.output.line(&format!("The damaged file is kept as {}.", path_text(&kept))),
        None => Ok(()),
    }
}
