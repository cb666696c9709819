//! The tables of a profile's tasks, open for writing: a row and all of its indexes change together, here alone.

use redb::ReadableTable;
use uuid::Uuid;

use super::record::{StoredLease, StoredMoment, StoredTally, StoredTask};
use super::{
    BOARD, BY_AGENT, BY_LABEL, BY_SCHEDULE, BY_STATUS, DUE, Facts, Key, LEASES, MOMENTS, NEEDED_BY, NUMBERS, READY,
    TALLY, TASKS, Timed,
};
use crate::model::{BoardColumn, Priority, ProfileId, Task, TaskId, TaskStatus, Timestamp, Wait};
use crate::storage::table::Table;
use crate::storage::{RecordReading, RecordWriting, StorageError, WriteTxn};
use crate::tasks::needs;
use crate::tasks::state::{Entry, Lease};

/// Between the places of two neighbours on the board, so that a third one fits.
const GAP: i64 = 1 << 20;

pub(super) struct Open<'a> {
    pub own: u128,
    pub rows: Table<'a, Key, &'static [u8]>,
    by_status: Table<'a, Timed<u8>, Facts>,
    by_agent: Table<'a, Timed<u128>, ()>,
    by_schedule: Table<'a, Timed<u128>, ()>,
    by_label: Table<'a, Timed<&'static str>, ()>,
    pub board: Table<'a, Timed<u8>, ()>,
    pub ready: Table<'a, (u128, u128, u8, i64, u128), ()>,
    pub due: Table<'a, (u128, i64, u128), ()>,
    needed_by: Table<'a, (u128, u128, u128), ()>,
    numbers: Table<'a, (u128, u64), u128>,
    moments: Table<'a, (u128, u128, u32), &'static [u8]>,
    pub leases: Table<'a, Key, &'static [u8]>,
    tallies: Table<'a, u128, &'static [u8]>,
    pub tally: StoredTally,
    before: StoredTally,
}

/// Where a row stands in the indexes.
#[derive(PartialEq)]
struct Places {
    status: u8,
    updated: i64,
    due_date: i64,
    priority: u8,
    agent: u128,
    title: String,
    column: u8,
    position: i64,
    ready: Option<u8>,
    due: Option<i64>,
}

pub(super) fn status_index(status: TaskStatus) -> u8 {
    status as u8
}

pub(super) fn column_index(column: BoardColumn) -> u8 {
    column as u8
}

/// Smaller is taken first.
fn urgency(priority: Priority) -> u8 {
    3 - priority as u8
}

impl Places {
    /// None for what is in no list.
    fn of(entry: &Entry) -> Option<Self> {
        let task = &entry.task;
        (!entry.trashed).then(|| Self {
            status: status_index(task.status),
            updated: task.updated.0,
            due_date: task.due.map_or(i64::MAX, |at| at.0),
            priority: task.priority as u8,
            agent: task.agent.map_or(0, |agent| agent.0.as_u128()),
            title: task.title.to_lowercase().chars().take(60).collect(),
            column: column_index(task.column),
            position: task.position,
            ready: entry.is_ready().then(|| urgency(task.priority)),
            due: match (&task.waits, task.status) {
                (Some(Wait::Until { at }), TaskStatus::Pending) => Some(at.0),
                _ => None,
            },
        })
    }
}

impl<'a> Open<'a> {
    pub fn new(txn: &WriteTxn<'a>, profile: ProfileId) -> Result<Self, StorageError> {
        let own = profile.0.as_u128();
        let tallies = txn.table(TALLY)?;
        let tally: StoredTally = tallies.record(own)?.unwrap_or_default();
        Ok(Self {
            own,
            rows: txn.table(TASKS)?,
            by_status: txn.table(BY_STATUS)?,
            by_agent: txn.table(BY_AGENT)?,
            by_schedule: txn.table(BY_SCHEDULE)?,
            by_label: txn.table(BY_LABEL)?,
            board: txn.table(BOARD)?,
            ready: txn.table(READY)?,
            due: txn.table(DUE)?,
            needed_by: txn.table(NEEDED_BY)?,
            numbers: txn.table(NUMBERS)?,
            moments: txn.table(MOMENTS)?,
            leases: txn.table(LEASES)?,
            tallies,
            before: tally.clone(),
            tally,
        })
    }

