//! Tasks: what is to be done, by whom, in which state, and what happened to it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AgentId, ApprovalId, Chart, Run, ScheduleId, TaskId, Timestamp};
use crate::api::ApiError;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    #[default]
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl TaskStatus {
    pub const ALL: [Self; 5] = [Self::Pending, Self::Running, Self::Completed, Self::Failed, Self::Cancelled];

    /// Nothing happens to it any more unless the person wants it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    #[default]
    Medium,
    High,
    Urgent,
}

/// Where a task stands on the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoardColumn {
    /// Pending, and held back until the person moves it.
    Backlog,
    #[default]
    Queued,
    Running,
    /// It waits for the person: an approval, a question, a word on repeating.
    NeedsYou,
    /// Completed, failed or cancelled.
    Done,
}

impl BoardColumn {
    pub const ALL: [Self; 5] = [Self::Backlog, Self::Queued, Self::Running, Self::NeedsYou, Self::Done];
}

/// Why a task does not go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Wait {
    /// The person holds it back.
    Held,
    /// Others that must be completed first.
    Tasks {
        ids: Vec<TaskId>,
    },
    /// One of those it depends on failed or was cancelled.
    Broken {
        id: TaskId,
    },
    /// Not before this time: as it was set, or because of a pause before the next try.
    Until {
        at: Timestamp,
    },
    /// Its agent takes no tasks now; why, in words.
    Agent {
        why: String,
    },
    /// Nobody is to do it: it is the person's own.
    Nobody,
    /// As many run as may.
    Turn,
    /// The queue is paused.
    Paused,
    Approval {
        id: ApprovalId,
    },
    /// The program ended while it ran, and what it did may not be done twice without the person's word.
    Repeat {
        done: Vec<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub id: TaskId,
    /// Rises by one in each profile; for people: #482.
    pub number: u64,
    /// None for the person's own, which nobody runs.
    pub agent: Option<AgentId>,
    /// As it was called when the task was last changed.
    pub agent_name: String,
    pub title: String,
    pub description: String,
    pub status: TaskStatus,
    pub column: BoardColumn,
    /// Order within its column: smaller ones stand higher.
    pub position: i64,
    pub priority: Priority,
    pub input: Value,
    pub output: Option<TaskOutput>,
    pub error: Option<ApiError>,
    /// Tries after the first.
    pub retries: u32,
    pub max_retries: u32,
    /// Of one try.
    pub time_limit_s: u32,
    /// Time that its tries took, waiting for the person not counted.
    pub execution_ms: u64,
    pub not_before: Option<Timestamp>,
    pub due: Option<Timestamp>,
    pub labels: Vec<String>,
    pub depends_on: Vec<TaskId>,
    /// The schedule that made it.
    pub schedule: Option<ScheduleId>,
    /// The task that made it.
    pub parent: Option<TaskId>,
    /// Why it does not go on; none when it does, or has ended.
    pub waits: Option<Wait>,
    pub progress: Option<TaskProgress>,
    pub created: Timestamp,
    pub started: Option<Timestamp>,
    pub completed: Option<Timestamp>,
    pub updated: Timestamp,
    pub sample: bool,
}

/// What a task gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskOutput {
    /// Markdown.
    pub text: String,
    pub data: Value,
    pub charts: Vec<Chart>,
    /// What was changed outside: files written, commands run, requests sent.
    pub changed: Vec<String>,
}

/// Cells of a table that are shown.
const MOST_ROWS: usize = 200;
const MOST_COLUMNS: usize = 12;
const CELL_CHARS: usize = 80;
const SUMMARY_CHARS: usize = 400;

/// What of a result is a table: names of the columns and texts of the cells, each on one line.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputTable {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// For each column whether all its cells are numbers or empty.
    pub numeric: Vec<bool>,
    /// What it says, in a sentence of the tool; may be empty.
    pub summary: String,
}

impl TaskOutput {
    /// The data as a table, where it is one: `columns` and `rows`, as the tools on tables give them.
    pub fn table(&self) -> Option<OutputTable> {
        let columns: Vec<&Value> = self.data.get("columns")?.as_array()?.iter().take(MOST_COLUMNS).collect();
        let rows: Vec<&Vec<Value>> =
            self.data.get("rows")?.as_array()?.iter().take(MOST_ROWS).map(Value::as_array).collect::<Option<_>>()?;
        if columns.is_empty() || rows.is_empty() {
            return None;
        }
        let is_number = |value: Option<&Value>| value.is_none_or(|value| value.is_number() || value.is_null());
        let numeric = (0..columns.len()).map(|at| rows.iter().all(|row| is_number(row.get(at)))).collect();
        let row = |row: &Vec<Value>| (0..columns.len()).map(|at| row.get(at).map_or_else(String::new, cell)).collect();
        Some(OutputTable {
            columns: columns.iter().map(|name| cell(name)).collect(),
            rows: rows.into_iter().map(row).collect(),
            numeric,
            summary: self.data.get("summary").map_or_else(String::new, |words| {
                words.as_str().unwrap_or_default().chars().take(SUMMARY_CHARS).filter(|c| !c.is_control()).collect()
            }),
        })
    }
}

