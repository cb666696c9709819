//! What becomes of a task when something happens to it: pure rules, no storage, no clock of their own.

use super::backoff;
use crate::api::{ApiError, ErrorCategory};
use crate::model::{
    BoardColumn, RunId, ScheduleId, Task, TaskDraft, TaskId, TaskMoment, TaskOutput, TaskStatus, Timestamp, Wait,
};

/// A task with what the queue knows of it and nobody else needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub task: Task,
    /// In the backlog.
    pub held: bool,
    /// In the trash: in no list, never run.
    pub trashed: bool,
    /// When the next try may begin.
    pub retry_at: Option<Timestamp>,
    /// The run that is taken up again by the next attempt.
    pub resumes: Option<RunId>,
    /// The next attempt may repeat what was cut off.
    pub may_repeat: bool,
    /// How often the program ended by force while it ran.
    pub cut_offs: u32,
    /// Entries of its timeline that are stored.
    pub moments: u32,
    /// What has just happened, not yet in the timeline.
    pub news: Vec<TaskMoment>,
}

/// The hold on a task that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    pub task: TaskId,
    /// From 1.
    pub number: u32,
    pub run: Option<RunId>,
    /// Its run was begun by an attempt before it.
    pub resumed: bool,
    pub may_repeat: bool,
    /// It waits for the person.
    pub waiting: bool,
    /// The person wants it to end.
    pub cancelled: bool,
    /// What began to change outside and has not ended, in words.
    pub open: Vec<String>,
    /// What was changed outside.
    pub done: Vec<String>,
    pub began: Timestamp,
}

/// Where a task comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub schedule: Option<ScheduleId>,
    pub parent: Option<TaskId>,
    pub sample: bool,
}

/// What the settings say for tasks that do not say it themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    pub max_retries: u32,
    pub time_limit_s: u32,
}

/// How the tasks stand that a task depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    Met,
    Open(Vec<TaskId>),
    Broken(TaskId),
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    Completed(TaskOutput),
    Failed {
        error: ApiError,
        retry: bool,
        partial: Option<TaskOutput>,
    },
    /// The program ends.
    Stopped,
}

/// When the next try of a failed one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Seconds before the first retry.
    pub base_s: u32,
    /// Any number: spreads retries.
    pub random: u64,
}

impl Entry {
    pub fn new(
        id: TaskId,
        number: u64,
        draft: TaskDraft,
        agent_name: String,
        origin: Origin,
        defaults: Defaults,
        now: Timestamp,
    ) -> Self {
        let task = Task {
            id,
            number,
            agent: draft.agent,
            agent_name,
            title: draft.title,
            description: draft.description,
            status: TaskStatus::Pending,
            column: BoardColumn::Queued,
            position: 0,
            priority: draft.priority,
            input: draft.input,
            output: None,
            error: None,
            retries: 0,
            max_retries: draft.max_retries.unwrap_or(defaults.max_retries),
            time_limit_s: draft.time_limit_s.unwrap_or(defaults.time_limit_s),
            execution_ms: 0,
            not_before: draft.not_before,
            due: draft.due,
            labels: draft.labels,
            depends_on: draft.depends_on,
            schedule: origin.schedule,
            parent: origin.parent,
            waits: None,
            progress: None,
            created: now,
            started: None,
            completed: None,
            updated: now,
            sample: origin.sample,
        };
        let mut entry = Self { held: draft.held, ..Self::of(task) };
        entry.tell(now, "created", "");
        entry
    }

    /// A task as it stands, without a past of its own.
    pub fn of(task: Task) -> Self {
        Self {
            held: task.status == TaskStatus::Pending && task.column == BoardColumn::Backlog,
            task,
            trashed: false,
            retry_at: None,
            resumes: None,
            may_repeat: false,
            cut_offs: 0,
            moments: 0,
            news: Vec::new(),
        }
    }

    pub fn tell(&mut self, at: Timestamp, kind: &str, detail: impl Into<String>) {
        self.news.push(TaskMoment { at, kind: kind.to_owned(), detail: detail.into() });
    }

    /// Whether the queue may take it now.
    pub fn is_ready(&self) -> bool {
        self.task.status == TaskStatus::Pending
            && self.task.waits.is_none()
            && self.task.agent.is_some()
            && !self.trashed
    }

    /// Where it stands on the board.
    pub fn column(&self) -> BoardColumn {
        match (self.task.status, &self.task.waits) {
            (TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled, _) => BoardColumn::Done,
            (TaskStatus::Running, None) => BoardColumn::Running,
            (TaskStatus::Running, Some(_)) | (TaskStatus::Pending, Some(Wait::Repeat { .. })) => BoardColumn::NeedsYou,
            (TaskStatus::Pending, _) if self.held => BoardColumn::Backlog,
            (TaskStatus::Pending, _) => BoardColumn::Queued,
        }
    }

