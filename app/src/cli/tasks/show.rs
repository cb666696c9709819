//! Tasks in words, for the terminal.

use rspa_core::model::{
    Chart, OutputTable, Priority, RunOutcome, Task, TaskCounts, TaskDetail, TaskOutput, TaskStatus, Wait,
};

use crate::cli::activities::moment;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, one_line};

/// One task on one line, or as JSON.
pub fn line(output: Output, task: &Task) -> Result<(), Failure> {
    if output.json {
        return output.json_line(task);
    }
    let agent = if task.agent.is_some() { format!("  [{}]", one_line(&task.agent_name)) } else { String::new() };
    let priority = if task.priority == Priority::Medium { "" } else { priority(task.priority) };
    let more = match (&task.waits, &task.error) {
        (Some(wait), _) => format!("  ({})", waits(wait)),
        (None, Some(error)) => format!("  ({})", one_line(&error.message)),
        (None, None) => String::new(),
    };
    let line =
        format!("#{:<5} {:<9} {priority:<6}  {}{agent}{more}", task.number, status(task.status), one_line(&task.title));
    output.line(line.trim_end())
}

pub fn status(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Pending => "pending",
        TaskStatus::Running => "running",
        TaskStatus::Completed => "completed",
        TaskStatus::Failed => "failed",
        TaskStatus::Cancelled => "cancelled",
    }
}

fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
        Priority::Urgent => "urgent",
    }
}

/// Why a task does not go on.
pub fn waits(wait: &Wait) -> String {
    match wait {
        Wait::Held => "held back".to_owned(),
        Wait::Tasks { ids } if ids.len() == 1 => "waits for another task".to_owned(),
        Wait::Tasks { ids } => format!("waits for {} other tasks", ids.len()),
        Wait::Broken { .. } => "a task that it depends on was not completed".to_owned(),
        Wait::Until { at } => format!("not before {}", moment(*at)),
        Wait::Agent { why } => one_line(why),
        Wait::Nobody => "yours".to_owned(),
        Wait::Turn => "waits for its turn".to_owned(),
        Wait::Paused => "the queue is paused".to_owned(),
        Wait::Approval { .. } => "waits for your approval: rspa approvals".to_owned(),
        Wait::Repeat { done } => {
            format!("cut off while: {}; rspa tasks repeat --yes or --no", one_line(&done.join("; ")))
        }
    }
}

/// Everything of a task.
pub fn detail(output: Output, detail: &TaskDetail) -> Result<(), Failure> {
    if output.json {
        return output.json_line(detail);
    }
    let task = &detail.task;
    line(output, task)?;
    let field = |name: &str, value: String| output.line(&format!("  {name:<13} {value}"));
    field("id", task.id.to_string())?;
    if !task.description.is_empty() {
        field("description", one_line(&task.description))?;
    }
    if !task.input.is_null() {
        field("input", one_line(&task.input.to_string()))?;
    }
    if !task.labels.is_empty() {
        field("labels", one_line(&task.labels.join(", ")))?;
    }
    let times = [
        ("created", Some(task.created)),
        ("not before", task.not_before),
        ("due", task.due),
        ("started", task.started),
        ("ended", task.completed),
    ];
    for (name, at) in times {
        if let Some(at) = at {
            field(name, moment(at))?;
        }
    }
    if task.execution_ms > 0 {
        field("took", format!("{:.1} s", task.execution_ms as f64 / 1e3))?;
    }
    field("tries", format!("{} made again, {} may be", task.retries, task.max_retries))?;
    for (name, others) in [("after", &detail.depends_on), ("before", &detail.dependents)] {
        for other in others {
            field(name, format!("#{} {} ({})", other.number, one_line(&other.title), status(other.status)))?;
        }
    }
    if let Some(error) = &task.error {
        field("error", one_line(&error.message))?;
        field("", one_line(&error.advice))?;
    }
    for run in &detail.runs {
        let outcome = match &run.outcome {
            None => "goes on",
            Some(RunOutcome::Completed) => "completed",
            Some(RunOutcome::Failed { .. }) => "failed",
            Some(RunOutcome::Cancelled) => "cancelled",
            Some(RunOutcome::CutOff) => "cut off",
        };
        field("run", format!("{}  {} steps, {outcome}  {}", moment(run.started), run.steps, run.id))?;
    }
    let Some(given) = &task.output else { return Ok(()) };
    output.line("")?;
    result(output, given)
}

