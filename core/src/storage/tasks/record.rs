//! What is stored of tasks, apart from the types that everybody else works with.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::api::ApiError;
use crate::model::{
    AgentId, ApprovalId, BoardColumn, Priority, RunId, ScheduleId, Task, TaskId, TaskMoment, TaskOutput, TaskProgress,
    TaskStatus, Timestamp, Wait,
};
use crate::storage::first_version;
use crate::tasks::state::{Entry, Lease};

#[derive(Serialize, Deserialize)]
pub(super) struct StoredTask {
    number: u64,
    #[serde(default)]
    agent: Option<Uuid>,
    #[serde(default)]
    agent_name: String,
    title: String,
    #[serde(default)]
    description: String,
    status: TaskStatus,
    column: BoardColumn,
    position: i64,
    priority: Priority,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    output: Option<TaskOutput>,
    #[serde(default)]
    error: Option<ApiError>,
    retries: u32,
    max_retries: u32,
    time_limit_s: u32,
    execution_ms: u64,
    #[serde(default)]
    not_before: Option<i64>,
    #[serde(default)]
    due: Option<i64>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    depends_on: Vec<Uuid>,
    #[serde(default)]
    schedule: Option<Uuid>,
    #[serde(default)]
    parent: Option<Uuid>,
    #[serde(default)]
    waits: Option<StoredWait>,
    #[serde(default)]
    progress: Option<TaskProgress>,
    created: i64,
    #[serde(default)]
    started: Option<i64>,
    #[serde(default)]
    completed: Option<i64>,
    updated: i64,
    #[serde(default)]
    sample: bool,
    #[serde(default)]
    held: bool,
    #[serde(default)]
    trashed: bool,
    #[serde(default)]
    retry_at: Option<i64>,
    #[serde(default)]
    resumes: Option<Uuid>,
    #[serde(default)]
    may_repeat: bool,
    #[serde(default)]
    cut_offs: u32,
    #[serde(default)]
    moments: u32,
}
first_version!(StoredTask, "task");

/// What is stored of [`Wait`]: what depends on the agent, the queue or its turn is found out when a task is read.
#[derive(Serialize, Deserialize)]
enum StoredWait {
    Held,
    Tasks(Vec<Uuid>),
    Broken(Uuid),
    Until(i64),
    Nobody,
    Approval(Uuid),
    Repeat(Vec<String>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredLease {
    number: u32,
    #[serde(default)]
    run: Option<Uuid>,
    #[serde(default)]
    resumed: bool,
    #[serde(default)]
    may_repeat: bool,
    #[serde(default)]
    waiting: bool,
    #[serde(default)]
    cancelled: bool,
    #[serde(default)]
    open: Vec<String>,
    #[serde(default)]
    done: Vec<String>,
    began: i64,
}
first_version!(StoredLease, "lease");

#[derive(Serialize, Deserialize)]
pub(super) struct StoredMoment {
    at: i64,
    kind: String,
    #[serde(default)]
    detail: String,
}
first_version!(StoredMoment, "moment of a task");

/// What a profile's queue counts.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredTally {
    /// The highest number that was given.
    pub last_number: u64,
    /// In the order of [`TaskStatus::ALL`].
    pub by_status: [u64; 5],
    /// In the order of [`BoardColumn::ALL`].
    pub by_column: [u64; 5],
    #[serde(default)]
    pub paused: bool,
}
first_version!(StoredTally, "tally of tasks");

fn wait_of(wait: &Wait) -> Option<StoredWait> {
    Some(match wait {
        Wait::Held => StoredWait::Held,
        Wait::Tasks { ids } => StoredWait::Tasks(ids.iter().map(|id| id.0).collect()),
        Wait::Broken { id } => StoredWait::Broken(id.0),
        Wait::Until { at } => StoredWait::Until(at.0),
        Wait::Nobody => StoredWait::Nobody,
        Wait::Approval { id } => StoredWait::Approval(id.0),
        Wait::Repeat { done } => StoredWait::Repeat(done.clone()),
        Wait::Agent { .. } | Wait::Turn | Wait::Paused => return None,
    })
}

impl StoredWait {
    fn into_wait(self) -> Wait {
        match self {
            Self::Held => Wait::Held,
            Self::Tasks(ids) => Wait::Tasks { ids: ids.into_iter().map(TaskId).collect() },
            Self::Broken(id) => Wait::Broken { id: TaskId(id) },
            Self::Until(at) => Wait::Until { at: Timestamp(at) },
            Self::Nobody => Wait::Nobody,
            Self::Approval(id) => Wait::Approval { id: ApprovalId(id) },
            Self::Repeat(done) => Wait::Repeat { done },
        }
    }
}

impl StoredTask {
    pub fn of(entry: &Entry) -> Self {
        let task = &entry.task;
        Self {
            number: task.number,
            agent: task.agent.map(|id| id.0),
            agent_name: task.agent_name.clone(),
            title: task.title.clone(),
            description: task.description.clone(),
            status: task.status,
            column: task.column,
            position: task.position,
            priority: task.priority,
            input: task.input.clone(),
            output: task.output.clone(),
            error: task.error.clone(),
            retries: task.retries,
            max_retries: task.max_retries,
            time_limit_s: task.time_limit_s,
            execution_ms: task.execution_ms,
            not_before: task.not_before.map(|at| at.0),
            due: task.due.map(|at| at.0),
            labels: task.labels.clone(),
            depends_on: task.depends_on.iter().map(|id| id.0).collect(),
            schedule: task.schedule.map(|id| id.0),
            parent: task.parent.map(|id| id.0),
            waits: task.waits.as_ref().and_then(wait_of),
            progress: task.progress.clone(),
            created: task.created.0,
            started: task.started.map(|at| at.0),
            completed: task.completed.map(|at| at.0),
            updated: task.updated.0,
            sample: task.sample,
            held: entry.held,
            trashed: entry.trashed,
            retry_at: entry.retry_at.map(|at| at.0),
            resumes: entry.resumes.map(|id| id.0),
            may_repeat: entry.may_repeat,
            cut_offs: entry.cut_offs,
            moments: entry.moments,
        }
    }

