//! `rspa dashboard`: the figures over agents, tasks and schedules.

use clap::Args;
use rspa_core::api::request::dashboard::GetDashboard;
use rspa_core::model::{Dashboard, Task};

use super::Context;
use super::activities::moment;
use super::failure::Failure;
use super::output::{Output, one_line};
use super::session::Session;

#[derive(Args)]
pub struct DashboardArguments {
    /// Length of the window, in days: 1 to 365
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
}

pub fn run(context: &Context, arguments: DashboardArguments) -> Result<(), Failure> {
    let session = Session::start(context)?;
    let output = context.output;
    let dashboard = session.call(GetDashboard { days: arguments.days })?;
    if output.json {
        return output.json_line(&dashboard);
    }
    figures(output, &dashboard, arguments.days)?;
    let tasks = [("Running", &dashboard.running), ("Next", &dashboard.next), ("Needs you", &dashboard.needs_you)];
    for (title, tasks) in tasks.into_iter().chain([("Ended", &dashboard.ended)]) {
        list(output, title, tasks)?;
    }
    if !dashboard.schedules.is_empty() {
        output.line("\nScheduled")?;
    }
    for schedule in &dashboard.schedules {
        let next = schedule.next_run.map(moment).unwrap_or_default();
        output.line(&format!("  {next}  {}", one_line(&schedule.settings.name)))?;
    }
    if !dashboard.approvals.is_empty() {
        output.line("\nApprovals that wait (`rspa approvals`)")?;
    }
    for approval in &dashboard.approvals {
        output.line(&format!("  {}: {}", one_line(&approval.agent_name), one_line(&approval.title)))?;
    }
    for problem in &dashboard.problems {
        output.note(&format!("Not read: {}", one_line(problem)));
    }
    Ok(())
}

fn figures(output: Output, dashboard: &Dashboard, days: u32) -> Result<(), Failure> {
    let percent = |rate: Option<f64>| rate.map_or("–".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
    let tasks = &dashboard.tasks;
    let state = if tasks.paused { " (the queue is paused)" } else { "" };
    output.line(&format!("Agents          {} ({} active)", dashboard.agents, dashboard.agents_active))?;
    output.line(&format!(
        "Tasks           {} pending, {} running, {} completed, {} failed, {} cancelled, {} need you{state}",
        tasks.pending, tasks.running, tasks.completed, tasks.failed, tasks.cancelled, tasks.needs_you
    ))?;
    let (now, before) = (percent(dashboard.success_rate), percent(dashboard.success_rate_before));
    output.line(&format!("Success rate    {now} in {days} d ({before} before)"))?;
    let (now, before) = (dashboard.execution_hours, dashboard.execution_hours_before);
    output.line(&format!("Execution time  {now:.2} h ({before:.2} h before)"))?;
    output.line(&format!("Activities      {} in 24 h", dashboard.activities_24h))
}

fn list(output: Output, title: &str, tasks: &[Task]) -> Result<(), Failure> {
    if tasks.is_empty() {
        return Ok(());
    }
    output.line(&format!("\n{title}"))?;
    for task in tasks {
        let who = if task.agent_name.is_empty() { "you" } else { &task.agent_name };
        let error = task.error.as_ref().map(|error| format!(" – {}", one_line(&error.message))).unwrap_or_default();
        output.line(&format!("  #{:<5} {}  [{}]{error}", task.number, one_line(&task.title), one_line(who)))?;
    }
    Ok(())
}
