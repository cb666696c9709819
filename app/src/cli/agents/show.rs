//! Agents on the terminal.

use rspa_core::model::{Agent, AgentStatus, Permission};

use crate::cli::activities::moment;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, one_line, path_text};

pub fn status(status: AgentStatus) -> &'static str {
    match status {
        AgentStatus::Active => "active",
        AgentStatus::Inactive => "inactive",
        AgentStatus::Training => "training",
        AgentStatus::Error => "error",
        AgentStatus::Paused => "paused",
    }
}

pub fn permission(permission: Permission) -> &'static str {
    match permission {
        Permission::Allow => "allow",
        Permission::Ask => "ask",
        Permission::Deny => "deny",
    }
}

/// Share of the completed ones, in words.
fn rate(agent: &Agent) -> String {
    match agent.success_rate() {
        Some(rate) => format!("{:.0} % of {}", rate * 100.0, agent.completed + agent.failed),
        None => "no task done yet".to_owned(),
    }
}

pub fn list(output: Output, agents: &[Agent]) -> Result<(), Failure> {
    if output.json {
        return output.json_line(&agents);
    }
    if agents.is_empty() {
        output.note("No agents. Make one with: rspa agents create NAME --type analytical");
    }
    let width = agents.iter().map(|agent| agent.settings.name.chars().count()).max().unwrap_or(0).min(32);
    for agent in agents {
        let sample = if agent.sample { "  sample" } else { "" };
        output.line(&format!(
            "{:<width$}  {:<8}  {:<14}  {}{sample}",
            one_line(&agent.settings.name),
            status(agent.status),
            one_line(&agent.settings.kind),
            rate(agent),
        ))?;
    }
    Ok(())
}

pub fn done(output: Output, agent: &Agent, what: &str) -> Result<(), Failure> {
    if output.json {
        return output.json_line(agent);
    }
    output.line(&format!("{what}: {}  {}", one_line(&agent.settings.name), agent.id))
}

pub fn one(output: Output, agent: &Agent) -> Result<(), Failure> {
    if output.json {
        return output.json_line(agent);
    }
    let settings = &agent.settings;
    let detail = if agent.status_detail.is_empty() { String::new() } else { format!(" ({})", agent.status_detail) };
    let model = settings.model.as_ref().map_or("the default chat model", |model| model.0.as_str());
    let seconds = agent.worked_ms as f64 / 1_000.0;
    let last = agent.last_active.map_or_else(|| "never".to_owned(), moment);
    let facts = [
        ("name", settings.name.clone()),
        ("id", agent.id.to_string()),
        ("description", settings.description.clone()),
        ("status", format!("{}{detail}", status(agent.status))),
        ("type", settings.kind.clone()),
        ("model", format!("{model}, {}", settings.provider)),
        ("temperature", format!("{}, at most {} tokens", settings.temperature, settings.max_tokens)),
        ("cache", if settings.cache { String::new() } else { "no stored answer takes the model's place".to_owned() }),
        ("tags", settings.tags.join(", ")),
        (
            "budget",
            format!(
                "{} steps, {} tokens, {} s",
                settings.budget.steps, settings.budget.tokens, settings.budget.seconds
            ),
        ),
        ("tasks", format!("{} completed, {} failed, {seconds:.1} s of work", agent.completed, agent.failed)),
        ("last active", last),
        ("made", moment(agent.created)),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(&format!("{name:<12}  {}", one_line(value)))?;
    }
    for (name, rule) in &settings.tools {
        output.line(&format!("tool          {}: {}", one_line(name), permission(rule.permission)))?;
    }
    for folder in &settings.folders {
        let how = if folder.write { "read and write" } else { "read" };
        output.line(&format!("folder        {}: {how}", path_text(&folder.path)))?;
    }
    if settings.system_prompt.is_empty() {
        return Ok(());
    }
    output.line("prompt")?;
    settings.system_prompt.lines().try_for_each(|line| output.line(&format!("    {line}")))
}
