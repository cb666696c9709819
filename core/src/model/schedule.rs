//! Schedules: when or upon what a task is made, from which template, and what became of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AgentId, Priority, ScheduleId, TaskId, Timestamp};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "timing", rename_all = "snake_case")]
pub enum Timing {
    Once {
        at: Timestamp,
    },
    /// Counted from `from`, so that a restart does not move it.
    Every {
        minutes: u32,
        from: Timestamp,
    },
    /// Five fields, or six with seconds first.
    Cron {
        expression: String,
        /// Of the IANA database, such as `Europe/Berlin`; empty takes that of this computer.
        zone: String,
    },
    /// When something happens.
    When {
        trigger: Trigger,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trigger", rename_all = "snake_case")]
pub enum Trigger {
    /// A file is made or changed: one file, or those of a folder that match a glob such as `*.csv`.
    File {
        #[serde(with = "crate::model::exact_path")]
        path: PathBuf,
        pattern: String,
    },
    /// A commit appears on a branch; empty for any.
    Commit {
        #[serde(with = "crate::model::exact_path")]
        repository: PathBuf,
        branch: String,
    },
    /// A line that matches this regular expression is appended to a file.
    Log {
        #[serde(with = "crate::model::exact_path")]
        path: PathBuf,
        pattern: String,
    },
    /// A process of this name ends, or begins.
    Process { name: String, begins: bool },
    /// The window opens.
    SessionStart,
}

/// What becomes of runs whose time passed while the program was closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    Skip,
    #[default]
    RunOnce,
    RunAll,
}

/// What each run makes a task of. `{name}` in title, description and input is filled in: the schedule's variables, and
/// `date`, `time`, `planned`, `last_run`, for triggers also `path`, `line`, `commit`, `branch`, `message`, `process`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskTemplate {
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
    pub max_retries: Option<u32>,
    #[serde(default)]
    pub time_limit_s: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleDraft {
    /// Unique in its profile, whatever the case.
    pub name: String,
    pub timing: Timing,
    pub template: TaskTemplate,
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default)]
    pub missed: Missed,
    pub enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    pub id: ScheduleId,
    pub settings: ScheduleDraft,
    /// As it is called now; empty for none.
    pub agent_name: String,
    /// When and how often, in words.
    pub words: String,
    pub last_run: Option<Timestamp>,
    /// What became of the newest time in its history.
    #[serde(default)]
    pub last_outcome: Option<ScheduleOutcome>,
    /// None for triggers, for what is off and for what is over.
    pub next_run: Option<Timestamp>,
    pub runs: u64,
    /// Why it cannot work as it is, such as a folder that is gone.
    pub problem: Option<String>,
    /// The background agent that it belongs to.
    pub background: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub sample: bool,
}

/// One time that a schedule should have run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleRun {
    /// When it was due; for triggers when it happened.
    pub planned: Timestamp,
    /// When it was looked at.
    pub at: Timestamp,
    pub outcome: ScheduleOutcome,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ScheduleOutcome {
    /// A task was made; `late` when its time had passed while the program was closed.
    Ran {
        task: TaskId,
        late: bool,
    },
    /// Its time passed while the program was closed; how many times.
    Missed {
        times: u64,
    },
    Failed {
        why: String,
    },
}

/// A timing in words, with the next times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimingPreview {
    /// "At 07:00 on Monday to Friday, Europe/Berlin time".
    pub words: String,
    pub next: Vec<NextRun>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NextRun {
    pub at: Timestamp,
    /// "tomorrow, Sat 21 Nov at 07:00"; tells when the clocks change in between.
    pub words: String,
}

/// Agents that work in the background, ready to be switched on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackgroundAgent {
    /// `research`, `pipeline-monitor`, `digest`, `session-snapshots`.
    pub kind: String,
    pub name: String,
    pub description: String,
    /// What it still needs before it can be switched on, such as a folder to watch: name to words.
    pub needs: Vec<BackgroundNeed>,
    pub on: bool,
    pub agent: Option<AgentId>,
    pub schedule: Option<ScheduleId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackgroundNeed {
    pub name: String,
    pub label: String,
    pub default: String,
    /// It is a path.
    pub is_path: bool,
}
