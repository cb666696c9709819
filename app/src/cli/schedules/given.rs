//! What is given on the command line: when, and which task.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rspa_core::api::request::agents::ListAgents;
use rspa_core::clock::{Clock, SystemClock};
use rspa_core::model::{
    AgentFilter, AgentId, Missed, Priority, ScheduleDraft, TaskTemplate, Timestamp, Timing, Trigger,
};

use crate::cli::failure::Failure;
use crate::cli::output::one_line;
use crate::cli::session::Session;

/// Exactly one of them says when.
#[derive(Args)]
pub struct TimingArguments {
    /// A cron expression: minute, hour, day, month, weekday; seconds may stand first
    #[arg(long, value_name = "EXPRESSION")]
    cron: Option<String>,
    /// Of a cron expression, such as Europe/Berlin; else that of this computer
    #[arg(long, requires = "cron")]
    zone: Option<String>,
    /// Every so many minutes, from now on
    #[arg(long, value_name = "MINUTES")]
    every: Option<u32>,
    /// Once, such as "2026-11-21 07:00"
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// When a file is made or changed, or one of a folder that matches --pattern
    #[arg(long, value_name = "PATH")]
    on_file: Option<PathBuf>,
    /// When a commit appears in a repository
    #[arg(long, value_name = "REPOSITORY")]
    on_commit: Option<PathBuf>,
    /// Only commits of this branch
    #[arg(long, requires = "on_commit")]
    branch: Option<String>,
    /// When a line that matches --pattern is added to a file
    #[arg(long, value_name = "FILE", requires = "pattern")]
    on_log: Option<PathBuf>,
    /// A glob such as *.csv, or a regular expression for lines
    #[arg(long)]
    pattern: Option<String>,
    /// When a process of this name begins or ends
    #[arg(long, num_args = 2, value_names = ["NAME", "begins|ends"])]
    on_process: Option<Vec<String>>,
    /// When the window opens
    #[arg(long)]
    on_session_start: bool,
}

impl TimingArguments {
    pub fn is_empty(&self) -> bool {
        self.given() == 0
    }

    fn given(&self) -> usize {
        [
            self.cron.is_some(),
            self.every.is_some(),
            self.at.is_some(),
            self.on_file.is_some(),
            self.on_commit.is_some(),
            self.on_log.is_some(),
            self.on_process.is_some(),
            self.on_session_start,
        ]
        .into_iter()
        .filter(|given| *given)
        .count()
    }

    pub fn timing(self) -> Result<Timing, Failure> {
        if self.given() != 1 {
            return Err(Failure::validation(
                "say once when it is to run",
                "Give one of --cron, --every, --at, --on-file, --on-commit, --on-log, --on-process, --on-session-start.",
            ));
        }
        if let Some(expression) = self.cron {
            return Ok(Timing::Cron { expression, zone: self.zone.unwrap_or_default() });
        }
        if let Some(minutes) = self.every {
            return Ok(Timing::Every { minutes, from: SystemClock.now() });
        }
        if let Some(at) = self.at {
            return Ok(Timing::Once { at: read_time(&at)? });
        }
        let pattern = self.pattern.unwrap_or_default();
        let trigger = if let Some(path) = self.on_file {
            Trigger::File { path: whole(path)?, pattern }
        } else if let Some(repository) = self.on_commit {
            Trigger::Commit { repository: whole(repository)?, branch: self.branch.unwrap_or_default() }
        } else if let Some(path) = self.on_log {
            Trigger::Log { path: whole(path)?, pattern }
        } else if let Some([name, when]) = self.on_process.as_deref() {
            let begins = match when.as_str() {
                "begins" => true,
                "ends" => false,
                _ => {
                    let shown = one_line(when);
                    return Err(Failure::validation(
                        format!("a process begins or ends; it does not \"{shown}\""),
                        "Write --on-process NAME ends.",
                    ));
                }
            };
            Trigger::Process { name: name.clone(), begins }
        } else {
            Trigger::SessionStart
        };
        Ok(Timing::When { trigger })
    }
}

/// As it lies here, also for a program that works elsewhere.
fn whole(path: PathBuf) -> Result<PathBuf, Failure> {
    Ok(std::path::absolute(path)?)
}

/// Local time, unless the text names a zone.
fn read_time(text: &str) -> Result<Timestamp, Failure> {
    let text = text.trim();
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp(at.as_millisecond()));
    }
    let civil = text.parse::<jiff::civil::DateTime>().map_err(|error| {
        Failure::validation(format!("this is no time: {error}"), "Write it as \"2026-11-21 07:00\".")
    })?;
    let zoned = civil
        .to_zoned(jiff::tz::TimeZone::system())
        .map_err(|error| Failure::validation(format!("this time cannot be: {error}"), "Choose another one."))?;
    Ok(Timestamp(zoned.timestamp().as_millisecond()))
}

/// `name=value`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as name=value")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

#[derive(Clone, Copy, ValueEnum)]
enum MissedArgument {
    Skip,
    Once,
    All,
}

