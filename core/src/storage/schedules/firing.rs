//! What is due, and the one change in which a schedule makes its tasks and moves on.

use std::sync::Arc;

use super::*;
use crate::model::{Task, TaskDraft, TaskId};

/// Makes a task within the change that moves its schedule on.
pub type MakeTask = dyn Fn(&WriteTxn<'_>, &Made) -> Result<Task, StorageError> + Send + Sync;

/// A task that a schedule makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    pub id: TaskId,
    pub schedule: ScheduleId,
    pub draft: TaskDraft,
    pub planned: Timestamp,
    pub late: bool,
    pub at: Timestamp,
}

/// How a schedule moves on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    pub tasks: Vec<Made>,
    /// Times that passed without a run: how many, and when the last of them was.
    pub missed: Option<(u64, Timestamp)>,
    pub failed: Option<(String, Timestamp)>,
    pub next: Option<Timestamp>,
    /// None leaves it.
    pub mark: Option<String>,
    pub at: Timestamp,
    /// The next time and the timing stay: it was run by hand.
    pub aside: bool,
}

/// The earliest schedules that are due at `now`, with when they were due.
pub fn due(
    main: &Db,
    profile: ProfileId,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(Timestamp, ScheduleId)>, StorageError> {
    let owner = profile.0.as_u128();
    let table = main.read()?.table(DUE)?;
    let rows = table.range((owner, i64::MIN, 0)..=(owner, now.0, u128::MAX))?;
    rows.take(limit)
        .map(|row| {
            let (_, at, id) = row?.0.value();
            Ok((Timestamp(at), ScheduleId(Uuid::from_u128(id))))
        })
        .collect()
}

/// When the first of all is due.
pub fn next_due(main: &Db, profile: ProfileId) -> Result<Option<Timestamp>, StorageError> {
    let owner = profile.0.as_u128();
    let table = main.read()?.table(DUE)?;
    let first = table.range((owner, i64::MIN, 0)..=(owner, i64::MAX, u128::MAX))?.next().transpose()?;
    Ok(first.map(|(key, _)| Timestamp(key.value().1)))
}

/// Makes the tasks of steps and moves their schedules on, all in one change. None for a schedule that is no longer what it
/// was when it was read: then somebody else moved it on, changed it or took it away, and nothing is done for it.
///
/// # Errors
/// What `make` says, or the store; nothing has happened then.
pub fn fire(
    main: &Db,
    profile: ProfileId,
    steps: Vec<(Row, Step)>,
    make: Arc<MakeTask>,
) -> Result<Vec<Option<Vec<Task>>>, StorageError> {
    main.write(move |txn| steps.iter().map(|(seen, step)| fire_one(txn, profile, seen, step, make.as_ref())).collect())
}

fn fire_one(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    seen: &Row,
    step: &Step,
    make: &MakeTask,
) -> Result<Option<Vec<Task>>, StorageError> {
    let key = key(profile, seen.id);
    let stored: Option<StoredSchedule> = txn.table(SCHEDULES)?.record(key)?;
    let Some(stored) = stored.filter(|stored| !stored.trashed) else { return Ok(None) };
    let mut state = state_of(txn, key)?;
    let holds = holds_for(&seen.settings);
    let same = state.timing == holds && holds_for(&stored.settings) == holds && stored.settings.enabled;
    let same = same && state.next == seen.next.map(|at| at.0) && state.mark == seen.mark;
    if !same && !step.aside {
        return Ok(None);
    }
    let mut tasks = Vec::with_capacity(step.tasks.len());
    if let Some((times, planned)) = step.missed {
        add_run(txn, key, &mut state, planned, step.at, ScheduleOutcome::Missed { times })?;
        state.last_planned = Some(planned.0);
    }
    for made in &step.tasks {
        let task = make(txn, made)?;
        let outcome = ScheduleOutcome::Ran { task: task.id, late: made.late };
        tasks.push(task);
        add_run(txn, key, &mut state, made.planned, step.at, outcome)?;
        state.runs += 1;
        state.last_run = Some(step.at.0);
        if !step.aside {
            state.last_planned = Some(made.planned.0);
        }
    }
    if let Some((why, planned)) = &step.failed {
        add_run(txn, key, &mut state, *planned, step.at, ScheduleOutcome::Failed { why: why.clone() })?;
    }
    if !step.aside {
        state.next = step.next.map(|at| at.0);
    }
    if let Some(mark) = &step.mark {
        state.mark.clone_from(mark);
    }
    put_state(txn, key, &state)?;
    Ok(Some(tasks))
}

/// Keeps up to where a trigger has looked.
pub fn put_mark(main: &Db, profile: ProfileId, id: ScheduleId, mark: String) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = key(profile, id);
        own(txn, key)?;
        let mut state = state_of(txn, key)?;
        state.mark.clone_from(&mark);
        put_state(txn, key, &state)
    })
}

fn add_run(
    txn: &WriteTxn<'_>,
    key: (u128, u128),
    state: &mut StoredScheduleState,
    planned: Timestamp,
    at: Timestamp,
    outcome: ScheduleOutcome,
) -> Result<(), StorageError> {
    let mut runs = txn.table(RUNS)?;
    let number = state.entries;
    runs.put((key.0, key.1, number), &StoredScheduleRun { planned: planned.0, at: at.0, outcome })?;
    if let Some(old) = number.checked_sub(MOST_RUNS) {
        runs.remove((key.0, key.1, old))?;
    }
    state.entries += 1;
    Ok(())
}
