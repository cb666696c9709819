//! Runs and their steps, each written when it happens: what an agent did can be stepped through, and taken up again.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AnyTable, Db, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{AgentId, Page, PageRequest, ProfileId, Run, RunId, RunOutcome, RunStep, TaskId, Timestamp};

/// (profile, run): newer runs sort later.
const RUNS: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("runs");
/// (profile, agent, run).
const BY_AGENT: TableDefinition<(u128, u128, u128), ()> = TableDefinition::new("runs_by_agent");
/// (profile, task, run).
const BY_TASK: TableDefinition<(u128, u128, u128), ()> = TableDefinition::new("runs_by_task");
/// (profile, run): those that have not ended.
const OPEN: TableDefinition<(u128, u128), ()> = TableDefinition::new("runs_open");
/// (profile, run, index).
const STEPS: TableDefinition<(u128, u128, u32), &[u8]> = TableDefinition::new("run_steps");
pub(super) const TABLES: &[&dyn AnyTable] = &[&RUNS, &BY_AGENT, &BY_TASK, &OPEN, &STEPS];

const LARGEST_PAGE: u32 = 1_000;
/// Runs that one commit removes at most.
const BATCH: usize = 200;

#[derive(Serialize, Deserialize)]
struct StoredRun {
    run: Run,
}
first_version!(StoredRun, "run");

#[derive(Serialize, Deserialize)]
struct StoredStep {
    step: RunStep,
}
first_version!(StoredStep, "run step");

fn unknown() -> StorageError {
    StorageError::NotFound("this run".to_owned())
}

/// Writes a run, and a step of it if there is one, in one commit; durable when it returns.
pub fn put(main: &Db, profile: ProfileId, run: Run, step: Option<RunStep>) -> Result<(), StorageError> {
    main.write(move |txn| insert(txn, profile, &run, step.as_ref()))
}

/// As [`put`], within a larger change.
pub fn insert(txn: &WriteTxn<'_>, profile: ProfileId, run: &Run, step: Option<&RunStep>) -> Result<(), StorageError> {
    let (owner, id) = (profile.0.as_u128(), run.id.0.as_u128());
    txn.table(RUNS)?.put((owner, id), &StoredRun { run: run.clone() })?;
    txn.table(BY_AGENT)?.insert((owner, run.agent.0.as_u128(), id), ())?;
    if let Some(task) = run.task {
        txn.table(BY_TASK)?.insert((owner, task.0.as_u128(), id), ())?;
    }
    let mut open = txn.table(OPEN)?;
    if run.ended.is_none() {
        open.insert((owner, id), ())?;
    } else {
        open.remove((owner, id))?;
    }
    if let Some(step) = step {
        txn.table(STEPS)?.put((owner, id, step.index), &StoredStep { step: step.clone() })?;
    }
    Ok(())
}

pub fn get(main: &Db, profile: ProfileId, id: RunId) -> Result<Run, StorageError> {
    let table = main.read()?.table(RUNS)?;
    let stored: Option<StoredRun> = table.record((profile.0.as_u128(), id.0.as_u128()))?;
    Ok(stored.ok_or_else(unknown)?.run)
}

/// Newest first; of an agent, of a task, or all.
pub fn list(
    main: &Db,
    profile: ProfileId,
    agent: Option<AgentId>,
    task: Option<TaskId>,
    page: PageRequest,
) -> Result<Page<Run>, StorageError> {
    let owner = profile.0.as_u128();
    let txn = main.read()?;
    let rows = txn.table(RUNS)?;
    let limit = page.limit.min(LARGEST_PAGE) as usize;
    let mut found = Page { items: Vec::new(), total: 0, offset: page.offset };
    let mut take = |id: u128| -> Result<(), StorageError> {
        let wanted = found.total >= page.offset && found.items.len() < limit;
        if wanted || (agent.is_some() && task.is_some()) {
            let Some(StoredRun { run }) = rows.record((owner, id))? else { return Ok(()) };
            if agent.is_some_and(|agent| agent != run.agent) {
                return Ok(());
            }
            if wanted {
                found.items.push(run);
            }
        }
        found.total += 1;
        Ok(())
    };
    let indexed = match (task, agent) {
        (Some(task), _) => Some((txn.table(BY_TASK)?, task.0.as_u128())),
        (None, Some(agent)) => Some((txn.table(BY_AGENT)?, agent.0.as_u128())),
        (None, None) => None,
    };
    match indexed {
        Some((index, of)) => {
            for row in index.range((owner, of, 0)..=(owner, of, u128::MAX))?.rev() {
                take(row?.0.value().2)?;
            }
        }
        None => {
            for row in rows.range((owner, 0)..=(owner, u128::MAX))?.rev() {
                take(row?.0.value().1)?;
            }
        }
    }
    Ok(found)
}

/// A page of the steps, in order.
///
/// # Errors
/// Not found, when there is no such run.
pub fn steps(main: &Db, profile: ProfileId, id: RunId, page: PageRequest) -> Result<Page<RunStep>, StorageError> {
    let key = (profile.0.as_u128(), id.0.as_u128());
    let txn = main.read()?;
    if txn.table(RUNS)?.get(key)?.is_none() {
        return Err(unknown());
    }
    let table = txn.table(STEPS)?;
    let last = table.range((key.0, key.1, 0)..=(key.0, key.1, u32::MAX))?.next_back();
    let total = match last {
        Some(row) => u64::from(row?.0.value().2) + 1,
        None => 0,
    };
    let from = u32::try_from(page.offset).unwrap_or(u32::MAX);
    let items = table
        .range((key.0, key.1, from)..=(key.0, key.1, u32::MAX))?
        .take(page.limit.min(LARGEST_PAGE) as usize)
        .map(|row| Ok(decode::<StoredStep>(row?.1.value())?.step))
        .collect::<Result<_, StorageError>>()?;
    Ok(Page { items, total, offset: page.offset })
}

