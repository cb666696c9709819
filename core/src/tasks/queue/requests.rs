//! What the person and other parts of the program ask of the queue.

use std::collections::HashMap;

use super::{Inner, Queue, Stop};
use crate::api::request::tasks::UpdateTask;
use crate::api::{ApiError, Event};
use crate::model::{
    AgentId, Board, BoardColumn, Happening, Page, PageRequest, Task, TaskCounts, TaskDetail, TaskDraft, TaskFilter,
    TaskId, TaskSort, TaskStatus, TrashItem, Wait,
};
use crate::storage::tasks::{self, Cancelled, Change, NewTask};
use crate::storage::trash::{self, Deletion};
use crate::tasks::draft;
use crate::tasks::state::Origin;

/// Tasks of one request that are told one by one.
const FEW: usize = 8;

impl Queue {
    fn change(&self) -> Change {
        Change { profile: self.inner.parts.profile, now: self.inner.parts.clock.now() }
    }

    /// Makes tasks: all of them or none, in one commit.
    ///
    /// # Errors
    /// One is out of bounds, its agent does not exist, or it depends on what does not exist.
    pub fn create(&self, drafts: Vec<TaskDraft>, origin: Origin) -> Result<Vec<Task>, ApiError> {
        let new = self.prepared(drafts)?;
        let (change, defaults) = (self.change(), (self.inner.parts.settings)().defaults);
        let made = self.inner.parts.main.write(move |txn| tasks::create(txn, change, &new, origin, defaults))?;
        self.created(&made);
        Ok(self.inner.dressed(made))
    }

    /// Drafts that can be made with [`tasks::create`] within a larger change; [`Queue::created`] follows its commit.
    ///
    /// # Errors
    /// As [`Queue::create`], but for dependencies.
    pub fn prepared(&self, drafts: Vec<TaskDraft>) -> Result<Vec<NewTask>, ApiError> {
        if drafts.len() > draft::MOST_AT_ONCE {
            return Err(ApiError::validation(
                format!("at most {} tasks are made at once", draft::MOST_AT_ONCE),
                "Make them in several requests.",
            ));
        }
        let parts = &self.inner.parts;
        let mut names: HashMap<AgentId, String> = HashMap::new();
        let mut new = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let draft = draft::checked(draft)?;
            let agent_name = match draft.agent {
                None => String::new(),
                Some(agent) => match names.get(&agent) {
                    Some(name) => name.clone(),
                    None => names.entry(agent).or_insert(parts.agents.name(agent)?).clone(),
                },
            };
            new.push(NewTask { id: TaskId(parts.ids.next()), draft, agent_name });
        }
        Ok(new)
    }

    /// Tells of tasks that were made, and lets the queue look at them.
    pub fn created(&self, made: &[Task]) {
        self.inner.tell_tasks(made);
        let happened = &self.inner.parts.happened;
        if made.len() <= FEW {
            made.iter().for_each(|task| happened(of_task("task.created", task)));
        } else {
            let title = format!("{} tasks were created", made.len());
            happened(Happening::new("task.created", title).with("tasks", made.len()));
        }
        self.wake();
    }

    /// # Errors
    /// Out of bounds, refused while it runs, not found.
    pub fn update(&self, mut update: UpdateTask) -> Result<Task, ApiError> {
        let id = update.id.ok_or_else(|| ApiError::validation("no task is named", "Name the task to change."))?;
        if let Some(title) = &mut update.title {
            *title = draft::title(title)?;
        }
        if let Some(labels) = update.labels.take() {
            update.labels = Some(draft::labels(labels)?);
        }
        if let Some(on) = &mut update.depends_on {
            on.sort_unstable();
            on.dedup();
            draft::needs(on.len())?;
        }
        draft::description(update.description.as_deref().unwrap_or_default())?;
        draft::input(update.input.as_ref().unwrap_or(&serde_json::Value::Null))?;
        draft::tries(update.max_retries)?;
        draft::time_limit(update.time_limit_s)?;
        let parts = &self.inner.parts;
        let agent_name = match update.agent {
            None => None,
            Some(None) => Some(String::new()),
            Some(Some(agent)) => Some(parts.agents.name(agent)?),
        };
        let task = self.inner.dressed_one(tasks::edit(&parts.main, self.change(), id, update, agent_name)?);
        self.inner.tell_one(&task);
        self.wake();
        Ok(task)
    }

    /// # Errors
    /// Refused in words where it has no meaning; not found.
    pub fn shift(&self, id: TaskId, column: BoardColumn, before: Option<TaskId>) -> Result<Task, ApiError> {
        let done = tasks::shift(&self.inner.parts.main, self.change(), id, column, before)?;
        self.cancelled(&done);
        self.get(id)
    }

    /// The number of those that were cancelled or told to stop.
    ///
    /// # Errors
    /// Not found; then none was.
    pub fn cancel(&self, ids: Vec<TaskId>) -> Result<u64, ApiError> {
        let done = tasks::cancel(&self.inner.parts.main, self.change(), ids)?;
        self.cancelled(&done);
        Ok(done.count)
    }

    fn cancelled(&self, done: &Cancelled) {
        for id in &done.running {
            self.inner.stop(*id, Stop::Person);
        }
        self.inner.tell_tasks(&done.changed);
        for task in &done.ended {
            let kind = if task.status == TaskStatus::Completed { "task.completed" } else { "task.cancelled" };
            (self.inner.parts.happened)(of_task(kind, task));
        }
        self.inner.ends.send_replace(());
        self.wake();
    }

    /// Queues failed and cancelled ones anew; the number of those.
    ///
    /// # Errors
    /// Not found; then none was.
    pub fn retry(&self, ids: Vec<TaskId>) -> Result<u64, ApiError> {
        let (count, changed) = tasks::retry(&self.inner.parts.main, self.change(), ids)?;
        self.inner.tell_tasks(&changed);
        self.wake();
        Ok(count)
    }

    /// # Errors
    /// It does not wait for that word; not found.
    pub fn allow_repeat(&self, id: TaskId, repeat: bool) -> Result<Task, ApiError> {
        let changed = tasks::allow_repeat(&self.inner.parts.main, self.change(), id, repeat)?;
        self.inner.tell_tasks(&changed);
        let task = self.get(id)?;
        if !repeat {
            (self.inner.parts.happened)(of_task("task.failed", &task));
            self.inner.ends.send_replace(());
        }
        self.wake();
        Ok(task)
    }

    /// Into the trash, all of them or none.
    ///
    /// # Errors
    /// One runs; not found.
    pub fn delete(&self, ids: Vec<TaskId>, deletion: impl Fn() -> Deletion) -> Result<Vec<TrashItem>, ApiError> {
        let parts = &self.inner.parts;
        let deletions = ids.into_iter().map(|id| (id, deletion())).collect();
        let items = trash::tasks(&parts.main, parts.profile, deletions)?;
        (parts.publish)(Event::TasksChanged);
        (parts.publish)(Event::TrashChanged);
        for item in &items {
            (parts.happened)(Happening::new("task.deleted", &item.title).describe(&item.detail));
        }
        self.inner.ends.send_replace(());
        self.wake();
        Ok(items)
    }

    /// # Errors
    /// It cannot be stored.
    pub fn pause(&self, paused: bool) -> Result<TaskCounts, ApiError> {
        tasks::pause(&self.inner.parts.main, self.inner.parts.profile, paused)?;
        (self.inner.parts.publish)(Event::TasksChanged);
        self.wake();
        self.counts()
    }

    /// # Errors
    /// They cannot be read.
    pub fn counts(&self) -> Result<TaskCounts, ApiError> {
        Ok(tasks::counts(&self.inner.parts.main, self.inner.parts.profile)?)
    }

    /// # Errors
    /// They cannot be read.
    pub fn list(&self, filter: &TaskFilter, sort: TaskSort, page: PageRequest) -> Result<Page<Task>, ApiError> {
        let mut page = tasks::list(&self.inner.parts.main, self.inner.parts.profile, filter, sort, page)?;
        page.items = self.inner.dressed(page.items);
        Ok(page)
    }

    /// # Errors
    /// They cannot be read.
    pub fn board(&self, filter: &TaskFilter, per_column: u32) -> Result<Board, ApiError> {
        let mut board = tasks::board(&self.inner.parts.main, self.inner.parts.profile, filter, per_column)?;
        for column in &mut board.columns {
            column.tasks = self.inner.dressed(std::mem::take(&mut column.tasks));
        }
        Ok(board)
    }

    /// Without its runs.
    ///
    /// # Errors
    /// Not found.
    pub fn detail(&self, id: TaskId) -> Result<TaskDetail, ApiError> {
        let mut detail = tasks::detail(&self.inner.parts.main, self.inner.parts.profile, id)?;
        detail.task = self.inner.dressed_one(detail.task);
        detail.depends_on = self.inner.dressed(detail.depends_on);
        detail.dependents = self.inner.dressed(detail.dependents);
        Ok(detail)
    }

    /// By its number, or the beginning of its id.
    ///
    /// # Errors
    /// Not found, or more than one.
    pub fn find(&self, name: &str) -> Result<Task, ApiError> {
        let task = tasks::by_name(&self.inner.parts.main, self.inner.parts.profile, name)?;
        Ok(self.inner.dressed_one(task))
    }

    /// # Errors
    /// Not found.
    pub fn get(&self, id: TaskId) -> Result<Task, ApiError> {
        let task = tasks::get(&self.inner.parts.main, self.inner.parts.profile, id)?.task;
        Ok(self.inner.dressed_one(task))
    }
}

