//! `rspa restore`: go back to a backup or to an earlier minute.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use clap::Args;
use rspa_core::api::request::backups::{GetHistoryRange, ListBackups, PreviewRestore, RestoreBackup};
use rspa_core::api::{ApiError, ErrorCategory, OfflineBackups, Role, WorksIn};
use rspa_core::model::{
    BackupList, DataKind, HistoryRange, KindDifference, RestoreFrom, RestoreMode, RestorePreview, Restored, Timestamp,
};
use serde_json::json;

use super::Context;
use super::backup::{Door, door, moment};
use super::confirm::{self, Reply};
use super::failure::Failure;
use super::output::{Output, one_line, path_text};
use super::session::Session;

#[derive(Args)]
pub struct RestoreArguments {
    /// A backup's name, as rspa backup list shows it, or the path of a backup file
    #[arg(required_unless_present = "at")]
    backup: Option<String>,
    /// Go back to this minute instead, as far as the change history reaches: "2026-11-20 09:15"
    #[arg(long, value_name = "TIME", conflicts_with = "backup")]
    at: Option<String>,
    /// Only say what would change
    #[arg(long)]
    preview: bool,
    /// Add what is missing now and keep everything else
    #[arg(long)]
    merge: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub fn run(context: &Context, arguments: RestoreArguments) -> Result<(), Failure> {
    match door(context)? {
        Door::Open(session) => with_core(context, &session, &arguments),
        Door::Damaged(backups) => without_core(context, &backups, &arguments),
    }
}

fn with_core(context: &Context, session: &Session, arguments: &RestoreArguments) -> Result<(), Failure> {
    let output = context.output;
    let from = match &arguments.at {
        Some(text) => RestoreFrom::Time { at: time_of(text, session.call(GetHistoryRange {})?)? },
        None => backup_of(arguments, &session.call(ListBackups {})?)?,
    };
    output.progress("Comparing …");
    let preview = session.call(PreviewRestore { from: from.clone() });
    output.progress_done();
    let preview = preview?;
    show(output, &preview, arguments)?;
    if arguments.preview {
        return Ok(());
    }
    // A window that has the data folder asks itself.
    if !arguments.yes && !session.asks_in_window() {
        let question = question(arguments, &preview);
        agreed(confirm::ask(session, &question)?)?;
    }
    let mode = if arguments.merge { RestoreMode::Merge } else { RestoreMode::Replace };
    output.progress("Restoring …");
    let restored = session.call_confirmed(RestoreBackup { from, mode });
    output.progress_done();
    let restored = restored?;
    // Who has the folder open puts the prepared state in place: this process now, a window as soon as it hears of it.
    let mut waits = false;
    if matches!(restored, Restored::Prepared { .. })
        && let Err(error) = session.core.restart()
    {
        match session.core.works_in() {
            WorksIn::Other(role) => waits = role != Role::Window,
            _ => return Err(error.into()),
        }
    }
    if output.json {
        return output.json_line(&json!({ "restored": restored }));
    }
    match restored {
        Restored::Prepared { as_of, safety } => {
            output.line(&format!("Restored the state of {}.", moment(as_of)))?;
            if waits {
                output.note("Another command has the data folder open: the state is put in place when it has ended.");
            }
            output.line(&format!("To undo it: rspa restore {safety}"))?;
            output.note("Sources are looked through again when the window opens, or now: rspa index rescan");
        }
        Restored::Merged { as_of, safety, kinds } => {
            output.line(&format!("Merged the state of {}.", moment(as_of)))?;
            for merged in kinds {
                let kept =
                    if merged.kept > 0 { format!(", {} differed and stayed", merged.kept) } else { String::new() };
                output.line(&format!("  {}: {} added{kept}", words(merged.kind), merged.added))?;
            }
            output.line(&format!("To undo it: rspa restore {safety}"))?;
        }
    }
    Ok(())
}

/// The database cannot be opened: only a whole backup can stand in its place.
fn without_core(context: &Context, backups: &OfflineBackups, arguments: &RestoreArguments) -> Result<(), Failure> {
    let output = context.output;
    if arguments.at.is_some() || arguments.merge {
        return Err(Failure::validation(
            "the database is damaged, so that it can neither be merged into nor taken back by its history",
            "Restore a backup without --merge and --at; rspa backup list shows all.",
        ));
    }
    let from = backup_of(arguments, &backups.list())?;
    let preview = backups.preview(from.clone())?;
    show(output, &preview, arguments)?;
    if arguments.preview {
        return Ok(());
    }
    if !arguments.yes {
        agreed(ask_without_core(&question(arguments, &preview))?)?;
    }
    let as_of = backups.restore(&from)?;
    Session::start(context)?.call(ListBackups {})?;
    if output.json {
        return output.json_line(&json!({ "restored": { "prepared": { "as_of": as_of, "safety": "" } } }));
    }
    output.line(&format!("Restored the state of {}.", moment(as_of)))?;
    output.note("The damaged database is kept in the folder backups, in the newest folder replaced-….");
    Ok(())
}

/// A name of the list, else a path.
fn backup_of(arguments: &RestoreArguments, list: &BackupList) -> Result<RestoreFrom, Failure> {
    let given = arguments.backup.as_deref().unwrap_or_default();
    if list.backups.iter().any(|backup| backup.name == given) {
        return Ok(RestoreFrom::Backup { name: given.to_owned() });
    }
    match Path::new(given).canonicalize() {
        Ok(path) => Ok(RestoreFrom::File { path }),
        Err(_none) => Err(Failure::validation(
            format!("there is no backup {}", one_line(given)),
            format!("Run rspa backup list to see those in {}, or name a file.", path_text(&list.folder)),
        )),
    }
}

/// Reads a time of the clock on the wall; it must lie where the history reaches.
fn time_of(text: &str, range: Option<HistoryRange>) -> Result<Timestamp, Failure> {
    let range = range.ok_or_else(|| {
        Failure::validation("no change history is kept", "Set database.history_days, or restore a backup.")
    })?;
    let reaches = format!("The history reaches from {} to {}.", moment(range.oldest), moment(range.newest));
    let at = parse_time(text).ok_or_else(|| {
        Failure::validation(
            format!("{} is no time", one_line(text)),
            format!("Write it as 2026-11-20 09:15. {reaches}"),
        )
    })?;
    if at < range.oldest {
        return Err(Failure::validation(format!("the history does not reach back to {}", moment(at)), reaches));
    }
    Ok(at)
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace('T', " ");
    let civil = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
        .iter()
        .find_map(|format| jiff::civil::DateTime::strptime(format, &text).ok())?;
    Some(Timestamp(civil.to_zoned(jiff::tz::TimeZone::system()).ok()?.timestamp().as_millisecond()))
}

fn show(output: Output, preview: &RestorePreview, arguments: &RestoreArguments) -> Result<(), Failure> {
    if output.json {
        return if arguments.preview { output.json_line(preview) } else { Ok(()) };
    }
    output.line(&format!("The state of {}, compared with now:", moment(preview.as_of)))?;
    if preview.differences.is_empty() {
        output.line("  nothing differs")?;
    }
    for difference in &preview.differences {
        show_kind(output, difference, arguments.merge)?;
    }
    Ok(())
}

fn show_kind(output: Output, difference: &KindDifference, merge: bool) -> Result<(), Failure> {
    let (gone, other) = if merge { ("stay", "differ, the present stay") } else { ("go", "become as they were") };
    let parts = [
        (difference.only_there, "come back", &difference.there),
        (difference.only_here, gone, &difference.here),
        (difference.different, other, &difference.both),
    ];
    for (count, what, titles) in parts.into_iter().filter(|(count, ..)| *count > 0) {
        output.line(&format!("  {}: {count} {what}", words(difference.kind)))?;
        for title in titles {
            output.line(&format!("      {}", one_line(title)))?;
        }
        if count > titles.len() as u64 && !titles.is_empty() {
            output.line("      …")?;
        }
    }
    Ok(())
}

fn words(kind: DataKind) -> &'static str {
    match kind {
        DataKind::Profiles => "profiles",
        DataKind::Chats => "chats",
        DataKind::Messages => "messages",
        DataKind::Sources => "sources",
        DataKind::Trash => "things in the trash",
        DataKind::Activities => "activities",
        DataKind::Schedules => "schedules",
        DataKind::ToolServers => "tool servers",
        DataKind::Crews => "crews",
        DataKind::RetrievalTests => "retrieval tests",
        DataKind::Agents => "agents",
        DataKind::AgentData => "entries of agents' data",
        DataKind::Settings => "settings",
        DataKind::Credentials => "sealed credentials",
        DataKind::Notes => "notes",
        DataKind::Other => "other choices",
    }
}