impl OutputTable {
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<&str> = self.numeric.iter().map(|numeric| if *numeric { "---:" } else { "---" }).collect();
        let mut text = format!("{}| {} |\n", line(&self.columns), rule.join(" | "));
        text.extend(self.rows.iter().map(|row| line(row)));
        text
    }
}

fn escaped(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    for letter in cell.chars() {
        if "\\|*_`[]<>~!&#".contains(letter) {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

/// Figures with two decimals, or four digits where they are small.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Number(number) => match number.as_f64() {
            Some(value) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
            Some(value) if value.abs() >= 1.0 && value.abs() < 1e15 => format!("{value:.2}"),
            Some(value) if value.abs() >= 1e-4 && value.abs() < 1.0 => format!("{value:.4}"),
            _ => number.to_string(),
        },
        Value::String(text) => one_line(text),
        other => one_line(&other.to_string()),
    }
}

fn one_line(text: &str) -> String {
    let line: String = text.chars().take(CELL_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(CELL_CHARS).is_some() { format!("{line}…") } else { line }
}

/// How far a running task is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskProgress {
    /// Steps done, and most that there can be.
    pub step: u32,
    pub most: u32,
    /// What it does now: "reading sales.csv".
    pub doing: String,
}

/// What is needed to make a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskDraft {
    pub agent: Option<AgentId>,
    pub title: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub priority: Priority,
    #[serde(default)]
    pub input: Value,
    #[serde(default)]
    pub labels: Vec<String>,
    #[serde(default)]
    pub depends_on: Vec<TaskId>,
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// None takes what the settings say.
    #[serde(default)]
    pub max_retries: Option<u32>,
    #[serde(default)]
    pub time_limit_s: Option<u32>,
    /// In the backlog: not run until the person moves it.
    #[serde(default)]
    pub held: bool,
}

impl TaskDraft {
    pub fn new(agent: Option<AgentId>, title: impl Into<String>) -> Self {
        Self {
            agent,
            title: title.into(),
            description: String::new(),
            priority: Priority::default(),
            input: Value::Null,
            labels: Vec::new(),
            depends_on: Vec::new(),
            not_before: None,
            due: None,
            max_retries: None,
            time_limit_s: None,
            held: false,
        }
    }
}

/// All that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskFilter {
    /// In title, description, label or agent's name, whatever the case; `#482` is a number; empty means all.
    pub text: String,
    /// Empty means all.
    pub status: Vec<TaskStatus>,
    pub agent: Option<AgentId>,
    pub priority: Option<Priority>,
    pub label: Option<String>,
    pub schedule: Option<ScheduleId>,
    /// Created in this time: from inclusive, until exclusive.
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskSort {
    /// The newest first.
    #[default]
    Created,
    /// What changed last first.
    Updated,
    /// The most urgent first.
    Priority,
    /// What is due first; without a date last.
    Due,
    Title,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskCounts {
    pub pending: u64,
    pub running: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
    /// Of the open ones: wait for the person.
    pub needs_you: u64,
    /// The queue takes nothing new.
    pub paused: bool,
}

/// The board, column by column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Board {
    pub columns: Vec<ColumnContent>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnContent {
    pub column: BoardColumn,
    /// In the whole column, not only in `tasks`.
    pub total: u64,
    /// In order.
    pub tasks: Vec<Task>,
}

/// A task with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskDetail {
    pub task: Task,
    /// Oldest first.
    pub timeline: Vec<TaskMoment>,
    /// Its tries, oldest first.
    pub runs: Vec<Run>,
    /// Those it waits for, and those that wait for it.
    pub depends_on: Vec<Task>,
    pub dependents: Vec<Task>,
}

/// One thing that happened to a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskMoment {
    pub at: Timestamp,
    /// `created`, `queued`, `assigned`, `started`, `retried`, `waits`, `completed`, `failed`, `cancelled`, `moved`, `changed`.
    pub kind: String,
    /// For people.
    pub detail: String,
}
