//! The arguments that every verb shares, and the list of verbs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the system is not as it should be (no display, a failed check of doctor, an internal fault)
  2    the command line was not understood
  3    something was not found or is not allowed: a path, a model, a setting, an empty question
  4    the data folder or a file cannot be used: in use, read-only, full, damaged
  5    refused: nothing may leave this computer unless you confirm it
  6    the model or other work failed
  130  interrupted (Ctrl-C); 143 when asked to terminate, 129 when the terminal is gone

With --json, an error is one line on standard error: {\"error\":{\"category\",\"message\",\"advice\"}}.
Without a verb the window opens.";

/// A private workshop for your documents and language models, on this computer alone.
#[derive(Parser)]
#[command(name = "rspa", version, after_long_help = EXIT_CODES, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

#[derive(Args, Clone)]
pub struct Global {
    /// Print JSON for scripts; errors too
    #[arg(long, global = true)]
    pub json: bool,
    /// Keep all data in this folder
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Work in this profile, whichever is active in the window
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Use this value of a setting, for this run only
    #[arg(long = "set", global = true, value_name = "GROUP.KEY=VALUE", value_parser = parse_override)]
    pub overrides: Vec<(String, String)>,
    /// Say more on standard error (twice: details, three times: everything)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

impl Global {
    /// The settings given with `--set`; the last one of a key wins.
    pub fn overrides(&self) -> BTreeMap<String, String> {
        self.overrides.iter().cloned().collect()
    }

    /// From which level on logs go to the console.
    pub fn console_level(&self) -> Option<String> {
        let level = match self.verbose {
            0 => return None,
            1 => "info",
            2 => "debug",
            _ => "trace",
        };
        Some(level.to_owned())
    }
}

#[derive(Subcommand)]
pub enum Verb {
    /// Ask a question; the answer cites the passages of your documents that support it
    Ask(super::ask::AskArguments),
    /// Talk in one chat, line by line
    Chat(super::chat::ChatArguments),
    /// Folders, files and pages that are read and searched
    Index(super::index::IndexArguments),
    /// The documents of the index: text, structure, how well they could be read
    Docs(super::docs::DocsArguments),
    /// Find passages in your documents
    Search(super::search::SearchArguments),
    /// Language models and encoders on this computer
    Models(super::models::ModelsArguments),
    /// Look at settings and change them
    Settings(super::settings::SettingsArguments),
    /// Agents that work for you: make, change, pause, export
    Agents(super::agents::AgentsArguments),
    /// What agents ask your permission for, and the rules you made
    Approvals(super::approvals::ApprovalsArguments),
    /// Figures over agents, tasks and schedules
    Dashboard(super::dashboard::DashboardArguments),
    /// What you were told
    Notifications(super::notifications::NotificationsArguments),
    /// Agents that work on one thing together: make, run, replay
    Crews(super::crews::CrewsArguments),
    /// Servers that models run on, and which model answers what
    Providers(super::providers::ProvidersArguments),
    /// Servers of tools (Model Context Protocol): add, look at, call
    Mcp(super::mcp::McpArguments),
    /// Tokens, time and cost by day, provider, model and agent
    Usage(super::usage::UsageArguments),
    /// What is done at set times, or when something happens
    Schedules(super::schedules::SchedulesArguments),
    /// Give agents something to do; list, watch, cancel, try again
    Tasks(super::tasks::TasksArguments),
    /// What happened, filtered by kind, time and text
    Activities(super::activities::ActivitiesArguments),
    /// Make, list, verify and remove backups
    Backup(super::backup::BackupArguments),
    /// Keys of services: set, test, rotate, remove
    Credentials(super::credentials::CredentialsArguments),
    /// Check the database, save what can be read of a damaged one
    Db(super::db::DbArguments),
    /// What the program wrote down of its own work
    Logs(super::logs::LogsArguments),
    /// What may leave this computer, and what did
    Network(super::network::NetworkArguments),
    /// Separate worlds: make, switch, delete
    Profiles(super::profiles::ProfilesArguments),
    /// Delete data of this program, after asking
    Reset(super::reset::ResetArguments),
    /// Go back to a backup or to an earlier minute
    Restore(super::restore::RestoreArguments),
    /// What was deleted, and the way back
    Trash(super::trash::TrashArguments),
    /// Check that everything is as it should be
    Doctor,
    /// Measure this computer; one JSON object a line with --json
    Bench(super::bench::BenchArguments),
}

fn parse_override(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected GROUP.KEY=VALUE")?;
    let key = key.trim();
    if key.split('.').count() != 2 || key.split('.').any(str::is_empty) {
        return Err(format!("'{key}' is not a setting's name: expected GROUP.KEY=VALUE"));
    }
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_declared_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_override_needs_a_group_a_key_and_a_value() {
        assert_eq!(parse_override("ui.theme=a=b"), Ok(("ui.theme".to_owned(), "a=b".to_owned())));
        for wrong in ["", "ui.theme", "theme=dark", "ui.=dark", ".theme=dark", "a.b.c=d"] {
            assert!(parse_override(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_verb_is_the_window_and_global_flags_go_anywhere() {
        let arguments = Arguments::try_parse_from(["rspa"]).expect("parses");
        assert!(arguments.verb.is_none());
        let arguments = Arguments::try_parse_from(["rspa", "index", "list", "--json", "--set", "ui.theme=dark", "-vv"])
            .expect("parses");
        assert!(arguments.global.json);
        assert_eq!(arguments.global.overrides()["ui.theme"], "dark");
        assert_eq!(arguments.global.console_level().as_deref(), Some("debug"));
    }
}
