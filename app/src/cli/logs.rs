//! `rspa logs`: what the program wrote down of its own work, filtered, followed, exported.

use std::path::PathBuf;

use clap::Args;
use jiff::tz::TimeZone;
use rspa_core::api::request::logs::{ExportLogs, FollowLogs, ListLogs};
use rspa_core::clock::{Clock, SystemClock};
use rspa_core::model::{LogCursor, LogEntry, LogFilter, LogFormat, LogId, LogLevel, Timestamp, one_line};
use serde_json::{Value, json};

use super::Context;
use super::failure::Failure;
use super::output::{path_text, with_path};
use super::session::Session;
use crate::when;

#[derive(Args)]
pub struct LogsArguments {
    /// From this level on: trace, debug, info, warn, error or critical
    #[arg(long)]
    level: Option<LogLevel>,
    /// From then on: 2h, 3d, 2026-11-20, 2026-11-20T09:00
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Until then: 30m, 2026-11-20T17:30
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// This part of the program and those below it, such as rspa_core::engine; may be given several times
    #[arg(long)]
    target: Vec<String>,
    /// Contains this, in capitals or not
    #[arg(long, default_value = "")]
    text: String,
    /// How many of the newest entries at most
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Go on with new entries as they come
    #[arg(long, conflicts_with = "export")]
    follow: bool,
    /// Write all that match into this file: .jsonl, .csv, anything else is text
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "export")]
    overwrite: bool,
}

/// Entries that are asked for at once.
const PAGE: u32 = 500;
/// Of what came between two looks, so many are shown at most.
const BURST: u32 = 10_000;

pub fn run(context: &Context, arguments: LogsArguments) -> Result<(), Failure> {
    let filter = filter(&arguments, SystemClock.now())?;
    let session = Session::start(context)?;
    if let Some(path) = &arguments.export {
        return export(context, &session, filter, path, arguments.overwrite);
    }
    let (entries, newest) = newest(&session, &filter, None, arguments.limit)?;
    show(context, &entries)?;
    if entries.is_empty() && context.output.watched() {
        context.output.note("nothing matches");
    }
    if arguments.follow {
        follow(context, &session, &filter, newest)?;
    }
    Ok(())
}

fn filter(arguments: &LogsArguments, now: Timestamp) -> Result<LogFilter, Failure> {
    let time = |text: &Option<String>| {
        text.as_deref().map(|text| when::parse(text, now, &TimeZone::system())).transpose().map_err(|why| {
            Failure::validation(why, "Say how long ago (30m, 2h, 3d) or when (2026-11-20, 2026-11-20T09:00).")
        })
    };
    let levels = match arguments.level {
        Some(least) => LogLevel::ALL.into_iter().filter(|level| *level >= least).collect(),
        None => Vec::new(),
    };
    Ok(LogFilter {
        levels,
        since: time(&arguments.since)?,
        until: time(&arguments.until)?,
        targets: arguments.target.clone(),
        text: arguments.text.clone(),
    })
}

/// The newest that match, oldest of them first, and the newest of all.
fn newest(
    session: &Session,
    filter: &LogFilter,
    after: Option<LogId>,
    limit: u32,
) -> Result<(Vec<LogEntry>, LogId), Failure> {
    let mut cursor = Some(LogCursor { after, ..LogCursor::default() });
    let mut newest = None;
    let mut entries: Vec<LogEntry> = Vec::new();
    while let Some(place) = cursor {
        let left = limit.saturating_sub(u32::try_from(entries.len()).unwrap_or(u32::MAX));
        if left == 0 {
            break;
        }
        let list = ListLogs { filter: filter.clone(), cursor: place, limit: left.min(PAGE), brief: false };
        let page = session.call(list)?;
        newest = newest.or(Some(page.newest));
        cursor = page.next;
        entries.extend(page.entries);
    }
    entries.reverse();
    Ok((entries, newest.unwrap_or_default()))
}

