//! What the person and other parts of the program do with tasks; each is one commit.

use redb::ReadableTable;

use super::TASKS;
use super::list::unknown;
use super::open::Open;
use super::record::StoredTask;
use crate::api::request::tasks::UpdateTask;
use crate::model::{BoardColumn, ProfileId, Task, TaskDraft, TaskId, TaskStatus, Timestamp, Wait};
use crate::storage::{Db, RecordReading, StorageError, WriteTxn, runs};
use crate::tasks::needs;
use crate::tasks::state::{Defaults, Entry, Origin};

/// Who and when.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub profile: ProfileId,
    pub now: Timestamp,
}

/// A task that is to be made.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub id: TaskId,
    pub draft: TaskDraft,
    pub agent_name: String,
}

/// Makes tasks within a larger change: all or none.
///
/// # Errors
/// Refused when one depends on what does not exist.
pub fn create(
    txn: &WriteTxn<'_>,
    change: Change,
    tasks: &[NewTask],
    origin: Origin,
    defaults: Defaults,
) -> Result<Vec<Task>, StorageError> {
    let mut open = Open::new(txn, change.profile)?;
    let mut made = Vec::with_capacity(tasks.len());
    for NewTask { id, draft, agent_name } in tasks {
        for on in &draft.depends_on {
            open.living(*on).map_err(|_not_found| no_such_need(*on))?;
        }
        let (draft, name) = (draft.clone(), agent_name.clone());
        let mut entry = Entry::new(*id, 0, draft, name, origin, defaults, change.now);
        open.settle(&mut entry, change.now)?;
        made.push(open.add(entry)?.task);
    }
    open.close()?;
    Ok(made)
}

fn no_such_need(on: TaskId) -> StorageError {
    StorageError::Refused(format!("there is no task {on} that another one could depend on"))
}

/// Adds a task as it is, with a past: for sample data and for what was done elsewhere. A number of 0 gets the next one.
///
/// # Errors
/// Refused when it would be running.
pub fn add_made(txn: &WriteTxn<'_>, change: Change, task: Task) -> Result<Task, StorageError> {
    if task.status == TaskStatus::Running {
        return Err(StorageError::Refused("a task that nobody runs cannot be running".to_owned()));
    }
    let mut open = Open::new(txn, change.profile)?;
    let mut entry = Entry::of(task);
    let Task { created, started, completed, status, .. } = entry.task;
    entry.tell(created, "created", "");
    if let Some(at) = started {
        entry.tell(at, "started", "");
    }
    if let Some(at) = completed {
        let kind = match status {
            TaskStatus::Completed => "completed",
            TaskStatus::Failed => "failed",
            _ => "cancelled",
        };
        let why = entry.task.error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
        entry.tell(at, kind, why);
    }
    open.settle(&mut entry, change.now)?;
    let made = open.add(entry)?.task;
    open.close()?;
    Ok(made)
}

/// Removes the tasks of sample data for good; the number of them. Those that run stay.
pub fn remove_samples(txn: &WriteTxn<'_>, change: Change) -> Result<u64, StorageError> {
    let own = change.profile.0.as_u128();
    let mut samples = Vec::new();
    for row in txn.table(TASKS)?.range((own, 0)..=(own, u128::MAX))? {
        let (key, value) = row?;
        let entry = crate::storage::decode::<StoredTask>(value.value())?.into_entry(key.value().1);
        if entry.task.sample && entry.task.status != TaskStatus::Running {
            samples.push(entry);
        }
    }
    let mut open = Open::new(txn, change.profile)?;
    for entry in &samples {
        open.erase(entry, change.now)?;
    }
    open.close()?;
    for entry in &samples {
        runs::remove_task(txn, change.profile, entry.task.id)?;
    }
    Ok(samples.len() as u64)
}