fn question(arguments: &RestoreArguments, preview: &RestorePreview) -> String {
    if arguments.merge {
        "Add what is missing now?".to_owned()
    } else {
        let time = moment(preview.as_of);
        format!("Put the state of {time} in place of the present one? (A backup of the present one is made.)")
    }
}

fn agreed(reply: Reply) -> Result<(), Failure> {
    let refused = |message: &str| {
        let advice = "Confirm at a terminal, or give --yes.";
        Failure::Api(ApiError::new(ErrorCategory::Authorisation, message, advice))
    };
    match reply {
        Reply::Yes => Ok(()),
        Reply::No => Err(refused("not confirmed; nothing was changed")),
        Reply::Nobody => Err(refused("nobody is here to confirm; nothing was changed")),
    }
}

/// As [`confirm::ask`], while there is no core: at a terminal that is standard input.
fn ask_without_core(question: &str) -> Result<Reply, Failure> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(Reply::Nobody);
    }
    write!(std::io::stderr().lock(), "{question} [y/N] ").ok();
    let mut reply = String::new();
    std::io::stdin().lock().read_line(&mut reply)?;
    Ok(if matches!(reply.trim(), "y" | "Y" | "yes") { Reply::Yes } else { Reply::No })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        let at = parse_time("2026-11-20 09:15");
        assert!(at.is_some());
        assert_eq!(parse_time(" 2026-11-20T09:15 "), at);
        assert_eq!(parse_time("2026-11-20 09:15:00"), at);
        for wrong in ["", "yesterday", "09:15", "2026-11-20", "2026-13-20 09:15", "2026-11-20 25:15"] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
        let range = HistoryRange { oldest: Timestamp(i64::MAX - 1), newest: Timestamp(i64::MAX) };
        assert!(time_of("2026-11-20 09:15", Some(range)).is_err());
        assert!(time_of("2026-11-20 09:15", None).is_err());
    }
}