/// Until an interrupt.
fn follow(context: &Context, session: &Session, filter: &LogFilter, mut seen: LogId) -> Result<(), Failure> {
    loop {
        session.call(FollowLogs { after: seen })?;
        let (entries, newest) = newest(session, filter, Some(seen), BURST)?;
        show(context, &entries)?;
        seen = newest;
    }
}

fn export(
    context: &Context,
    session: &Session,
    filter: LogFilter,
    path: &std::path::Path,
    overwrite: bool,
) -> Result<(), Failure> {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let format = match extension.as_str() {
        "jsonl" | "json" | "ndjson" => LogFormat::Jsonl,
        "csv" => LogFormat::Csv,
        _ => LogFormat::Text,
    };
    let path = std::path::absolute(path)?;
    let count = session.call(ExportLogs { filter, path: path.clone(), format, overwrite })?;
    if context.output.json {
        return context.output.json_line(&with_path(&path, json!({ "entries": count })));
    }
    context.output.line(&format!("{count} entries in {}", path_text(&path)))
}

fn show(context: &Context, entries: &[LogEntry]) -> Result<(), Failure> {
    for entry in entries {
        if context.output.json {
            context.output.json_line(&as_json(entry))?;
        } else {
            let [before, level, after] = line(entry, &TimeZone::system());
            context.output.styled_line(&[(Some("2"), &before), (Some(colour(entry.level)), &level), (None, &after)])?;
        }
    }
    Ok(())
}

fn as_json(entry: &LogEntry) -> Value {
    let mut value = serde_json::to_value(entry).unwrap_or_default();
    if let (Some(fields), Ok(at)) = (value.as_object_mut(), jiff::Timestamp::from_millisecond(entry.at.0)) {
        fields.insert("time".to_owned(), format!("{at:.3}").into());
    }
    value
}

/// What stands before the level, the level, and what stands after it.
fn line(entry: &LogEntry, zone: &TimeZone) -> [String; 3] {
    let time = jiff::Timestamp::from_millisecond(entry.at.0).map_or_else(
        |_out_of_range| entry.at.0.to_string(),
        |at| at.to_zoned(zone.clone()).strftime("%F %T%.3f").to_string(),
    );
    let mut after = format!("{}: {}", one_line(&entry.target), one_line(&entry.message));
    for error in &entry.errors {
        after.push_str(&format!(": {}", one_line(error)));
    }
    for (name, value) in &entry.fields {
        after.push_str(&format!(" {}={}", one_line(name), one_line(value)));
    }
    [format!("{time} "), format!("{:<8}", entry.level.name()), format!(" {after}")]
}

/// As a terminal is told it (ECMA-48, select graphic rendition).
fn colour(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Critical => "1;31",
        LogLevel::Error => "31",
        LogLevel::Warn => "33",
        LogLevel::Info => "32",
        LogLevel::Debug => "34",
        LogLevel::Trace => "35",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line_whatever_is_in_it() {
        let entry = LogEntry {
            id: LogId(1),
            at: Timestamp(1_760_000_000_123),
            level: LogLevel::Error,
            target: "rspa".to_owned(),
            module: "rspa".to_owned(),
            function: String::new(),
            line: 0,
            span: String::new(),
            message: "bad\n\u{1b}[2J\u{202e}name".to_owned(),
            errors: vec!["denied\r".to_owned()],
            fields: vec![("path".to_owned(), "/x\ty".to_owned())],
        };
        assert_eq!(
            line(&entry, &TimeZone::UTC).concat(),
            "2025-10-09 08:53:20.123 error    rspa: bad\\n\\u{1b}[2J\\u{202e}name: denied\\r path=/x\\ty"
        );
        assert_eq!(as_json(&entry)["time"], "2025-10-09T08:53:20.123Z");
        assert_eq!(as_json(&entry)["level"], "error");
    }
}