    /// Stores what was counted; at the end of each change.
    pub fn close(mut self) -> Result<(), StorageError> {
        if self.tally != self.before {
            self.tallies.put(self.own, &self.tally)?;
        }
        Ok(())
    }

    pub fn entry(&self, id: TaskId) -> Result<Option<Entry>, StorageError> {
        let id = id.0.as_u128();
        let stored: Option<StoredTask> = self.rows.record((self.own, id))?;
        Ok(stored.map(|stored| stored.into_entry(id)))
    }

    /// One that is there and not in the trash.
    pub fn living(&self, id: TaskId) -> Result<Entry, StorageError> {
        self.entry(id)?.filter(|entry| !entry.trashed).ok_or_else(super::list::unknown)
    }

    pub fn lease(&self, id: TaskId) -> Result<Option<Lease>, StorageError> {
        let id = id.0.as_u128();
        let stored: Option<StoredLease> = self.leases.record((self.own, id))?;
        Ok(stored.map(|stored| stored.into_lease(id)))
    }

    pub fn put_lease(&mut self, lease: &Lease) -> Result<(), StorageError> {
        self.leases.put((self.own, lease.task.0.as_u128()), &StoredLease::of(lease))
    }

    pub fn drop_lease(&mut self, id: TaskId) -> Result<(), StorageError> {
        self.leases.remove((self.own, id.0.as_u128()))?;
        Ok(())
    }

    /// A new row with the next number.
    pub fn add(&mut self, mut entry: Entry) -> Result<Entry, StorageError> {
        if entry.task.number == 0 {
            self.tally.last_number += 1;
            entry.task.number = self.tally.last_number;
        }
        let id = entry.task.id.0.as_u128();
        self.numbers.insert((self.own, entry.task.number), id)?;
        for on in &entry.task.depends_on {
            self.needed_by.insert((self.own, on.0.as_u128(), id), ())?;
        }
        self.index_fixed(&entry, true)?;
        self.put(None, entry)
    }

    /// Stores a row in place of what was there, with its news, and moves it to its column.
    pub fn put(&mut self, before: Option<&Entry>, mut entry: Entry) -> Result<Entry, StorageError> {
        let column = entry.column();
        let was = before.filter(|before| !before.trashed).map(|before| before.task.column);
        if was != Some(column) && !entry.trashed {
            entry.task.position = match column {
                // What ended last stands highest.
                BoardColumn::Done => entry.task.completed.map_or(0, |at| at.0.saturating_mul(-GAP)),
                _ => self.last_position(column)?.saturating_add(GAP),
            };
        }
        entry.task.column = column;
        for moment in std::mem::take(&mut entry.news) {
            let key = (self.own, entry.task.id.0.as_u128(), entry.moments);
            self.moments.put(key, &StoredMoment::of(&moment))?;
            entry.moments += 1;
        }
        self.reindex(before, &entry)?;
        self.rows.put((self.own, entry.task.id.0.as_u128()), &StoredTask::of(&entry))?;
        Ok(entry)
    }

    pub fn last_position(&self, column: BoardColumn) -> Result<i64, StorageError> {
        let column = column_index(column);
        let range = (self.own, column, i64::MIN, 0)..=(self.own, column, i64::MAX, u128::MAX);
        Ok(match self.board.range(range)?.next_back() {
            Some(row) => row?.0.value().2,
            None => 0,
        })
    }

