//! Schedules, their next times, and what became of them.
//!
//! What a schedule is goes back with a restore; when it runs next and what it did does not: what was done stays done, and
//! nothing is made up for. So both lie apart, and a state says for which timing it holds.

mod firing;
mod rows;
mod whole;

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use firing::{Made, MakeTask, Step, due, fire, next_due, put_mark};
pub use rows::{create, create_in, get, list, mend, runs, set_enabled, update};
pub use whole::remove_samples;
pub(super) use whole::{KIND, erase, hide, is_hidden, merge, remove_profile, show};

use super::{AnyTable, Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{ProfileId, ScheduleDraft, ScheduleId, ScheduleOutcome, Timestamp, Timing};

/// (profile, schedule).
const SCHEDULES: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("schedules");
/// (profile, name in small letters) to the schedule.
const NAMES: TableDefinition<(u128, &str), u128> = TableDefinition::new("schedule_names");
/// (profile, schedule).
const STATES: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("schedule_states");
/// (profile, milliseconds of the next time, schedule).
const DUE: TableDefinition<(u128, i64, u128), ()> = TableDefinition::new("schedules_due");
/// (profile, schedule, number): the newest [`MOST_RUNS`] of each.
const RUNS: TableDefinition<(u128, u128, u64), &[u8]> = TableDefinition::new("schedule_runs");
pub(super) const TABLES: &[&dyn AnyTable] = &[&SCHEDULES, &NAMES, &STATES, &DUE, &RUNS];
/// What a restore leaves as it is.
pub(super) const STAYING: &[&dyn AnyTable] = &[&STATES, &DUE, &RUNS];

/// Runs that are kept of each schedule.
pub const MOST_RUNS: u64 = 500;

#[derive(Clone, Serialize, Deserialize)]
struct StoredSchedule {
    settings: ScheduleDraft,
    created: i64,
    updated: i64,
    #[serde(default)]
    background: Option<String>,
    #[serde(default)]
    sample: bool,
    /// In the trash: its rows stay, it is in no list and never due.
    #[serde(default)]
    trashed: bool,
}
first_version!(StoredSchedule, "schedule");

#[derive(Clone, Default, Serialize, Deserialize)]
struct StoredScheduleState {
    /// The timing that it holds for, as text; empty after the schedule was away.
    timing: String,
    next: Option<i64>,
    last_run: Option<i64>,
    /// When the last one was due.
    last_planned: Option<i64>,
    runs: u64,
    /// Number of the next entry of its history.
    entries: u64,
    /// Up to where its trigger has looked.
    #[serde(default)]
    mark: String,
}
first_version!(StoredScheduleState, "schedule state");

#[derive(Serialize, Deserialize)]
struct StoredScheduleRun {
    planned: i64,
    at: i64,
    outcome: ScheduleOutcome,
}
first_version!(StoredScheduleRun, "schedule run");

/// A schedule with what is known of its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: ScheduleId,
    pub settings: ScheduleDraft,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub background: Option<String>,
    pub sample: bool,
    pub next: Option<Timestamp>,
    pub last_run: Option<Timestamp>,
    /// What became of the newest time in its history.
    pub last_outcome: Option<ScheduleOutcome>,
    pub last_planned: Option<Timestamp>,
    pub runs: u64,
    pub mark: String,
    /// Its state holds for this timing.
    pub ready: bool,
}

fn unknown() -> StorageError {
    StorageError::NotFound("this schedule".to_owned())
}

/// What a state holds for: whoever changes timing or switch begins anew.
fn holds_for(settings: &ScheduleDraft) -> String {
    let timing = serde_json::to_string(&settings.timing).unwrap_or_default();
    if settings.enabled { timing } else { format!("off {timing}") }
}

fn row_of(
    runs: &impl RecordReading<(u128, u128, u64)>,
    key: (u128, u128),
    stored: StoredSchedule,
    state: StoredScheduleState,
) -> Result<Row, StorageError> {
    let newest: Option<StoredScheduleRun> = match state.entries.checked_sub(1) {
        Some(number) => runs.record((key.0, key.1, number))?,
        None => None,
    };
    Ok(Row {
        id: ScheduleId(Uuid::from_u128(key.1)),
        ready: state.timing == holds_for(&stored.settings),
        settings: stored.settings,
        created: Timestamp(stored.created),
        updated: Timestamp(stored.updated),
        background: stored.background,
        sample: stored.sample,
        next: state.next.map(Timestamp),
        last_run: state.last_run.map(Timestamp),
        last_outcome: newest.map(|run| run.outcome),
        last_planned: state.last_planned.map(Timestamp),
        runs: state.runs,
        mark: state.mark,
    })
}

/// Reads a schedule that is not in the trash.
fn own(txn: &WriteTxn<'_>, key: (u128, u128)) -> Result<StoredSchedule, StorageError> {
    let stored: Option<StoredSchedule> = txn.table(SCHEDULES)?.record(key)?;
    stored.filter(|stored| !stored.trashed).ok_or_else(unknown)
}

fn state_of(txn: &WriteTxn<'_>, key: (u128, u128)) -> Result<StoredScheduleState, StorageError> {
    Ok(txn.table(STATES)?.record(key)?.unwrap_or_default())
}

/// Puts a state, and its place among what is due.
fn put_state(txn: &WriteTxn<'_>, key: (u128, u128), state: &StoredScheduleState) -> Result<(), StorageError> {
    let before = state_of(txn, key)?;
    let mut due = txn.table(DUE)?;
    if let Some(next) = before.next {
        due.remove((key.0, next, key.1))?;
    }
    if let Some(next) = state.next {
        due.insert((key.0, next, key.1), ())?;
    }
    txn.table(STATES)?.put(key, state)
}

fn is_trigger(settings: &ScheduleDraft) -> bool {
    matches!(settings.timing, Timing::When { .. })
}

/// Removes the row alone, as a restore may.
#[cfg(test)]
pub(crate) fn lose(txn: &WriteTxn<'_>, profile: ProfileId, id: ScheduleId) -> Result<(), StorageError> {
    txn.table(SCHEDULES)?.remove(key(profile, id))?;
    txn.table(NAMES)?.retain(|_, own| own != id.0.as_u128())?;
    Ok(())
}

fn key(profile: ProfileId, id: ScheduleId) -> (u128, u128) {
    (profile.0.as_u128(), id.0.as_u128())
}

#[cfg(test)]
mod tests;
