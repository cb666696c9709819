//! `rspa tasks add`: a task from arguments.

use std::io::Read;
use std::path::Path;

use clap::Args;
use rspa_core::api::request::tasks::CreateTasks;
use rspa_core::clock::{Clock, SystemClock};
use rspa_core::model::{TaskDraft, Timestamp};
use serde_json::Value;

use super::{Urgency, agent_named, find, show, work};
use crate::cli::failure::Failure;
use crate::cli::output::path_text;
use crate::cli::session::Session;

/// Bytes of a description or input that are read.
const MOST: u64 = 1 << 20;

#[derive(Args)]
pub struct AddArguments {
    /// What is to be done, in a few words
    title: String,
    /// Who does it, by name or id; without it, it is yours
    #[arg(long)]
    agent: Option<String>,
    /// More words; - reads them from standard input
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// Data for the agent, as JSON; @FILE reads a file
    #[arg(long, value_name = "JSON|@FILE")]
    input: Option<String>,
    #[arg(long, value_enum, default_value = "medium")]
    priority: Urgency,
    /// More than one may be given
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Not before this task is completed; more than one may be given
    #[arg(long = "after", value_name = "TASK")]
    after: Vec<String>,
    /// When it should be done: 2026-11-21, 2026-11-21T08:30, or from now: 30m, 12h, 7d
    #[arg(long, value_name = "DATE", value_parser = ahead)]
    due: Option<Timestamp>,
    /// When it may begin
    #[arg(long, value_name = "DATE", value_parser = ahead)]
    not_before: Option<Timestamp>,
    /// Into the backlog: not run until you move it
    #[arg(long)]
    hold: bool,
    /// Tries after the first
    #[arg(long, value_name = "N")]
    retries: Option<u32>,
    /// Time limit of one try
    #[arg(long, value_name = "SECONDS")]
    limit: Option<u32>,
    /// Work here until it has ended
    #[arg(long, conflicts_with = "hold")]
    wait: bool,
}

pub fn run(session: &Session, arguments: AddArguments) -> Result<(), Failure> {
    let agent = arguments.agent.map(|name| agent_named(session, &name)).transpose()?;
    let depends_on: Result<Vec<_>, Failure> = arguments.after.iter().map(|name| Ok(find(session, name)?.id)).collect();
    let draft = TaskDraft {
        description: description(arguments.description)?,
        priority: arguments.priority.into(),
        input: arguments.input.map(|input| json_of(&input)).transpose()?.unwrap_or(Value::Null),
        labels: arguments.labels,
        depends_on: depends_on?,
        not_before: arguments.not_before,
        due: arguments.due,
        max_retries: arguments.retries,
        time_limit_s: arguments.limit,
        held: arguments.hold,
        ..TaskDraft::new(agent, arguments.title)
    };
    let made = session.call(CreateTasks { drafts: vec![draft] })?;
    let Some(task) = made.first() else {
        return Err(Failure::system("no task was made", "Try again."));
    };
    if arguments.wait {
        if task.agent.is_none() {
            return Err(Failure::validation(
                format!("#{} was made, but nobody runs it", task.number),
                "Name an agent with --agent, or leave --wait away.",
            ));
        }
        return work::wait(session, task.id);
    }
    show::line(session.output, task)?;
    if agent.is_some() && !session.asks_in_window() && !session.output.json {
        session.output.note("It runs when the window is open, or with: rspa tasks run");
    }
    Ok(())
}

fn description(text: String) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text);
    }
    let mut read = String::new();
    std::io::stdin().lock().take(MOST).read_to_string(&mut read)?;
    Ok(read)
}

fn json_of(input: &str) -> Result<Value, Failure> {
    let text = match input.strip_prefix('@') {
        Some(file) => {
            let path = Path::new(file);
            let mut text = String::new();
            std::fs::File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text)).map_err(|error| {
                Failure::validation(format!("cannot read {}: {error}", path_text(path)), "Name a file with JSON.")
            })?;
            text
        }
        None => input.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::validation(format!("the input is no JSON: {error}"), "Write it as '{\"file\": \"sales.csv\"}'.")
    })
}

/// A day, a day with a time, a whole timestamp, or a length of time from now.
fn ahead(text: &str) -> Result<Timestamp, String> {
    let now = SystemClock.now();
    let back = crate::cli::activities::time(text)
        .map_err(|_wrong| "expected a day (2026-11-21), a time (2026-11-21T08:30), or 30m, 12h, 7d".to_owned())?;
    let is_length = text.trim().ends_with(['m', 'h', 'd', 'w']);
    Ok(if is_length { Timestamp(now.0.saturating_add(now.0.saturating_sub(back.0))) } else { back })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_lie_ahead_and_days_where_they_are() {
        let now = SystemClock.now().0;
        let hours = (ahead("2h").unwrap().0 - now) as f64 / 3_600_000.0;
        assert!((1.9..=2.1).contains(&hours), "{hours}");
        assert_eq!(ahead("2025-10-09T08:53:20Z"), Ok(Timestamp(1_760_000_000_000)));
        assert!(ahead("soon").is_err());
    }

    #[test]
    fn input_is_json_or_a_file_with_it() {
        assert_eq!(json_of("{\"rows\": 3}").ok(), Some(serde_json::json!({ "rows": 3 })));
        assert!(json_of("rows").is_err() && json_of("@/nowhere.json").is_err());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[1, 2]").unwrap();
        let named = format!("@{}", file.path().display());
        assert_eq!(json_of(&named).ok(), Some(serde_json::json!([1, 2])));
    }
}
