//! Crews, and their runs with a checkpoint after each step.
//!
//! What a crew is goes back with a restore; what its runs did does not: what was done stays done. So both lie apart.

mod runs;
mod whole;

use std::collections::HashMap;

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use runs::{KeptRun, Member, add_run, open_runs, put_run, run, runs};
pub(super) use whole::{KIND, broken, erase, hide, is_hidden, merge, remove_profile, show};

use super::{AnyTable, Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{Crew, CrewDraft, CrewId, CrewRunState, ProfileId, Timestamp};

/// (profile, crew).
const CREWS: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("crews");
/// (profile, name in small letters) to the crew; those in the trash have no row.
const NAMES: TableDefinition<(u128, &str), u128> = TableDefinition::new("crews_by_name");
/// (profile, run); ids of runs rise with the time.
const RUNS: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("crew_runs");
/// (profile, crew, run) to the state of the run and when it was made.
const RUNS_BY_CREW: TableDefinition<(u128, u128, u128), (u8, i64)> = TableDefinition::new("crew_runs_by_crew");
/// (profile, run): those that have not ended.
const OPEN: TableDefinition<(u128, u128), ()> = TableDefinition::new("crew_runs_open");
/// Profile to the highest number of a run.
const NUMBERS: TableDefinition<u128, u64> = TableDefinition::new("crew_numbers");
pub(super) const TABLES: &[&dyn AnyTable] = &[&CREWS, &NAMES, &RUNS, &RUNS_BY_CREW, &OPEN, &NUMBERS];
/// What a restore leaves as it is.
pub(super) const STAYING: &[&dyn AnyTable] = &[&RUNS, &RUNS_BY_CREW, &OPEN, &NUMBERS];

/// Crews that all profiles together may have.
const MOST: u64 = 100_000;

#[derive(Clone, Serialize, Deserialize)]
struct StoredCrew {
    settings: CrewDraft,
    created: i64,
    updated: i64,
    /// In the trash: its row stays, it is in no list.
    #[serde(default)]
    trashed: bool,
}
first_version!(StoredCrew, "crew");

/// What the runs of a crew came to.
#[derive(Clone, Copy, Default)]
struct Figures {
    runs: u64,
    completed: u64,
    last: Option<Timestamp>,
}

fn unknown() -> StorageError {
    StorageError::NotFound("this crew".to_owned())
}

fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

fn key(profile: ProfileId, id: CrewId) -> (u128, u128) {
    (profile.0.as_u128(), id.0.as_u128())
}

fn state_index(state: CrewRunState) -> u8 {
    match state {
        CrewRunState::Running => 0,
        CrewRunState::Completed => 1,
        CrewRunState::Failed => 2,
        CrewRunState::Cancelled => 3,
    }
}

fn crew_of(id: u128, stored: StoredCrew, figures: Figures) -> Crew {
    Crew {
        id: CrewId(Uuid::from_u128(id)),
        settings: stored.settings,
        runs: figures.runs,
        completed: figures.completed,
        last_run: figures.last,
        created: Timestamp(stored.created),
        updated: Timestamp(stored.updated),
    }
}

/// What the runs of one crew came to, or of all crews of the profile.
fn figures(txn: &ReadTxn, profile: ProfileId, crew: Option<CrewId>) -> Result<HashMap<u128, Figures>, StorageError> {
    let owner = profile.0.as_u128();
    let (first, last) = crew.map_or((0, u128::MAX), |crew| (crew.0.as_u128(), crew.0.as_u128()));
    let mut found: HashMap<u128, Figures> = HashMap::new();
    for row in txn.table(RUNS_BY_CREW)?.range((owner, first, 0)..=(owner, last, u128::MAX))? {
        let (key, value) = row?;
        let (state, made) = value.value();
        let figures = found.entry(key.value().1).or_default();
        figures.runs += 1;
        figures.completed += u64::from(state == state_index(CrewRunState::Completed));
        figures.last = figures.last.max(Some(Timestamp(made)));
    }
    Ok(found)
}

/// By name, whatever the case.
pub fn list(main: &Db, profile: ProfileId) -> Result<Vec<Crew>, StorageError> {
    let txn = main.read()?;
    let (crews, names) = (txn.table(CREWS)?, txn.table(NAMES)?);
    let figures = figures(&txn, profile, None)?;
    let owner = profile.0.as_u128();
    let mut found = Vec::new();
    for row in names.range((owner, "")..)? {
        let (key, id) = row?;
        if key.value().0 != owner {
            break;
        }
        let id = id.value();
        let stored: StoredCrew = crews.record((owner, id))?.ok_or_else(unknown)?;
        found.push(crew_of(id, stored, figures.get(&id).copied().unwrap_or_default()));
    }
    Ok(found)
}

/// # Errors
/// There is none of this id, or it lies in the trash.
pub fn get(main: &Db, profile: ProfileId, id: CrewId) -> Result<Crew, StorageError> {
    let txn = main.read()?;
    let stored: Option<StoredCrew> = txn.table(CREWS)?.record(key(profile, id))?;
    let stored = stored.filter(|stored| !stored.trashed).ok_or_else(unknown)?;
    let figures = figures(&txn, profile, Some(id))?;
    let id = id.0.as_u128();
    Ok(crew_of(id, stored, figures.get(&id).copied().unwrap_or_default()))
}

fn own(txn: &WriteTxn<'_>, profile: ProfileId, id: CrewId) -> Result<StoredCrew, StorageError> {
    let stored: Option<StoredCrew> = txn.table(CREWS)?.record(key(profile, id))?;
    stored.filter(|stored| !stored.trashed).ok_or_else(unknown)
}

/// Gives a crew its name.
///
/// # Errors
/// Refused when another one has it, whatever the case.
fn take_name(txn: &WriteTxn<'_>, key: (u128, u128), name: &str) -> Result<(), StorageError> {
    let folded = folded(name);
    let mut names = txn.table(NAMES)?;
    let taken = names.get((key.0, folded.as_str()))?.map(|id| id.value());
    match taken {
        Some(id) if id != key.1 => {
            Err(StorageError::Refused(format!("name: there is already a crew named \"{}\"", name.trim())))
        }
        Some(_own) => Ok(()),
        None => {
            names.insert((key.0, folded.as_str()), key.1)?;
            Ok(())
        }
    }
}

fn leave_name(txn: &WriteTxn<'_>, key: (u128, u128), name: &str) -> Result<(), StorageError> {
    let folded = folded(name);
    let mut names = txn.table(NAMES)?;
    if names.get((key.0, folded.as_str()))?.is_some_and(|id| id.value() == key.1) {
        names.remove((key.0, folded.as_str()))?;
    }
    Ok(())
}

/// # Errors
/// Refused when its name is taken, or there are too many.
pub fn create(
    main: &Db,
    profile: ProfileId,
    id: CrewId,
    settings: CrewDraft,
    now: Timestamp,
) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = key(profile, id);
        if redb::ReadableTableMetadata::len(&*txn.table(CREWS)?)? >= MOST {
            return Err(StorageError::Refused(format!("there are {MOST} crews already")));
        }
        take_name(txn, key, &settings.name)?;
        let stored = StoredCrew { settings: settings.clone(), created: now.0, updated: now.0, trashed: false };
        txn.table(CREWS)?.put(key, &stored)
    })
}

/// # Errors
/// Refused when its name is taken; not found.
pub fn update(
    main: &Db,
    profile: ProfileId,
    id: CrewId,
    settings: CrewDraft,
    now: Timestamp,
) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = key(profile, id);
        let mut stored = own(txn, profile, id)?;
        if folded(&stored.settings.name) != folded(&settings.name) {
            take_name(txn, key, &settings.name)?;
            leave_name(txn, key, &stored.settings.name)?;
        }
        stored.settings = settings.clone();
        stored.updated = now.0;
        txn.table(CREWS)?.put(key, &stored)
    })
}

#[cfg(test)]
mod tests;
