//! Tasks in words: states, priorities, why one waits, what it does now; safe whatever a title says.

use jiff::tz::TimeZone;
use rspa_core::model::{BoardColumn, Priority, Task, TaskStatus, Timestamp, Wait, one_line};

use crate::state::pages::tasks::TasksState;
use crate::text::{duration, tr, tr_count, tr_with};
use crate::widgets::Tone;

/// Letters of a title that are laid out.
const TITLE: usize = 200;

/// Text of others on one line, bounded.
pub fn short(text: &str, letters: usize) -> String {
    // What is cut away is not even looked at.
    let end = text.char_indices().nth(letters).map_or(text.len(), |(end, _)| end);
    let mut shown = one_line(&text[..end]).into_owned();
    if end < text.len() {
        shown.push('…');
    }
    shown
}

pub fn title(task: &Task) -> String {
    match task.title.trim() {
        "" => tr("tasks.untitled").to_owned(),
        title => short(title, TITLE),
    }
}

pub fn agent(task: &Task) -> String {
    match task.agent {
        None => tr("tasks.nobody").to_owned(),
        Some(_) => short(&task.agent_name, 80),
    }
}

pub fn column(column: BoardColumn) -> &'static str {
    match column {
        BoardColumn::Backlog => tr("tasks.column.backlog"),
        BoardColumn::Queued => tr("tasks.column.queued"),
        BoardColumn::Running => tr("tasks.column.running"),
        BoardColumn::NeedsYou => tr("tasks.column.needs_you"),
        BoardColumn::Done => tr("tasks.column.done"),
    }
}

pub fn status(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Pending => tr("tasks.status.pending"),
        TaskStatus::Running => tr("tasks.status.running"),
        TaskStatus::Completed => tr("tasks.status.completed"),
        TaskStatus::Failed => tr("tasks.status.failed"),
        TaskStatus::Cancelled => tr("tasks.status.cancelled"),
    }
}

/// The state as a person asks for it, with its tone.
pub fn state(task: &Task) -> (Tone, &'static str) {
    match (task.status, task.column) {
        (TaskStatus::Pending | TaskStatus::Running, BoardColumn::NeedsYou) => {
            (Tone::Warn, tr("tasks.status.needs_you"))
        }
        (TaskStatus::Pending, BoardColumn::Backlog) => (Tone::Neutral, tr("tasks.status.held")),
        (TaskStatus::Pending, _) => (Tone::Neutral, status(task.status)),
        (TaskStatus::Running, _) => (Tone::Accent, status(task.status)),
        (TaskStatus::Completed, _) => (Tone::Ok, status(task.status)),
        (TaskStatus::Failed, _) => (Tone::Bad, status(task.status)),
        (TaskStatus::Cancelled, _) => (Tone::Neutral, status(task.status)),
    }
}

pub fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => tr("tasks.priority.low"),
        Priority::Medium => tr("tasks.priority.medium"),
        Priority::High => tr("tasks.priority.high"),
        Priority::Urgent => tr("tasks.priority.urgent"),
    }
}

pub fn priority_tone(priority: Priority) -> Tone {
    match priority {
        Priority::Low => Tone::Neutral,
        Priority::Medium => Tone::Accent,
        Priority::High => Tone::Warn,
        Priority::Urgent => Tone::Bad,
    }
}

pub const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Medium, Priority::High, Priority::Urgent];

/// Why it does not go on.
pub fn wait(wait: &Wait, tasks: &TasksState, now: Timestamp) -> String {
    let number = |id| tasks.task(id).map(|task| task.number);
    match wait {
        Wait::Held => tr("tasks.wait.held").to_owned(),
        Wait::Tasks { ids } => {
            let numbers: Vec<String> =
                ids.iter().take(3).filter_map(|id| number(*id)).map(|n| format!("#{n}")).collect();
            match (numbers.len(), ids.len()) {
                (0, count) => tr_count("tasks.wait.after_some", count as u64),
                (known, all) if known < all => {
                    tr_with("tasks.wait.after_more", &[("numbers", &numbers.join(", ")), ("n", &(all - known))])
                }
                _ => tr_with("tasks.wait.after", &[("numbers", &numbers.join(", "))]),
            }
        }
        Wait::Broken { id } => match number(*id) {
            Some(number) => tr_with("tasks.wait.broken", &[("number", &number)]),
            None => tr("tasks.wait.broken_some").to_owned(),
        },
        Wait::Until { at } => when(*at, now),
        Wait::Agent { why } => short(why, 160),
        Wait::Nobody => tr("tasks.wait.nobody").to_owned(),
        Wait::Turn => tr("tasks.wait.turn").to_owned(),
        Wait::Paused => tr("tasks.wait.paused").to_owned(),
        Wait::Approval { .. } => tr("tasks.wait.approval").to_owned(),
        Wait::Repeat { .. } => tr("tasks.wait.repeat").to_owned(),
    }
}