/// What a task gave: words, table, charts, what was changed.
pub fn result(output: Output, given: &TaskOutput) -> Result<(), Failure> {
    let mut parts = Vec::new();
    if !given.text.trim().is_empty() {
        parts.push(given.text.trim_end().to_owned());
    }
    match given.table() {
        Some(table) => {
            parts.extend(Some(table.summary.clone()).filter(|summary| !summary.is_empty()));
            parts.push(columns(&table));
        }
        None if !given.data.is_null() => parts.push(one_line(&given.data.to_string())),
        None => {}
    }
    parts.extend(given.charts.iter().map(bars));
    if !given.changed.is_empty() {
        parts.push(
            given.changed.iter().map(|line| format!("changed: {}", one_line(line))).collect::<Vec<_>>().join("\n"),
        );
    }
    output.line(&parts.join("\n\n"))
}

/// A table with its columns beneath each other.
fn columns(table: &OutputTable) -> String {
    let wide = |text: &str| text.chars().count();
    let width = |at: usize| {
        let cells = table.rows.iter().filter_map(|row| row.get(at)).chain(table.columns.get(at));
        cells.map(|cell| wide(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells
            .iter()
            .zip(widths.iter().zip(&table.numeric))
            .map(|(cell, (width, numeric))| {
                let (cell, width) = (one_line(cell), *width);
                if *numeric { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            })
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut lines =
        vec![line(&table.columns), widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("  ")];
    lines.extend(table.rows.iter().map(|row| line(row)));
    lines.join("\n")
}

/// Bars and lines over named places as rows of blocks; other charts by their name, the window draws them.
fn bars(chart: &Chart) -> String {
    const WIDTH: f64 = 40.0;
    let title = one_line(&chart.title);
    let (Some(series), true) = (chart.series.first(), chart.series.len() == 1 && !chart.categories.is_empty()) else {
        return format!("Chart: {title} ({} series; the window draws it)", chart.series.len());
    };
    let most = series.points.iter().map(|(_, y)| y.abs()).fold(0.0, f64::max);
    let names: Vec<String> = chart.categories.iter().map(|name| one_line(name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut lines = vec![format!("Chart: {title}")];
    for (x, y) in &series.points {
        let Some(name) = names.get(*x as usize) else { continue };
        let length = if most > 0.0 { (y.abs() / most * WIDTH).round() as usize } else { 0 };
        let value = if y.fract() == 0.0 { format!("{y:.0}") } else { format!("{y:.2}") };
        lines.push(format!("{name:<width$}  {} {value}", "█".repeat(length)));
    }
    lines.join("\n")
}

/// What happened to a task.
pub fn timeline(output: Output, detail: &TaskDetail) -> Result<(), Failure> {
    if output.json {
        return output.json_line(&detail.timeline);
    }
    detail.timeline.iter().try_for_each(|one| {
        let line = format!("{}  {:<10} {}", moment(one.at), one_line(&one.kind), one_line(&one.detail));
        output.line(line.trim_end())
    })
}

pub fn counts(output: Output, counts: TaskCounts) -> Result<(), Failure> {
    if output.json {
        return output.json_line(&counts);
    }
    let TaskCounts { pending, running, completed, failed, cancelled, needs_you, paused } = counts;
    let paused = if paused { "The queue is paused. " } else { "" };
    output.line(&format!(
        "{paused}Pending {pending}, running {running}, completed {completed}, failed {failed}, cancelled {cancelled}; \
         {needs_you} wait for you."
    ))
}