impl Inner {
    fn tell_tasks(&self, changed: &[Task]) {
        if changed.len() > FEW {
            (self.parts.publish)(Event::TasksChanged);
        } else {
            self.dressed(changed.to_vec()).iter().for_each(|task| self.tell_one(task));
        }
    }

    fn dressed_one(&self, task: Task) -> Task {
        let mut all = self.dressed(vec![task]);
        all.pop().expect("one goes in, one comes out")
    }

    /// With what they wait for beyond what is stored: the queue, the agent, their turn.
    pub(super) fn dressed(&self, mut list: Vec<Task>) -> Vec<Task> {
        let ready = |task: &Task| task.status == TaskStatus::Pending && task.waits.is_none();
        if !list.iter().any(ready) {
            return list;
        }
        let parts = &self.parts;
        let paused = tasks::is_paused(&parts.main, parts.profile).unwrap_or(false);
        let at_once = (parts.settings)().at_once;
        let used = self.state().running.values().filter(|running| running.since.is_some() && !running.over).count();
        let mut known: HashMap<AgentId, Result<(), String>> = HashMap::new();
        for task in list.iter_mut().filter(|task| ready(task)) {
            let Some(agent) = task.agent else { continue };
            let takes = known.entry(agent).or_insert_with(|| parts.agents.takes_tasks(agent));
            task.waits = match takes {
                _ if paused => Some(Wait::Paused),
                Err(why) => Some(Wait::Agent { why: why.clone() }),
                Ok(()) => (used >= at_once).then_some(Wait::Turn),
            };
        }
        list
    }
}

/// What is kept of something that happened to a task.
fn of_task(kind: &str, task: &Task) -> Happening {
    let mut happening = Happening::new(kind, &task.title).with("task", task.id).with("number", task.number);
    happening.agent = task.agent.is_some().then(|| task.agent_name.clone());
    happening
}
