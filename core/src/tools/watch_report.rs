//! The tool that looks after a pipeline: which processes run, and the last telling lines of log files.

use std::io::{Read, Seek, SeekFrom};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::{Value, json};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use super::args::{parse, short, wrong};
use super::output::{Page, plain};
use super::{Proposal, Scope, Tool, ToolSpec, folders, schema};
use crate::api::{ApiError, ErrorCategory};
use crate::knowledge::readers::bytes_in_words;
use crate::knowledge::readers::text::decode;
use crate::model::{Permission, ProposedAction, ToolEffect, ToolOutput};

/// Of the end of a log file, in bytes.
const TAIL: u64 = 1 << 20;
const MOST_NAMES: usize = 20;
const MOST_LINES: usize = 50;

pub struct WatchReport;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Arguments {
    processes: String,
    path: String,
    pattern: String,
    lines: Option<usize>,
}

impl Arguments {
    fn names(text: &str) -> Result<Vec<&str>, ApiError> {
        let names: Vec<&str> = text.split([',', ';', '\n']).map(str::trim).filter(|name| !name.is_empty()).collect();
        match names.len() > MOST_NAMES {
            true => Err(wrong(format!("{MOST_NAMES} names are the most"))),
            false => Ok(names),
        }
    }

    fn pattern(&self) -> Result<Option<Regex>, ApiError> {
        if self.pattern.trim().is_empty() {
            return Ok(None);
        }
        if self.pattern.chars().count() > 400 {
            return Err(wrong("`pattern` is longer than 400 characters"));
        }
        let built = RegexBuilder::new(self.pattern.trim()).case_insensitive(true).size_limit(1 << 20).build();
        built.map(Some).map_err(|error| wrong(format!("`pattern` is no regular expression: {error}")))
    }

    fn check(&self, scope: &Scope) -> Result<(), ApiError> {
        self.pattern()?;
        let (processes, logs) = (Self::names(&self.processes)?, Self::names(&self.path)?);
        if processes.is_empty() && logs.is_empty() {
            return Err(wrong("name `processes`, log files in `path`, or both"));
        }
        for log in logs {
            folders::find(scope, log)?;
        }
        Ok(())
    }
}

impl Tool for WatchReport {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "watch_report".into(),
            title: "Report on a pipeline".into(),
            description: "Tells which of the named processes run, and the last lines of log files in allowed folders \
                          that match a pattern."
                .into(),
            effect: ToolEffect::Reads,
            default: Permission::Allow,
            repeatable: true,
            parameters: schema::object(
                &[
                    ("processes", schema::text(1_000, "Names of processes, with commas between.")),
                    ("path", schema::text(4_000, "Log files in allowed folders, with commas between.")),
                    (
                        "pattern",
                        schema::text(400, "Regular expression of lines, such as error|failed; all when empty."),
                    ),
                    ("lines", schema::integer(1, MOST_LINES as i64, "Of each file; 10 when not given.")),
                ],
                &[],
            ),
        }
    }

    fn propose(&self, arguments: &Value, scope: &Scope) -> Result<Proposal, ApiError> {
        let given: Arguments = parse(arguments)?;
        given.check(scope)?;
        let what = [given.processes.trim(), given.path.trim()].into_iter().filter(|text| !text.is_empty());
        Ok(Proposal {
            title: "Look after processes and logs".to_owned(),
            action: ProposedAction::Look { what: what.collect::<Vec<_>>().join("; ") },
            always: None,
            harmless: true,
        })
    }

    fn run(&self, arguments: &Value, _proposal: &Proposal, scope: &Scope) -> Result<ToolOutput, ApiError> {
        let given: Arguments = parse(arguments)?;
        given.check(scope)?;
        let (mut page, mut processes, mut logs) = (Page::new(), Vec::new(), Vec::new());
        let names = Arguments::names(&given.processes)?;
        if !names.is_empty() {
            let running = running()?;
            for name in names {
                let fits = |process: &&Running| process.name.eq_ignore_ascii_case(name);
                let found: Vec<_> = running.iter().filter(fits).collect();
                let memory: u64 = found.iter().map(|process| process.memory).sum();
                let words = match found.as_slice() {
                    [] => "does not run".to_owned(),
                    [one] => format!("runs (process {}), {}", one.id, bytes_in_words(memory)),
                    many => format!("runs {} times, {} together", many.len(), bytes_in_words(memory)),
                };
                page.line(&format!("process {}: {words}", plain(name)));
                processes.push(json!({"name": name, "running": found.len(), "memory": memory}));
            }
        }
        let pattern = given.pattern()?;
        let most = given.lines.unwrap_or(10).clamp(1, MOST_LINES);
        for log in Arguments::names(&given.path)? {
            if scope.cancel.is_cancelled() {
                return Err(ApiError::cancelled());
            }
            // One log that is not there yet must not hide the others.
            match tail(scope, log, pattern.as_ref(), most) {
                Ok((shown, matched, lines)) => {
                    page.line(&format!("log {}: {matched} lines match in its last part; the last:", plain(&shown)));
                    for line in &lines {
                        page.line(&format!("  {line}"));
                    }
                    logs.push(json!({"path": shown, "matched": matched, "lines": lines}));
                }
                Err(error) => {
                    page.line(&format!("log {}: {}", plain(log), error.message));
                    logs.push(json!({"path": log, "problem": error.message}));
                }
            }
        }
        Ok(ToolOutput {
            text: page.finish("lines"),
            data: Some(json!({"processes": processes, "logs": logs})),
            ..ToolOutput::default()
        })
    }
}

struct Running {
    id: u32,
    name: String,
    memory: u64,
}

fn running() -> Result<Vec<Running>, ApiError> {
    let unknown = || {
        ApiError::new(
            ErrorCategory::System,
            "this system does not tell which processes run",
            "Watch log files instead.",
        )
    };
    let mut system = System::new().map_err(|_error| unknown())?;
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::All, false, what);
    let processes = system.processes().values().filter(|process| process.thread_kind().is_none());
    Ok(processes
        .map(|process| {
            let name = process.name().to_string_lossy();
            Running {
                id: process.pid().as_u32(),
                name: name.strip_suffix(".exe").unwrap_or(&name).to_owned(),
                memory: process.memory(),
            }
        })
        .collect())
}

/// Its path, how many lines match in the end of the file, and the last of those.
fn tail(
    scope: &Scope,
    log: &str,
    pattern: Option<&Regex>,
    most: usize,
) -> Result<(String, usize, Vec<String>), ApiError> {
    let place = folders::find(scope, log)?;
    let mut file = place.open_file()?;
    let size = file.metadata().map_err(|error| place.io(&error))?.len();
    let from = size.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from)).map_err(|error| place.io(&error))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).map_err(|error| place.io(&error))?;
    let decoded = decode(&bytes).map_err(|error| wrong(format!("{}: {error}", place.shown())))?;
    // The first line of a cut part is a half one.
    let lines = decoded.text.lines().skip(usize::from(from > 0));
    let matching: Vec<&str> = lines.filter(|line| pattern.is_none_or(|pattern| pattern.is_match(line))).collect();
    let last = matching.iter().skip(matching.len().saturating_sub(most)).map(|line| short(&plain(line), 300)).collect();
    Ok((place.shown(), matching.len(), last))
}