    /// Finds out again what a pending task waits for; a word of the person that is needed stays needed.
    pub fn settle(&mut self, needs: &Needs, now: Timestamp) {
        let task = &mut self.task;
        if task.status != TaskStatus::Pending || matches!(task.waits, Some(Wait::Repeat { .. })) {
            return;
        }
        let until = task.not_before.max(self.retry_at).filter(|at| *at > now);
        task.waits = match (needs, until) {
            _ if self.held => Some(Wait::Held),
            _ if task.agent.is_none() => Some(Wait::Nobody),
            (Needs::Broken(id), _) => Some(Wait::Broken { id: *id }),
            (Needs::Open(ids), _) => Some(Wait::Tasks { ids: ids.clone() }),
            (Needs::Met, Some(at)) => Some(Wait::Until { at }),
            (Needs::Met, None) => None,
        };
        // A pause that is over is no longer of interest.
        self.retry_at = self.retry_at.filter(|at| *at > now);
    }

    /// An attempt begins.
    pub fn start(&mut self, now: Timestamp) -> Lease {
        let task = &mut self.task;
        let lease = Lease {
            task: task.id,
            number: task.retries + 1,
            run: self.resumes,
            resumed: self.resumes.is_some(),
            may_repeat: std::mem::take(&mut self.may_repeat),
            waiting: false,
            cancelled: false,
            open: Vec::new(),
            done: Vec::new(),
            began: now,
        };
        task.status = TaskStatus::Running;
        task.waits = None;
        task.progress = None;
        task.started = Some(now);
        task.updated = now;
        self.retry_at = None;
        let detail = match (self.resumes, task.retries) {
            (Some(_), _) => "Taken up again where it was cut off".to_owned(),
            (None, 0) => String::new(),
            (None, retries) => format!("Try {} of {}", retries + 1, task.max_retries.max(retries) + 1),
        };
        self.tell(now, "started", detail);
        lease
    }

    /// An attempt has ended; `worked_ms` is the time that it took, waiting for the person not counted.
    pub fn end(&mut self, lease: &Lease, end: End, worked_ms: u64, pause: Pause, now: Timestamp) {
        self.task.execution_ms = self.task.execution_ms.saturating_add(worked_ms);
        self.task.progress = None;
        self.task.waits = None;
        self.task.updated = now;
        match end {
            _ if lease.cancelled => {
                self.task.output = match end {
                    End::Completed(output) => Some(output),
                    End::Failed { partial, .. } => partial,
                    End::Stopped => None,
                };
                self.cancelled(now);
            }
            End::Completed(output) => {
                self.task.output = Some(output);
                self.task.error = None;
                self.close(TaskStatus::Completed, now);
                self.tell(now, "completed", "");
            }
            End::Failed { error, retry, partial } => {
                self.task.output = partial;
                if !retry || self.task.retries >= self.task.max_retries {
                    self.failed(error, now);
                } else if lease.open.is_empty() {
                    self.again(lease, error, pause, now);
                } else {
                    self.task.error = Some(error);
                    self.ask(lease, now);
                }
            }
            End::Stopped => self.cut_off(lease, true, now),
        }
    }

    /// The program ended while it ran; `properly` when there was time to stop it.
    pub fn cut_off(&mut self, lease: &Lease, properly: bool, now: Timestamp) {
        self.task.progress = None;
        self.task.waits = None;
        self.task.updated = now;
        if lease.cancelled {
            return self.cancelled(now);
        }
        if !lease.open.is_empty() {
            return self.ask(lease, now);
        }
        if !properly && !lease.waiting {
            self.cut_offs += 1;
            // One power cut is no fault of the task, even if it may not be tried again.
            if self.cut_offs > self.task.max_retries.max(1) {
                let times = self.cut_offs;
                return self.failed(
                    ApiError::new(
                        ErrorCategory::System,
                        format!("the program ended {times} times while this task ran"),
                        "Look at its timeline and the log; then try it again, or change it.",
                    ),
                    now,
                );
            }
        }
        self.task.status = TaskStatus::Pending;
        self.resumes = lease.run;
        // What the person allowed was not used yet.
        self.may_repeat = lease.may_repeat && lease.done.is_empty();
        self.tell(now, "queued", "The program ended while it ran; it is taken up again");
    }

    fn again(&mut self, lease: &Lease, error: ApiError, pause: Pause, now: Timestamp) {
        self.task.retries += 1;
        self.task.status = TaskStatus::Pending;
        let wait = backoff::pause_ms(pause.base_s, self.task.retries, pause.random);
        self.retry_at = Some(Timestamp(now.0.saturating_add(wait)));
        // What its run changed outside is not changed again: the next try goes on from there. What a run that was taken
        // up did before, its lease does not say.
        self.resumes = lease.run.filter(|_| lease.resumed || !lease.done.is_empty());
        let seconds = wait.saturating_add(999) / 1_000;
        self.tell(now, "retried", format!("{}; again in {seconds} s", error.message));
        self.task.error = Some(error);
    }