/// A moment that is near: 09:00, Fri 09:00, 4 Mar 09:00, 4 Mar 2027.
pub fn when(at: Timestamp, now: Timestamp) -> String {
    let zone = TimeZone::system();
    let zoned = |at: Timestamp| jiff::Timestamp::from_millisecond(at.0).ok().map(|at| at.to_zoned(zone.clone()));
    let (Some(then), Some(today)) = (zoned(at), zoned(now)) else { return String::new() };
    let days = today.date().until(then.date()).map_or(i32::MAX, |span| span.get_days());
    let form = match days {
        0 => "%H:%M",
        1..=6 => "%a %H:%M",
        _ if then.year() == today.year() => "%-d %b %H:%M",
        _ => "%-d %b %Y",
    };
    then.strftime(form).to_string()
}

/// How long its tries took; also while it runs.
pub fn took(task: &Task, now: Timestamp) -> Option<String> {
    let running = match (task.status, task.started) {
        (TaskStatus::Running, Some(started)) if task.execution_ms == 0 => (now.0 - started.0).max(0) as u64,
        _ => task.execution_ms,
    };
    (running > 0).then(|| duration(running as f64 / 1000.0))
}

/// "step 3 of 12 · reading sales.csv"
pub fn progress(task: &Task) -> Option<String> {
    let progress = task.progress.as_ref()?;
    let steps = tr_with("tasks.progress", &[("step", &progress.step), ("most", &progress.most)]);
    let doing = short(&progress.doing, 120);
    Some(if doing.is_empty() { steps } else { format!("{steps} · {doing}") })
}

/// From 0 to 1.
pub fn share(task: &Task) -> Option<f32> {
    let progress = task.progress.as_ref().filter(|progress| progress.most > 0)?;
    Some((progress.step as f32 / progress.most as f32).clamp(0.0, 1.0))
}

/// The one line below a card's agent, with its tone; none where there is nothing to say.
pub fn line(task: &Task, tasks: &TasksState, now: Timestamp) -> Option<(Tone, String)> {
    match task.status {
        TaskStatus::Running if task.column != BoardColumn::NeedsYou => {
            Some((Tone::Neutral, progress(task).unwrap_or_else(|| tr("tasks.begins").to_owned())))
        }
        TaskStatus::Completed => took(task, now).map(|words| (Tone::Neutral, words)),
        TaskStatus::Failed => {
            let why = task.error.as_ref().map_or(tr("tasks.status.failed"), |error| error.message.as_str());
            Some((Tone::Bad, short(why, 160)))
        }
        TaskStatus::Cancelled => Some((Tone::Neutral, status(task.status).to_owned())),
        TaskStatus::Pending | TaskStatus::Running => match &task.waits {
            None | Some(Wait::Held) => due(task, now).map(|words| (overdue(task, now), words)),
            Some(waits) => {
                let tone = match waits {
                    Wait::Broken { .. } | Wait::Agent { .. } => Tone::Warn,
                    _ => Tone::Neutral,
                };
                Some((tone, wait(waits, tasks, now)))
            }
        },
    }
}

/// As [`line()`], without making the words: whether there is one.
pub fn has_line(task: &Task) -> bool {
    match task.status {
        TaskStatus::Completed => task.execution_ms > 0,
        TaskStatus::Failed | TaskStatus::Cancelled => true,
        TaskStatus::Running if task.column != BoardColumn::NeedsYou => true,
        TaskStatus::Pending | TaskStatus::Running => match &task.waits {
            None | Some(Wait::Held) => task.due.is_some(),
            Some(_) => true,
        },
    }
}

pub fn due(task: &Task, now: Timestamp) -> Option<String> {
    task.due.map(|at| tr_with("tasks.due", &[("when", &when(at, now))]))
}

fn overdue(task: &Task, now: Timestamp) -> Tone {
    if task.due.is_some_and(|at| at < now) { Tone::Warn } else { Tone::Neutral }
}

/// What a screen reader says of a card or a row.
pub fn spoken(task: &Task, tasks: &TasksState, now: Timestamp) -> String {
    let (_, state) = state(task);
    let mut words = format!("#{} {}, {}, {state}, {}", task.number, title(task), agent(task), priority(task.priority));
    if let Some((_, line)) = line(task, tasks, now) {
        words = format!("{words}, {line}");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{NOW, task};

    #[test]
    fn a_line_is_there_exactly_when_it_is_said_so() {
        let tasks = TasksState::default();
        for status in TaskStatus::ALL {
            for waits in [None, Some(Wait::Held), Some(Wait::Turn), Some(Wait::Tasks { ids: vec![] })] {
                for (column, due, ms) in [(BoardColumn::Queued, None, 0), (BoardColumn::NeedsYou, Some(NOW), 5)] {
                    let mut task = task(1, "One");
                    (task.status, task.column, task.due, task.execution_ms) = (status, column, due, ms);
                    task.waits = waits.clone();
                    assert_eq!(has_line(&task), line(&task, &tasks, NOW).is_some(), "{task:?}");
                }
            }
        }
    }

    #[test]
    fn a_hostile_title_is_one_bounded_line() {
        let mut task = task(1, "One");
        task.title = "a\nb\u{202e}".to_owned() + &"x".repeat(1_000_000);
        let shown = title(&task);
        assert!(shown.starts_with("a\\nb\\u{202e}xxx") && shown.chars().count() < 300, "{shown}");
    }
}