/// Changes what a task says. `agent_name` is that of a new agent.
///
/// # Errors
/// Refused when it runs, or would need itself; not found.
pub fn edit(
    main: &Db,
    change: Change,
    id: TaskId,
    update: UpdateTask,
    agent_name: Option<String>,
) -> Result<Task, StorageError> {
    main.write(move |txn| {
        let mut open = Open::new(txn, change.profile)?;
        let before = open.living(id)?;
        if before.task.status == TaskStatus::Running {
            return Err(StorageError::Refused("a task that runs cannot be changed; cancel it first".to_owned()));
        }
        let mut entry = before.clone();
        if let Some(on) = update.depends_on.clone() {
            for need in &on {
                open.living(*need).map_err(|_not_found| no_such_need(*need))?;
            }
            let needed_by = |id| -> Result<Vec<TaskId>, StorageError> {
                Ok(open.entry(id)?.map(|entry| entry.task.depends_on).unwrap_or_default())
            };
            if let Some(circle) = needs::circle(id, &on, needed_by)? {
                let other = open.living(circle)?.task;
                return Err(StorageError::Refused(format!(
                    "it cannot depend on #{} “{}”: that one depends on it, so neither could ever begin",
                    other.number, other.title
                )));
            }
            open.set_needs(&mut entry, on)?;
        }
        open.index_fixed(&before, false)?;
        take_over(&mut entry.task, &update);
        if let (Some(agent), Some(name)) = (update.agent, agent_name.clone()) {
            entry.task.agent = agent;
            entry.task.agent_name = name;
        }
        open.index_fixed(&entry, true)?;
        entry.task.updated = change.now;
        entry.tell(change.now, "changed", "");
        open.settle(&mut entry, change.now)?;
        let task = open.put(Some(&before), entry)?.task;
        open.close()?;
        Ok(task)
    })
}

fn take_over(task: &mut Task, update: &UpdateTask) {
    fn set<T: Clone>(field: &mut T, new: Option<&T>) {
        if let Some(new) = new {
            field.clone_from(new);
        }
    }
    set(&mut task.title, update.title.as_ref());
    set(&mut task.description, update.description.as_ref());
    set(&mut task.priority, update.priority.as_ref());
    set(&mut task.input, update.input.as_ref());
    set(&mut task.labels, update.labels.as_ref());
    set(&mut task.due, update.due.as_ref());
    set(&mut task.not_before, update.not_before.as_ref());
    set(&mut task.max_retries, update.max_retries.as_ref());
    set(&mut task.time_limit_s, update.time_limit_s.as_ref());
}

/// What cancelling did.
#[derive(Debug, Default)]
pub struct Cancelled {
    /// All that changed, dependents too.
    pub changed: Vec<Task>,
    /// Those that run: their attempts are to be told.
    pub running: Vec<TaskId>,
    /// Those that ended by it.
    pub ended: Vec<Task>,
    pub count: u64,
}

/// Cancels what has not ended. What runs ends as cancelled once its attempt has ended, also after a crash.
///
/// # Errors
/// Not found.
pub fn cancel(main: &Db, change: Change, ids: Vec<TaskId>) -> Result<Cancelled, StorageError> {
    main.write(move |txn| {
        let mut open = Open::new(txn, change.profile)?;
        let mut done = Cancelled::default();
        for id in &ids {
            cancel_one(&mut open, change.now, *id, &mut done)?;
        }
        open.close()?;
        Ok(done)
    })
}

fn cancel_one(open: &mut Open<'_>, now: Timestamp, id: TaskId, done: &mut Cancelled) -> Result<(), StorageError> {
    let before = open.living(id)?;
    let mut entry = before.clone();
    if let Some(mut lease) = open.lease(id)? {
        done.running.push(id);
        if !lease.cancelled {
            lease.cancelled = true;
            open.put_lease(&lease)?;
            entry.tell(now, "changed", "Told to stop");
            done.changed.push(open.put(Some(&before), entry)?.task);
            done.count += 1;
        }
    } else if entry.cancel(now) {
        let task = open.put(Some(&before), entry)?.task;
        done.ended.push(task.clone());
        done.changed.push(task);
        done.changed.extend(open.settle_dependents(id, now)?);
        done.count += 1;
    }
    Ok(())
}

