//! Types, tools, data, figures, files and samples of agents.

use std::io::Write;
use std::path::Path;

use rspa_core::api::request::agents::{
    AddSampleData, GetAgentMetrics, ListAgentData, ListAgentTypes, ListTools, PutAgentDatum, RemoveSampleData,
    SetToolPolicy,
};
use rspa_core::model::{Agent, ToolEffect, TypeOrigin};
use serde_json::{Value, json};

use super::SampleVerb;
use super::draft::word_of;
use super::show::permission;
use crate::cli::activities::moment;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, one_line, path_text};
use crate::cli::session::Session;

pub fn types(session: &Session) -> Result<(), Failure> {
    let output = session.output;
    let list = session.call(ListAgentTypes {})?;
    if output.json {
        return output.json_line(&list);
    }
    for kind in &list.types {
        let origin = if kind.origin == TypeOrigin::BuiltIn { "" } else { "  (yours)" };
        output.line(&format!("{:<18}  {}{origin}", kind.id, one_line(&kind.description)))?;
    }
    for problem in &list.problems {
        output.note(&format!("{}: {}", path_text(&problem.path), problem.why));
    }
    output.note(&format!("A folder with an agent.toml in {} is a type too.", path_text(&list.folder)));
    Ok(())
}

pub fn tools(session: &Session, policy: Option<&str>) -> Result<(), Failure> {
    let output = session.output;
    let all = match policy {
        Some(given) => {
            let (tool, permission) = word_of(given)?;
            session.call(SetToolPolicy { tool, permission })?
        }
        None => session.call(ListTools {})?,
    };
    if output.json {
        return output.json_line(&all);
    }
    for tool in &all {
        let effect = match tool.effect {
            ToolEffect::Computes => "computes",
            ToolEffect::Reads => "reads",
            ToolEffect::Organises => "organises",
            ToolEffect::Writes => "writes files",
            ToolEffect::Executes => "runs programs",
            ToolEffect::Network => "network",
        };
        let profile = tool.profile.map_or_else(String::new, |word| format!("  profile: {}", permission(word)));
        let lacking =
            tool.unavailable.as_ref().map_or_else(String::new, |why| format!("  not here: {}", one_line(why)));
        output.line(&format!(
            "{:<18}  {effect:<13}  {:<5}  {}{profile}{lacking}",
            tool.name,
            permission(tool.default),
            one_line(&tool.title)
        ))?;
    }
    Ok(())
}

pub fn data(
    session: &Session,
    agent: &Agent,
    key: Option<String>,
    value: Option<String>,
    remove: bool,
) -> Result<(), Failure> {
    let output = session.output;
    let id = agent.id;
    let mut entries = match (&key, value) {
        (Some(key), Some(text)) => {
            let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
            session.call(PutAgentDatum { id, key: key.clone(), value: Some(value) })?
        }
        (Some(key), None) if remove => session.call(PutAgentDatum { id, key: key.clone(), value: None })?,
        _ => session.call(ListAgentData { id })?,
    };
    if let Some(key) = key.filter(|_| !remove) {
        entries.retain(|entry| entry.key == key);
        if entries.is_empty() {
            let words = format!("{} keeps nothing under '{}'", one_line(&agent.settings.name), one_line(&key));
            return Err(Failure::validation(words, "Run rspa agents data AGENT to see all keys."));
        }
    }
    if output.json {
        return output.json_line(&entries);
    }
    if entries.is_empty() {
        output.note(&format!("{} keeps nothing.", one_line(&agent.settings.name)));
    }
    entries.iter().try_for_each(|entry| {
        output.line(&format!(
            "{}  {}  {}",
            moment(entry.updated),
            one_line(&entry.key),
            one_line(&entry.value.to_string())
        ))
    })
}

pub fn metrics(session: &Session, agent: &Agent, days: u32) -> Result<(), Failure> {
    let output = session.output;
    let metrics = session.call(GetAgentMetrics { id: agent.id, days })?;
    if output.json {
        return output.json_line(&metrics);
    }
    for day in &metrics.days {
        let date = moment(day.at);
        let date = date.split(' ').next().unwrap_or_default();
        output.line(&format!(
            "{date}  {:>4} completed  {:>4} failed  {:>8.1} s  {:>8} tokens",
            day.completed,
            day.failed,
            day.worked_ms as f64 / 1_000.0,
            day.tokens
        ))?;
    }
    output.line(&format!("active {:.0} % of the time", metrics.uptime * 100.0))
}

/// Writes a file that was not there, readable for its owner only, or standard output.
pub fn export(output: Output, text: &str, to: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = to else {
        return if output.json { output.json_line(&json!({ "toml": text })) } else { output.text(text) };
    };
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| {
        Failure::validation(format!("{} cannot be made: {error}", path_text(path)), "Choose a name that is free.")
    })?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if output.json {
        output.json_line(&json!({ "path": path.to_string_lossy() }))
    } else {
        output.line(&format!("written: {}", path_text(path)))
    }
}

pub fn sample(session: &Session, what: SampleVerb) -> Result<(), Failure> {
    let output = session.output;
    let (name, count) = match what {
        SampleVerb::Add => ("added", session.call(AddSampleData {})?),
        SampleVerb::Remove => ("removed", session.call(RemoveSampleData {})?),
    };
    if output.json {
        return output.json_line(&json!({ name: count }));
    }
    output.line(&format!("sample data {name}: {count} things"))
}
