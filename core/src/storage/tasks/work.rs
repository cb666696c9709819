//! What the queue does: takes tasks, stores how attempts go on and end, and finds what a crash left.

use std::collections::HashSet;

use redb::ReadableTable;
use uuid::Uuid;

use super::LEASES;
use super::open::Open;
use super::record::StoredLease;
use crate::model::{AgentId, ProfileId, Task, TaskId, TaskProgress, Timestamp, Wait};
use crate::storage::{Db, StorageError, WriteTxn, decode};
use crate::tasks::state::{End, Entry, Lease, Pause};

/// Tasks whose time has come that one commit lets go at most.
const DUE_AT_ONCE: usize = 2_000;

/// An attempt that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub task: TaskId,
    pub end: End,
    pub worked_ms: u64,
    pub random: u64,
}

/// A task that is taken now.
#[derive(Clone, Debug)]
pub struct Taken {
    pub task: Task,
    pub lease: Lease,
    pub resumes: bool,
}

/// One turn of the queue.
#[derive(Clone, Debug)]
pub struct Step {
    pub profile: ProfileId,
    pub now: Timestamp,
    pub ended: Vec<Ended>,
    /// Tasks that may be taken.
    pub free: usize,
    /// Agents that take tasks.
    pub agents: Vec<AgentId>,
    /// See [`Pause`].
    pub base_s: u32,
}

/// What a turn did.
#[derive(Debug, Default)]
pub struct Stepped {
    pub taken: Vec<Taken>,
    /// Ended for good, as they are now.
    pub closed: Vec<Task>,
    /// Everything else that changed.
    pub changed: Vec<Task>,
    /// There is more to let go: another turn is due at once.
    pub more: bool,
}

/// Stores what ended, lets go what is due, takes what may be taken, within a larger change.
pub fn step(txn: &WriteTxn<'_>, step: &Step) -> Result<Stepped, StorageError> {
    let mut open = Open::new(txn, step.profile)?;
    let mut done = Stepped::default();
    for ended in &step.ended {
        end(&mut open, step, ended, &mut done)?;
    }
    let due = due(&open, step.now)?;
    done.more = due.len() == DUE_AT_ONCE;
    for id in due {
        let Some(before) = open.entry(id)? else { continue };
        let mut entry = before.clone();
        open.settle(&mut entry, step.now)?;
        done.changed.push(open.put(Some(&before), entry)?.task);
    }
    if !open.tally.paused {
        for id in pick(&open, &step.agents, step.free)? {
            let before = open.living(id)?;
            let mut entry = before.clone();
            let resumes = entry.resumes.is_some();
            let lease = entry.start(step.now);
            open.put_lease(&lease)?;
            let task = open.put(Some(&before), entry)?.task;
            done.taken.push(Taken { task, lease, resumes });
        }
    }
    open.close()?;
    Ok(done)
}

fn end(open: &mut Open<'_>, step: &Step, ended: &Ended, done: &mut Stepped) -> Result<(), StorageError> {
    // Without a lease it has ended already, or its profile's data went.
    let Some(lease) = open.lease(ended.task)? else { return Ok(()) };
    let Some(before) = open.entry(ended.task)? else { return open.drop_lease(ended.task) };
    let mut entry = before.clone();
    let pause = Pause { base_s: step.base_s, random: ended.random };
    entry.end(&lease, ended.end.clone(), ended.worked_ms, pause, step.now);
    open.drop_lease(ended.task)?;
    store_end(open, &before, entry, step.now, done)
}

fn store_end(
    open: &mut Open<'_>,
    before: &Entry,
    mut entry: Entry,
    now: Timestamp,
    done: &mut Stepped,
) -> Result<(), StorageError> {
    open.settle(&mut entry, now)?;
    let id = entry.task.id;
    let task = open.put(Some(before), entry)?.task;
    if task.status.is_final() {
        done.changed.extend(open.settle_dependents(id, now)?);
        done.closed.push(task);
    } else {
        done.changed.push(task);
    }
    Ok(())
}

