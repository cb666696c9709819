//! `rspa backup`: make, list, verify and remove backups.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rspa_core::api::request::backups::{CreateBackup, DeleteBackup, ListBackups, VerifyBackup};
use rspa_core::api::{ErrorCategory, OfflineBackups, Role};
use rspa_core::model::{BackupInfo, BackupList, BackupReason, BackupState, Timestamp};
use serde_json::json;

use super::Context;
use super::failure::Failure;
use super::output::{Output, one_line, path_text, size};
use super::session::{Session, options};

#[derive(Args)]
pub struct BackupArguments {
    #[command(subcommand)]
    verb: Option<BackupVerb>,
    /// Write the backup to this folder instead of the usual one
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

#[derive(Subcommand)]
enum BackupVerb {
    /// Make a backup now and read it back (also without any verb)
    Create {
        /// Write it to this folder instead of the usual one
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
    /// List the backups, newest first
    List,
    /// Read a backup whole and compare it with what was written
    Verify { name: String },
    /// Remove a backup for good
    Delete {
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub fn run(context: &Context, arguments: BackupArguments) -> Result<(), Failure> {
    let output = context.output;
    match arguments.verb {
        None => create(context, arguments.to),
        Some(BackupVerb::Create { to }) => create(context, to.or(arguments.to)),
        Some(BackupVerb::List) => {
            let found = match door(context)? {
                Door::Open(session) => session.call(ListBackups {})?,
                Door::Damaged(backups) => backups.list(),
            };
            list(output, &found)
        }
        Some(BackupVerb::Verify { name }) => {
            let info = match door(context)? {
                Door::Open(session) => session.call(VerifyBackup { name })?,
                Door::Damaged(backups) => backups.verify(&name)?,
            };
            show(output, &info)?;
            match info.state {
                BackupState::Bad { .. } => Err(Failure::Reported),
                _ => Ok(()),
            }
        }
        Some(BackupVerb::Delete { name, yes }) => {
            let session = Session::start(context)?;
            let request = DeleteBackup { name: name.clone() };
            if yes {
                session.call_confirmed(request)?;
            } else {
                session.call(request)?;
            }
            if output.json {
                output.json_line(&json!({ "deleted": name }))
            } else {
                output.line(&format!("Removed {}.", one_line(&name)))
            }
        }
    }
}

/// The core, or, where the database cannot be opened, the backups alone.
pub enum Door {
    Open(Session),
    Damaged(OfflineBackups),
}

/// # Errors
/// That of starting the core, unless it is the database that is damaged.
pub fn door(context: &Context) -> Result<Door, Failure> {
    let failure = match Session::start(context) {
        Ok(session) => return Ok(Door::Open(session)),
        Err(failure) => failure,
    };
    let damaged = matches!(
        &failure,
        Failure::Api(error) if error.category == ErrorCategory::Storage && error.message.contains("is damaged")
    );
    if !damaged {
        return Err(failure);
    }
    if let Failure::Api(error) = &failure
        && !context.output.json
    {
        context.output.note(&format!("rspa: {}", error.message));
    }
    Ok(Door::Damaged(OfflineBackups::open(&options(&context.global, Role::Command))?))
}

fn create(context: &Context, to: Option<PathBuf>) -> Result<(), Failure> {
    let to = to.map(std::path::absolute).transpose()?;
    let session = Session::start(context)?;
    context.output.progress("Making a backup …");
    let made = session.call_confirmed(CreateBackup { to });
    context.output.progress_done();
    show(context.output, &made?)
}

fn show(output: Output, info: &BackupInfo) -> Result<(), Failure> {
    if output.json {
        return output.json_line(info);
    }
    output.line(&line(info))?;
    output.line(&format!("  {}", path_text(&info.path)))
}

fn list(output: Output, list: &BackupList) -> Result<(), Failure> {
    if output.json {
        return output.json_line(list);
    }
    list.backups.iter().try_for_each(|info| output.line(&line(info)))?;
    if list.backups.is_empty() {
        output.note("There are no backups yet. Make one: rspa backup");
    }
    output.note(&format!("in {}", path_text(&list.folder)));
    if let Some(folder) = &list.second_folder {
        output.note(&format!("and in {}", path_text(folder)));
    }
    for problem in list.problem.iter().chain(&list.second_problem) {
        output.note(&one_line(problem));
    }
    match list.next_daily {
        Some(next) => output.note(&format!("The next daily one is due at {}.", moment(next))),
        None => output.note("Daily backups are off (backups.daily)."),
    }
    Ok(())
}

fn line(info: &BackupInfo) -> String {
    let reason = match info.reason {
        BackupReason::Daily => "daily",
        BackupReason::Manual => "on demand",
        BackupReason::Migration => "before an update",
        BackupReason::Restore => "before a restore",
    };
    let state = match &info.state {
        BackupState::Unknown => "not verified yet".to_owned(),
        BackupState::Good { verified } => format!("verified {}", moment(*verified)),
        BackupState::Bad { why } => format!("cannot be used: {}", one_line(why)),
    };
    let copied = if info.copied { ", copied" } else { "" };
    format!(
        "{}  {}  {reason}, {}, {} chats, {} sources, {state}{copied}",
        info.name,
        moment(info.made),
        size(info.size_bytes),
        info.chats,
        info.sources
    )
}

/// As the clock on the wall shows it.
pub fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(
        |_out_of_range| "an unknown time".to_owned(),
        |at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}