    pub fn into_entry(self, id: u128) -> Entry {
        let task = Task {
            id: TaskId(Uuid::from_u128(id)),
            number: self.number,
            agent: self.agent.map(AgentId),
            agent_name: self.agent_name,
            title: self.title,
            description: self.description,
            status: self.status,
            column: self.column,
            position: self.position,
            priority: self.priority,
            input: self.input,
            output: self.output,
            error: self.error,
            retries: self.retries,
            max_retries: self.max_retries,
            time_limit_s: self.time_limit_s,
            execution_ms: self.execution_ms,
            not_before: self.not_before.map(Timestamp),
            due: self.due.map(Timestamp),
            labels: self.labels,
            depends_on: self.depends_on.into_iter().map(TaskId).collect(),
            schedule: self.schedule.map(ScheduleId),
            parent: self.parent.map(TaskId),
            waits: self.waits.map(StoredWait::into_wait),
            progress: self.progress,
            created: Timestamp(self.created),
            started: self.started.map(Timestamp),
            completed: self.completed.map(Timestamp),
            updated: Timestamp(self.updated),
            sample: self.sample,
        };
        Entry {
            task,
            held: self.held,
            trashed: self.trashed,
            retry_at: self.retry_at.map(Timestamp),
            resumes: self.resumes.map(RunId),
            may_repeat: self.may_repeat,
            cut_offs: self.cut_offs,
            moments: self.moments,
            news: Vec::new(),
        }
    }
}

impl StoredLease {
    pub fn of(lease: &Lease) -> Self {
        Self {
            number: lease.number,
            run: lease.run.map(|id| id.0),
            resumed: lease.resumed,
            may_repeat: lease.may_repeat,
            waiting: lease.waiting,
            cancelled: lease.cancelled,
            open: lease.open.clone(),
            done: lease.done.clone(),
            began: lease.began.0,
        }
    }

    pub fn into_lease(self, id: u128) -> Lease {
        Lease {
            task: TaskId(Uuid::from_u128(id)),
            number: self.number,
            run: self.run.map(RunId),
            resumed: self.resumed,
            may_repeat: self.may_repeat,
            waiting: self.waiting,
            cancelled: self.cancelled,
            open: self.open,
            done: self.done,
            began: Timestamp(self.began),
        }
    }
}

impl StoredMoment {
    pub fn of(moment: &TaskMoment) -> Self {
        Self { at: moment.at.0, kind: moment.kind.clone(), detail: moment.detail.clone() }
    }

    pub fn into_moment(self) -> TaskMoment {
        TaskMoment { at: Timestamp(self.at), kind: self.kind, detail: self.detail }
    }
}