    /// What never changes while the row lives, or is changed by taking it out first.
    pub fn index_fixed(&mut self, entry: &Entry, add: bool) -> Result<(), StorageError> {
        if entry.trashed {
            return Ok(());
        }
        let (own, task) = (self.own, &entry.task);
        let (made, id) = (task.created.0, task.id.0.as_u128());
        if let Some(agent) = task.agent {
            let key = (own, agent.0.as_u128(), made, id);
            if add {
                self.by_agent.insert(key, ())?;
            } else {
                self.by_agent.remove(key)?;
            }
        }
        if let Some(schedule) = task.schedule {
            let key = (own, schedule.0.as_u128(), made, id);
            if add {
                self.by_schedule.insert(key, ())?;
            } else {
                self.by_schedule.remove(key)?;
            }
        }
        for label in &task.labels {
            let folded = label.to_lowercase();
            let key = (own, folded.as_str(), made, id);
            if add {
                self.by_label.insert(key, ())?;
            } else {
                self.by_label.remove(key)?;
            }
        }
        Ok(())
    }

    /// Replaces what a task depends on.
    pub fn set_needs(&mut self, entry: &mut Entry, on: Vec<TaskId>) -> Result<(), StorageError> {
        let id = entry.task.id.0.as_u128();
        for before in std::mem::replace(&mut entry.task.depends_on, on) {
            self.needed_by.remove((self.own, before.0.as_u128(), id))?;
        }
        for now in &entry.task.depends_on {
            self.needed_by.insert((self.own, now.0.as_u128(), id), ())?;
        }
        Ok(())
    }

    fn reindex(&mut self, before: Option<&Entry>, after: &Entry) -> Result<(), StorageError> {
        let (old, new) = (before.and_then(Places::of), Places::of(after));
        let (own, made, id) = (self.own, after.task.created.0, after.task.id.0.as_u128());
        if old == new {
            return Ok(());
        }
        let changed = |pick: fn(&Places) -> (u64, i64)| old.as_ref().map(pick) != new.as_ref().map(pick);
        let moved = changed(|p| (u64::from(p.column), p.position));
        let other_status = changed(|p| (u64::from(p.status), 0));
        let queued = |places: Option<&Places>| places.and_then(|p| p.ready.map(|urgency| (p.agent, urgency)));
        let waiting = |places: Option<&Places>| places.and_then(|p| p.due);
        let (ready_before, ready_after) = (queued(old.as_ref()), queued(new.as_ref()));
        let (due_before, due_after) = (waiting(old.as_ref()), waiting(new.as_ref()));
        if let Some(old) = &old {
            if other_status {
                self.by_status.remove((own, old.status, made, id))?;
                let count = &mut self.tally.by_status[usize::from(old.status)];
                *count = count.saturating_sub(1);
            }
            if moved {
                self.board.remove((own, old.column, old.position, id))?;
                let count = &mut self.tally.by_column[usize::from(old.column)];
                *count = count.saturating_sub(1);
            }
        }
        if let Some((agent, urgency)) = ready_before.filter(|_| ready_before != ready_after) {
            self.ready.remove((own, agent, urgency, made, id))?;
        }
        if let Some(at) = due_before.filter(|_| due_before != due_after) {
            self.due.remove((own, at, id))?;
        }
        if let Some(new) = &new {
            let facts = (new.updated, new.due_date, new.priority, new.agent, new.title.as_str());
            self.by_status.insert((own, new.status, made, id), facts)?;
            if other_status {
                self.tally.by_status[usize::from(new.status)] += 1;
            }
            if moved {
                self.board.insert((own, new.column, new.position, id), ())?;
                self.tally.by_column[usize::from(new.column)] += 1;
            }
        }
        if let Some((agent, urgency)) = ready_after.filter(|_| ready_before != ready_after) {
            self.ready.insert((own, agent, urgency, made, id), ())?;
        }
        if let Some(at) = due_after.filter(|_| due_before != due_after) {
            self.due.insert((own, at, id), ())?;
        }
        Ok(())
    }

    /// Finds out again what a pending task waits for.
    pub fn settle(&self, entry: &mut Entry, now: Timestamp) -> Result<(), StorageError> {
        let needs = needs::look(&entry.task.depends_on, |id| {
            // A pending one in the trash is not coming; what it completed stays completed.
            let status = self.entry(id)?.map(|entry| (entry.trashed, entry.task.status));
            Ok::<_, StorageError>(status.map(|(trashed, status)| match status {
                TaskStatus::Pending | TaskStatus::Running if trashed => TaskStatus::Cancelled,
                status => status,
            }))
        })?;
        entry.settle(&needs, now);
        Ok(())
    }