/// Queues failed and cancelled ones anew; what changed, those first.
///
/// # Errors
/// Not found.
pub fn retry(main: &Db, change: Change, ids: Vec<TaskId>) -> Result<(u64, Vec<Task>), StorageError> {
    main.write(move |txn| {
        let mut open = Open::new(txn, change.profile)?;
        let (mut count, mut changed) = (0, Vec::new());
        for id in &ids {
            let before = open.living(*id)?;
            if !matches!(before.task.status, TaskStatus::Failed | TaskStatus::Cancelled) {
                continue;
            }
            let mut entry = before.clone();
            entry.begin_anew(false, change.now);
            open.settle(&mut entry, change.now)?;
            changed.push(open.put(Some(&before), entry)?.task);
            changed.extend(open.settle_dependents(*id, change.now)?);
            count += 1;
        }
        open.close()?;
        Ok((count, changed))
    })
}

/// The person's word on a task that was cut off; what changed, the task first.
///
/// # Errors
/// Refused when it does not wait for one; not found.
pub fn allow_repeat(main: &Db, change: Change, id: TaskId, repeat: bool) -> Result<Vec<Task>, StorageError> {
    main.write(move |txn| {
        let mut open = Open::new(txn, change.profile)?;
        let before = open.living(id)?;
        let mut entry = before.clone();
        entry.allow_repeat(repeat, change.now).map_err(StorageError::Refused)?;
        open.settle(&mut entry, change.now)?;
        let mut changed = vec![open.put(Some(&before), entry)?.task];
        if !repeat {
            changed.extend(open.settle_dependents(id, change.now)?);
        }
        open.close()?;
        Ok(changed)
    })
}

/// Into a column, before a task of it or to its end; see [`Entry::move_to`].
///
/// # Errors
/// Refused where it has no meaning; not found.
pub fn shift(
    main: &Db,
    change: Change,
    id: TaskId,
    column: BoardColumn,
    before: Option<TaskId>,
) -> Result<Cancelled, StorageError> {
    main.write(move |txn| {
        let mut open = Open::new(txn, change.profile)?;
        let mut done = Cancelled::default();
        let was = open.living(id)?;
        let leased = open.lease(id)?.is_some();
        if leased && column == BoardColumn::Done {
            cancel_one(&mut open, change.now, id, &mut done)?;
            open.close()?;
            return Ok(done);
        }
        let mut entry = was.clone();
        entry.move_to(column, leased, change.now).map_err(StorageError::Refused)?;
        if entry.task.status == TaskStatus::Pending {
            open.settle(&mut entry, change.now)?;
        }
        let ended = was.task.status.is_final() != entry.task.status.is_final();
        // First into the column, then to its place there.
        let now_there = open.put(Some(&was), entry)?;
        let mut placed = now_there.clone();
        placed.task.position = match before.filter(|other| *other != id) {
            Some(other) => {
                let other = open.living(other)?;
                if other.task.column != now_there.task.column {
                    return Err(StorageError::Refused("the task to stand before is in another column".to_owned()));
                }
                let position = open.place_before(column, &other)?;
                // Making room may have moved this one too.
                placed.task.position = position;
                position
            }
            None if was.task.column == column => open.last_position(column)?.saturating_add(1 << 20),
            None => now_there.task.position,
        };
        let there = open.living(id)?;
        let task = open.put(Some(&there), placed)?.task;
        done.changed.push(task.clone());
        if ended {
            done.ended.extend(Some(task).filter(|task| task.status.is_final()));
            done.changed.extend(open.settle_dependents(id, change.now)?);
        }
        open.close()?;
        Ok(done)
    })
}