#[derive(Clone, Copy, ValueEnum)]
enum PriorityArgument {
    Low,
    Medium,
    High,
    Urgent,
}

/// The task that each run makes. {date}, {time}, {planned}, {last_run}, what a trigger saw and --var are filled in.
#[derive(Args)]
pub struct TaskArguments {
    /// The agent that does it; without one it is your own
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Of the task; else the name of the schedule
    #[arg(long)]
    title: Option<String>,
    #[arg(long)]
    description: Option<String>,
    #[arg(long, value_enum)]
    priority: Option<PriorityArgument>,
    /// Of the task, as JSON
    #[arg(long, value_name = "JSON", value_parser = json)]
    input: Option<serde_json::Value>,
    #[arg(long = "label")]
    labels: Vec<String>,
    /// What becomes of times that pass while the program is closed
    #[arg(long, value_enum)]
    missed: Option<MissedArgument>,
    /// A variable for title, description and input
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
}

fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

impl TaskArguments {
    pub fn draft(
        self,
        session: &Session,
        name: String,
        timing: Timing,
        enabled: bool,
    ) -> Result<ScheduleDraft, Failure> {
        let template = TaskTemplate {
            agent: None,
            title: name.clone(),
            description: String::new(),
            priority: Priority::default(),
            input: serde_json::Value::Null,
            labels: Vec::new(),
            max_retries: None,
            time_limit_s: None,
        };
        let variables = Default::default();
        let mut draft = ScheduleDraft { name, timing, template, variables, missed: Missed::default(), enabled };
        self.change(session, &mut draft)?;
        Ok(draft)
    }

    /// Changes what is given.
    pub fn change(self, session: &Session, draft: &mut ScheduleDraft) -> Result<(), Failure> {
        let template = &mut draft.template;
        if let Some(name) = self.agent {
            template.agent = Some(agent_named(session, &name)?);
        }
        if let Some(title) = self.title {
            template.title = title;
        }
        if let Some(description) = self.description {
            template.description = description;
        }
        if let Some(input) = self.input {
            template.input = input;
        }
        if !self.labels.is_empty() {
            template.labels = self.labels;
        }
        if let Some(priority) = self.priority {
            template.priority = match priority {
                PriorityArgument::Low => Priority::Low,
                PriorityArgument::Medium => Priority::Medium,
                PriorityArgument::High => Priority::High,
                PriorityArgument::Urgent => Priority::Urgent,
            };
        }
        if let Some(missed) = self.missed {
            draft.missed = match missed {
                MissedArgument::Skip => Missed::Skip,
                MissedArgument::Once => Missed::RunOnce,
                MissedArgument::All => Missed::RunAll,
            };
        }
        draft.variables.extend(self.variables);
        Ok(())
    }
}

fn agent_named(session: &Session, name: &str) -> Result<AgentId, Failure> {
    let wanted = name.trim().to_lowercase();
    let all = session.call(ListAgents { filter: AgentFilter::default() })?;
    all.into_iter().find(|agent| agent.settings.name.to_lowercase() == wanted).map(|agent| agent.id).ok_or_else(|| {
        let shown = one_line(name);
        Failure::validation(format!("there is no agent '{shown}'"), "Run rspa agents list to see all.")
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        timing: TimingArguments,
    }

    fn timing(words: &[&str]) -> Result<Timing, String> {
        let line = Line::try_parse_from(std::iter::once(&"x").chain(words)).map_err(|error| error.to_string())?;
        line.timing.timing().map_err(|_failure| "refused".to_owned())
    }

    #[test]
    fn exactly_one_flag_says_when() {
        let cron = Timing::Cron { expression: "0 7 * * 1-5".to_owned(), zone: "Europe/Berlin".to_owned() };
        assert_eq!(timing(&["--cron", "0 7 * * 1-5", "--zone", "Europe/Berlin"]), Ok(cron));
        let process = Trigger::Process { name: "cargo".to_owned(), begins: false };
        assert_eq!(timing(&["--on-process", "cargo", "ends"]), Ok(Timing::When { trigger: process }));
        assert_eq!(timing(&["--on-session-start"]), Ok(Timing::When { trigger: Trigger::SessionStart }));
        let log = Trigger::Log { path: "/a.log".into(), pattern: "ERROR".to_owned() };
        assert_eq!(timing(&["--on-log", "/a.log", "--pattern", "ERROR"]), Ok(Timing::When { trigger: log }));
        for wrong in [&[][..], &["--cron", "* * * * *", "--every", "5"], &["--zone", "UTC"], &["--on-log", "/a"]] {
            assert!(timing(wrong).is_err(), "{wrong:?}");
        }
        assert!(timing(&["--on-process", "cargo", "sings"]).is_err());
        assert!(timing(&["--at", "yesterday"]).is_err());
        assert!(matches!(timing(&["--at", "2026-11-21 07:00"]), Ok(Timing::Once { .. })));
        assert!(
            matches!(timing(&["--on-file", "in"]), Ok(Timing::When { trigger: Trigger::File { path, .. } }) if path.is_absolute())
        );
    }
}