    /// Tasks that need this one.
    pub fn dependents(&self, id: TaskId) -> Result<Vec<TaskId>, StorageError> {
        let id = id.0.as_u128();
        let rows = self.needed_by.range((self.own, id, 0)..=(self.own, id, u128::MAX))?;
        rows.map(|row| Ok(TaskId(Uuid::from_u128(row?.0.value().2)))).collect()
    }

    /// After a task ended, began anew or went: those that need it may go on now, or not any more.
    pub fn settle_dependents(&mut self, id: TaskId, now: Timestamp) -> Result<Vec<Task>, StorageError> {
        let mut changed = Vec::new();
        for dependent in self.dependents(id)? {
            let Some(before) = self.entry(dependent)? else { continue };
            let mut entry = before.clone();
            self.settle(&mut entry, now)?;
            if entry != before {
                if entry.is_ready() {
                    entry.tell(now, "queued", "All that it depends on is completed");
                }
                changed.push(self.put(Some(&before), entry)?.task);
            }
        }
        Ok(changed)
    }

    /// Removes every row of a task; those that needed it and had it completed need it no more.
    pub fn erase(&mut self, entry: &Entry, now: Timestamp) -> Result<(), StorageError> {
        let (own, id) = (self.own, entry.task.id.0.as_u128());
        let gone = Entry { trashed: true, ..entry.clone() };
        self.index_fixed(entry, false)?;
        self.reindex(Some(entry), &gone)?;
        self.rows.remove((own, id))?;
        self.leases.remove((own, id))?;
        self.numbers.remove((own, entry.task.number))?;
        self.moments.retain_in((own, id, 0)..=(own, id, u32::MAX), |_, _| false)?;
        for on in &entry.task.depends_on {
            self.needed_by.remove((own, on.0.as_u128(), id))?;
        }
        for dependent in self.dependents(entry.task.id)? {
            let Some(before) = self.entry(dependent)? else { continue };
            let mut after = before.clone();
            if entry.task.status == TaskStatus::Completed {
                let on = after.task.depends_on.iter().copied().filter(|on| *on != entry.task.id).collect();
                self.set_needs(&mut after, on)?;
            }
            self.settle(&mut after, now)?;
            self.put(Some(&before), after)?;
        }
        Ok(())
    }

    /// The place before another task of the column, with its neighbours moved apart where there is no room.
    pub fn place_before(&mut self, column: BoardColumn, before: &Entry) -> Result<i64, StorageError> {
        let index = column_index(column);
        let at = before.task.position;
        let above = {
            let range = (self.own, index, i64::MIN, 0)..(self.own, index, at, before.task.id.0.as_u128());
            match self.board.range(range)?.next_back() {
                Some(row) => row?.0.value().2,
                None => return Ok(at.saturating_sub(GAP)),
            }
        };
        if at - above >= 2 {
            return Ok(above + (at - above) / 2);
        }
        self.spread(column)?;
        let moved = self.living(before.task.id)?;
        Ok(moved.task.position - GAP / 2)
    }

    /// Gives all tasks of a column places far apart, in the order in which they stand.
    fn spread(&mut self, column: BoardColumn) -> Result<(), StorageError> {
        let index = column_index(column);
        let mut ids = Vec::new();
        for row in self.board.range((self.own, index, i64::MIN, 0)..=(self.own, index, i64::MAX, u128::MAX))? {
            ids.push(TaskId(Uuid::from_u128(row?.0.value().3)));
        }
        // What comes on top of them later still comes on top.
        let mut position = match ids.first() {
            Some(first) => self.living(*first)?.task.position.saturating_sub(GAP),
            None => return Ok(()),
        };
        for id in ids {
            let Some(before) = self.entry(id)? else { continue };
            position += GAP;
            let mut entry = before.clone();
            entry.task.position = position;
            self.put(Some(&before), entry)?;
        }
        Ok(())
    }
}