    fn ask(&mut self, lease: &Lease, now: Timestamp) {
        self.task.status = TaskStatus::Pending;
        self.resumes = lease.run;
        self.tell(now, "waits", format!("Cut off while this was going on: {}", lease.open.join("; ")));
        self.task.waits = Some(Wait::Repeat { done: lease.open.clone() });
    }

    fn close(&mut self, status: TaskStatus, now: Timestamp) {
        self.task.status = status;
        self.task.completed = Some(now);
        self.task.updated = now;
        self.task.waits = None;
        self.task.progress = None;
        self.resumes = None;
        self.retry_at = None;
        self.may_repeat = false;
        self.held = false;
    }

    fn failed(&mut self, error: ApiError, now: Timestamp) {
        self.tell(now, "failed", error.message.clone());
        self.task.error = Some(error);
        self.close(TaskStatus::Failed, now);
    }

    fn cancelled(&mut self, now: Timestamp) {
        self.close(TaskStatus::Cancelled, now);
        self.tell(now, "cancelled", "");
    }

    /// Cancels what has not begun; false when it has ended already. What runs is cancelled through its lease.
    pub fn cancel(&mut self, now: Timestamp) -> bool {
        if self.task.status.is_final() {
            return false;
        }
        self.cancelled(now);
        true
    }

    /// The person completes what is theirs.
    pub fn complete_own(&mut self, now: Timestamp) {
        self.close(TaskStatus::Completed, now);
        self.tell(now, "completed", "");
    }

    /// Back to the queue as if it had never run; its number, timeline and runs stay.
    pub fn begin_anew(&mut self, held: bool, now: Timestamp) {
        let task = &mut self.task;
        task.status = TaskStatus::Pending;
        task.waits = None;
        task.output = None;
        task.error = None;
        task.retries = 0;
        task.execution_ms = 0;
        task.started = None;
        task.completed = None;
        task.updated = now;
        self.held = held;
        self.retry_at = None;
        self.resumes = None;
        self.may_repeat = false;
        self.cut_offs = 0;
        self.tell(now, "queued", "Begun anew");
    }

    /// The person's word on what was cut off.
    ///
    /// # Errors
    /// Nobody asked for it.
    pub fn allow_repeat(&mut self, repeat: bool, now: Timestamp) -> Result<(), String> {
        let Some(Wait::Repeat { done }) = self.task.waits.take() else {
            return Err("this task does not wait for a word on repeating".to_owned());
        };
        self.task.updated = now;
        if repeat {
            self.may_repeat = true;
            self.cut_offs = 0;
            self.tell(now, "queued", "What was cut off may be done again");
        } else {
            let error = ApiError::new(
                ErrorCategory::Processing,
                format!("cut off while this was going on, and not to be repeated: {}", done.join("; ")),
                "Look at what it left, then try the task again or finish it by hand.",
            );
            self.failed(error, now);
        }
        Ok(())
    }

    /// Into another column, as far as that has a meaning; `leased` when an attempt runs.
    ///
    /// # Errors
    /// It has none; in words.
    pub fn move_to(&mut self, column: BoardColumn, leased: bool, now: Timestamp) -> Result<(), String> {
        let from = self.column();
        if from == column {
            return Ok(());
        }
        let own = self.task.agent.is_none();
        let words = match (from, column) {
            (_, BoardColumn::NeedsYou) => "a task stands there when it needs your word, not before",
            (_, BoardColumn::Running) if !own => "the queue decides when a task runs; move it to the queue",
            (_, BoardColumn::Done) => {
                if own {
                    self.complete_own(now);
                } else {
                    self.cancelled(now);
                }
                return Ok(());
            }
            _ if leased => "it runs; cancel it first",
            (BoardColumn::NeedsYou, _) => "it waits for your word; give it, or cancel the task",
            (BoardColumn::Done, BoardColumn::Running) => {
                self.begin_anew(false, now);
                self.task.status = TaskStatus::Running;
                self.task.started = Some(now);
                return Ok(());
            }
            (BoardColumn::Done, _) => {
                self.begin_anew(column == BoardColumn::Backlog, now);
                return Ok(());
            }
            (_, BoardColumn::Running) => {
                self.held = false;
                self.task.status = TaskStatus::Running;
                self.task.waits = None;
                self.task.started = Some(now);
                self.task.updated = now;
                self.tell(now, "started", "");
                return Ok(());
            }
            (_, BoardColumn::Backlog | BoardColumn::Queued) => {
                self.held = column == BoardColumn::Backlog;
                self.task.status = TaskStatus::Pending;
                self.task.waits = None;
                self.task.updated = now;
                self.tell(now, "moved", if self.held { "Held back" } else { "Let go" });
                return Ok(());
            }
        };
        Err(words.to_owned())
    }
}

#[cfg(test)]
mod tests;