/// All steps of a run, in order.
pub fn all_steps(main: &Db, profile: ProfileId, id: RunId) -> Result<Vec<RunStep>, StorageError> {
    let (owner, run) = (profile.0.as_u128(), id.0.as_u128());
    let table = main.read()?.table(STEPS)?;
    table
        .range((owner, run, 0)..=(owner, run, u32::MAX))?
        .map(|row| Ok(decode::<StoredStep>(row?.1.value())?.step))
        .collect()
}

/// What the model wrote in all runs of a task, within a larger change.
pub fn tokens(txn: &WriteTxn<'_>, profile: ProfileId, task: TaskId) -> Result<u64, StorageError> {
    let (owner, of) = (profile.0.as_u128(), task.0.as_u128());
    let runs = txn.table(RUNS)?;
    let mut tokens = 0;
    for row in txn.table(BY_TASK)?.range((owner, of, 0)..=(owner, of, u128::MAX))? {
        let stored: Option<StoredRun> = runs.record((owner, row?.0.value().2))?;
        tokens += stored.map_or(0, |stored| stored.run.answer_tokens);
    }
    Ok(tokens)
}

/// Runs that had not ended when the program did are cut off; the number of them.
pub fn close_unfinished(main: &Db, profile: ProfileId, now: Timestamp) -> Result<u64, StorageError> {
    let owner = profile.0.as_u128();
    main.write(move |txn| {
        let mut open = Vec::new();
        for row in txn.table(OPEN)?.range((owner, 0)..=(owner, u128::MAX))? {
            open.push(row?.0.value().1);
        }
        for id in &open {
            let stored: Option<StoredRun> = txn.table(RUNS)?.record((owner, *id))?;
            let Some(StoredRun { mut run }) = stored else { continue };
            run.ended = Some(now);
            run.outcome = Some(RunOutcome::CutOff);
            insert(txn, profile, &run, None)?;
        }
        Ok(open.len() as u64)
    })
}

/// Removes what ended before, with its steps, in all profiles; the number of runs.
pub fn prune(main: &Db, before: Timestamp) -> Result<u64, StorageError> {
    let mut removed = 0;
    loop {
        let now = main.write(move |txn| {
            let mut old = Vec::new();
            for row in txn.table(RUNS)?.iter()? {
                let (key, value) = row?;
                let StoredRun { run } = decode(value.value())?;
                if run.ended.is_some_and(|ended| ended < before) {
                    old.push((key.value().0, run));
                    if old.len() == BATCH {
                        break;
                    }
                }
            }
            for (owner, run) in &old {
                remove(txn, *owner, run)?;
            }
            Ok(old.len())
        })?;
        removed += now as u64;
        if now < BATCH {
            return Ok(removed);
        }
    }
}

/// Removes the runs of a task that goes for good, within a larger change.
pub fn remove_task(txn: &WriteTxn<'_>, profile: ProfileId, task: TaskId) -> Result<(), StorageError> {
    let (owner, of) = (profile.0.as_u128(), task.0.as_u128());
    let mut ids = Vec::new();
    for row in txn.table(BY_TASK)?.range((owner, of, 0)..=(owner, of, u128::MAX))? {
        ids.push(row?.0.value().2);
    }
    for id in ids {
        let stored: Option<StoredRun> = txn.table(RUNS)?.record((owner, id))?;
        if let Some(StoredRun { run }) = stored {
            remove(txn, owner, &run)?;
        }
    }
    Ok(())
}

fn remove(txn: &WriteTxn<'_>, owner: u128, run: &Run) -> Result<(), StorageError> {
    let id = run.id.0.as_u128();
    txn.table(RUNS)?.remove((owner, id))?;
    txn.table(OPEN)?.remove((owner, id))?;
    txn.table(BY_AGENT)?.remove((owner, run.agent.0.as_u128(), id))?;
    if let Some(task) = run.task {
        txn.table(BY_TASK)?.remove((owner, task.0.as_u128(), id))?;
    }
    txn.table(STEPS)?.retain_in((owner, id, 0)..=(owner, id, u32::MAX), |_, _| false)?;
    Ok(())
}

/// Forgets the runs of a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    let all = (owner, 0)..=(owner, u128::MAX);
    txn.table(RUNS)?.retain_in(all.clone(), |_, _| false)?;
    txn.table(OPEN)?.retain_in(all, |_, ()| false)?;
    let all = (owner, 0, 0)..=(owner, u128::MAX, u128::MAX);
    txn.table(BY_AGENT)?.retain_in(all.clone(), |_, ()| false)?;
    txn.table(BY_TASK)?.retain_in(all, |_, ()| false)?;
    txn.table(STEPS)?.retain_in((owner, 0, 0)..=(owner, u128::MAX, u32::MAX), |_, _| false)?;
    Ok(())
}

/// The ids of the runs that have not ended.
pub fn open(main: &Db, profile: ProfileId) -> Result<Vec<RunId>, StorageError> {
    let owner = profile.0.as_u128();
    let table = main.read()?.table(OPEN)?;
    table.range((owner, 0)..=(owner, u128::MAX))?.map(|row| Ok(RunId(Uuid::from_u128(row?.0.value().1)))).collect()
}

#[cfg(test)]
mod tests;