/// Whether the queue takes new ones, from now on and after a restart.
pub fn pause(main: &Db, profile: ProfileId, paused: bool) -> Result<(), StorageError> {
    main.write(move |txn| {
        let mut open = Open::new(txn, profile)?;
        open.tally.paused = paused;
        open.close()
    })
}

/// Takes a task out of every list, within a larger change.
///
/// # Errors
/// Refused while it runs; not found.
pub fn hide(txn: &WriteTxn<'_>, change: Change, id: TaskId) -> Result<Task, StorageError> {
    let mut open = Open::new(txn, change.profile)?;
    let before = open.living(id)?;
    if open.lease(id)?.is_some() {
        return Err(StorageError::Refused(format!(
            "#{} “{}” runs; cancel it, then delete it",
            before.task.number, before.task.title
        )));
    }
    open.index_fixed(&before, false)?;
    let task = open.put(Some(&before), Entry { trashed: true, ..before.clone() })?.task;
    open.settle_dependents(id, change.now)?;
    open.close()?;
    Ok(task)
}

/// Brings it back to where it was, within a larger change. One that was not begun is held back, so that nothing runs
/// merely because it was looked for in the trash.
///
/// # Errors
/// It is gone.
pub fn show(txn: &WriteTxn<'_>, profile: ProfileId, id: TaskId) -> Result<(), StorageError> {
    let mut open = Open::new(txn, profile)?;
    let before = open.entry(id)?.ok_or_else(unknown)?;
    let mut entry = Entry { trashed: false, ..before.clone() };
    let now = entry.task.updated;
    if entry.task.status == TaskStatus::Pending && !matches!(entry.task.waits, Some(Wait::Repeat { .. })) {
        entry.held = true;
        open.settle(&mut entry, now)?;
    }
    open.index_fixed(&entry, true)?;
    open.put(Some(&before), entry)?;
    open.settle_dependents(id, now)?;
    open.close()
}

/// Removes every row of a task and of its runs, within a larger change.
pub fn erase(txn: &WriteTxn<'_>, profile: ProfileId, id: TaskId) -> Result<(), StorageError> {
    let mut open = Open::new(txn, profile)?;
    let Some(entry) = open.entry(id)? else { return Ok(()) };
    open.erase(&entry, entry.task.updated)?;
    open.close()?;
    runs::remove_task(txn, profile, id)
}

/// Whether it lies in the trash.
pub fn is_hidden(txn: &WriteTxn<'_>, profile: ProfileId, id: TaskId) -> Result<bool, StorageError> {
    let id = id.0.as_u128();
    let stored: Option<StoredTask> = txn.table(TASKS)?.record((profile.0.as_u128(), id))?;
    Ok(stored.is_some_and(|stored| stored.into_entry(id).trashed))
}

/// Tasks that one commit removes at most, so that other writes do not wait long.
const PRUNED_AT_ONCE: usize = 500;

/// Removes for good, with their timelines and runs, the tasks of all profiles that ended before these times; how many.
///
/// # Errors
/// What reading and writing meets.
pub fn prune(main: &Db, completed_before: Timestamp, failed_before: Timestamp) -> Result<u64, StorageError> {
    let mut gone = 0;
    loop {
        let old = super::outlived(main, completed_before, failed_before, PRUNED_AT_ONCE)?;
        let found = old.len();
        gone += main.write(move |txn| {
            let mut gone = 0;
            for (profile, id) in &old {
                // It may have begun anew meanwhile.
                let mut open = Open::new(txn, *profile)?;
                let entry = open.entry(*id)?.filter(|entry| entry.task.status.is_final());
                if let Some(entry) = &entry {
                    open.erase(entry, entry.task.updated)?;
                }
                open.close()?;
                if entry.is_some() {
                    runs::remove_task(txn, *profile, *id)?;
                    gone += 1;
                }
            }
            Ok(gone)
        })?;
        if found < PRUNED_AT_ONCE {
            return Ok(gone);
        }
    }
}
