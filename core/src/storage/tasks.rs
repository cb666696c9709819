//! Tasks: rows, indexes on status, time, agent, column, schedule and label, the queue, leases, the timeline.
//!
//! A restore does not take any of it back: what was done stays done.

mod change;
mod list;
mod open;
mod record;
mod work;

use redb::TableDefinition;

pub use change::{
    Cancelled, Change, NewTask, add_made, allow_repeat, cancel, create, edit, erase, hide, is_hidden, pause, prune,
    remove_samples, retry, shift, show,
};
pub use list::{board, by_name, counts, detail, get, is_paused, list, next_due, outlived, ready_agents};
pub use work::{Ended, Step, Stepped, Taken, lease_changed, leased, progress, recover, step};

use super::{AnyTable, StorageError, WriteTxn};
use crate::model::ProfileId;

/// (profile, task).
type Key = (u128, u128);
/// (profile, something, when it was made, task).
type Timed<T> = (u128, T, i64, u128);
/// What lists sort and filter by without reading rows: updated, due (`i64::MAX` for none), priority, agent (0 for
/// none), title in lower case.
type Facts = (i64, i64, u8, u128, &'static str);

const TASKS: TableDefinition<Key, &[u8]> = TableDefinition::new("tasks");
/// (profile, status, made, task).
const BY_STATUS: TableDefinition<Timed<u8>, Facts> = TableDefinition::new("tasks_by_status");
const BY_AGENT: TableDefinition<Timed<u128>, ()> = TableDefinition::new("tasks_by_agent");
const BY_SCHEDULE: TableDefinition<Timed<u128>, ()> = TableDefinition::new("tasks_by_schedule");
const BY_LABEL: TableDefinition<Timed<&str>, ()> = TableDefinition::new("tasks_by_label");
/// (profile, column, position, task).
const BOARD: TableDefinition<Timed<u8>, ()> = TableDefinition::new("task_board");
/// (profile, agent, urgency, made, task): those that can be taken; the most urgent have the smallest number.
const READY: TableDefinition<(u128, u128, u8, i64, u128), ()> = TableDefinition::new("task_queue");
/// (profile, time, task): those that wait for a time.
const DUE: TableDefinition<(u128, i64, u128), ()> = TableDefinition::new("task_times");
/// (profile, task, task that needs it).
const NEEDED_BY: TableDefinition<(u128, u128, u128), ()> = TableDefinition::new("task_dependents");
/// (profile, number) to the task.
const NUMBERS: TableDefinition<(u128, u64), u128> = TableDefinition::new("task_numbers");
/// (profile, task, index).
const MOMENTS: TableDefinition<(u128, u128, u32), &[u8]> = TableDefinition::new("task_moments");
const LEASES: TableDefinition<Key, &[u8]> = TableDefinition::new("task_leases");
/// Profile to what is counted.
const TALLY: TableDefinition<u128, &[u8]> = TableDefinition::new("task_tally");

pub(super) const TABLES: &[&dyn AnyTable] = &[
    &TASKS,
    &BY_STATUS,
    &BY_AGENT,
    &BY_SCHEDULE,
    &BY_LABEL,
    &BOARD,
    &READY,
    &DUE,
    &NEEDED_BY,
    &NUMBERS,
    &MOMENTS,
    &LEASES,
    &TALLY,
];

/// Forgets the tasks of a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let own = profile.0.as_u128();
    let next = own.saturating_add(1);
    txn.table(TASKS)?.retain_in((own, 0)..(next, 0), |_, _| false)?;
    txn.table(BY_STATUS)?.retain_in((own, 0, i64::MIN, 0)..(next, 0, i64::MIN, 0), |_, _| false)?;
    txn.table(BY_AGENT)?.retain_in((own, 0, i64::MIN, 0)..(next, 0, i64::MIN, 0), |_, ()| false)?;
    txn.table(BY_SCHEDULE)?.retain_in((own, 0, i64::MIN, 0)..(next, 0, i64::MIN, 0), |_, ()| false)?;
    txn.table(BY_LABEL)?.retain_in((own, "", i64::MIN, 0)..(next, "", i64::MIN, 0), |_, ()| false)?;
    txn.table(BOARD)?.retain_in((own, 0, i64::MIN, 0)..(next, 0, i64::MIN, 0), |_, ()| false)?;
    txn.table(READY)?.retain_in((own, 0, 0, i64::MIN, 0)..(next, 0, 0, i64::MIN, 0), |_, ()| false)?;
    txn.table(DUE)?.retain_in((own, i64::MIN, 0)..(next, i64::MIN, 0), |_, ()| false)?;
    txn.table(NEEDED_BY)?.retain_in((own, 0, 0)..(next, 0, 0), |_, ()| false)?;
    txn.table(NUMBERS)?.retain_in((own, 0)..(next, 0), |_, _| false)?;
    txn.table(MOMENTS)?.retain_in((own, 0, 0)..(next, 0, 0), |_, _| false)?;
    txn.table(LEASES)?.retain_in((own, 0)..(next, 0), |_, _| false)?;
    txn.table(TALLY)?.remove(own)?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
pub(crate) use tests::verify;