fn due(open: &Open<'_>, now: Timestamp) -> Result<Vec<TaskId>, StorageError> {
    let rows = open.due.range((open.own, i64::MIN, 0)..=(open.own, now.0, u128::MAX))?;
    rows.take(DUE_AT_ONCE).map(|row| Ok(TaskId(Uuid::from_u128(row?.0.value().2)))).collect()
}

/// The most urgent of these agents' tasks, first come first served among equals.
fn pick(open: &Open<'_>, agents: &[AgentId], free: usize) -> Result<Vec<TaskId>, StorageError> {
    let mut heads = Vec::new();
    for agent in agents {
        let agent = agent.0.as_u128();
        let queue =
            open.ready.range((open.own, agent, 0, i64::MIN, 0)..=(open.own, agent, u8::MAX, i64::MAX, u128::MAX))?;
        for row in queue.take(free) {
            let (_, _, urgency, made, id) = row?.0.value();
            heads.push((urgency, made, id));
        }
    }
    heads.sort_unstable();
    Ok(heads.into_iter().take(free).map(|(_, _, id)| TaskId(Uuid::from_u128(id))).collect())
}

/// Changes the lease of a task that runs; `wait` is what the task waits for, if that changes. None when it does not run.
pub fn lease_changed(
    main: &Db,
    profile: ProfileId,
    id: TaskId,
    now: Timestamp,
    wait: Option<Option<Wait>>,
    change: impl Fn(&mut Lease) + Send + 'static,
) -> Result<Option<Task>, StorageError> {
    main.write(move |txn| {
        let mut open = Open::new(txn, profile)?;
        let Some(mut lease) = open.lease(id)? else { return Ok(None) };
        change(&mut lease);
        open.put_lease(&lease)?;
        let mut changed = None;
        if let Some(wait) = &wait {
            let before = open.living(id)?;
            let mut entry = before.clone();
            entry.task.waits.clone_from(wait);
            entry.task.updated = now;
            entry.tell(
                now,
                if wait.is_some() { "waits" } else { "changed" },
                match wait {
                    Some(_) => "Waits for you",
                    None => "Goes on",
                },
            );
            changed = Some(open.put(Some(&before), entry)?.task);
        }
        open.close()?;
        Ok(changed)
    })
}

/// How far a task that runs is; none when it does not run.
pub fn progress(
    main: &Db,
    profile: ProfileId,
    id: TaskId,
    now: Timestamp,
    progress: TaskProgress,
) -> Result<Option<Task>, StorageError> {
    main.write(move |txn| {
        let mut open = Open::new(txn, profile)?;
        if open.lease(id)?.is_none() {
            return Ok(None);
        }
        let before = open.living(id)?;
        let mut entry = before.clone();
        entry.task.progress = Some(progress.clone());
        entry.task.updated = now;
        let task = open.put(Some(&before), entry)?.task;
        open.close()?;
        Ok(Some(task))
    })
}

/// Tasks that hold a lease.
pub fn leased(main: &Db, profile: ProfileId) -> Result<Vec<TaskId>, StorageError> {
    let own = profile.0.as_u128();
    let table = main.read()?.table(LEASES)?;
    table.range((own, 0)..=(own, u128::MAX))?.map(|row| Ok(TaskId(Uuid::from_u128(row?.0.value().1)))).collect()
}

/// Takes the leases but those that are held: what was cut off is queued again, asks the person, or has failed.
pub fn recover(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    now: Timestamp,
    held: &HashSet<TaskId>,
) -> Result<Stepped, StorageError> {
    let mut open = Open::new(txn, profile)?;
    let mut leases = Vec::new();
    for row in open.leases.range((open.own, 0)..=(open.own, u128::MAX))? {
        let (key, value) = row?;
        leases.push(decode::<StoredLease>(value.value())?.into_lease(key.value().1));
    }
    let mut done = Stepped::default();
    for lease in leases.into_iter().filter(|lease| !held.contains(&lease.task)) {
        open.drop_lease(lease.task)?;
        let Some(before) = open.entry(lease.task)? else { continue };
        let mut entry = before.clone();
        entry.cut_off(&lease, false, now);
        store_end(&mut open, &before, entry, now, &mut done)?;
    }
    open.close()?;
    Ok(done)
}
