//! Schedules as they are listed, made and changed.

use super::whole::rest;
use super::*;
use crate::model::{Page, PageRequest, ScheduleRun};

const LARGEST_PAGE: u32 = 1_000;
/// Schedules that a profile may have.
const MOST: u64 = 200_000;

/// By name, whatever the case.
pub fn list(main: &Db, profile: ProfileId) -> Result<Vec<Row>, StorageError> {
    let txn = main.read()?;
    let (rows, states, names) = (txn.table(SCHEDULES)?, txn.table(STATES)?, txn.table(NAMES)?);
    let runs = txn.table(RUNS)?;
    let owner = profile.0.as_u128();
    let mut found = Vec::new();
    for name in names.range((owner, "")..)? {
        let (key, id) = name?;
        if key.value().0 != owner {
            break;
        }
        let key = (owner, id.value());
        let stored: StoredSchedule = rows.record(key)?.ok_or_else(unknown)?;
        let state: Option<StoredScheduleState> = states.record(key)?;
        found.push(row_of(&runs, key, stored, state.unwrap_or_default())?);
    }
    Ok(found)
}

/// # Errors
/// There is none of this id, or it lies in the trash.
pub fn get(main: &Db, profile: ProfileId, id: ScheduleId) -> Result<Row, StorageError> {
    let (txn, key) = (main.read()?, key(profile, id));
    let stored: Option<StoredSchedule> = txn.table(SCHEDULES)?.record(key)?;
    let stored = stored.filter(|stored| !stored.trashed).ok_or_else(unknown)?;
    let state: Option<StoredScheduleState> = txn.table(STATES)?.record(key)?;
    row_of(&txn.table(RUNS)?, key, stored, state.unwrap_or_default())
}

/// Gives a schedule its name, if no other one has it.
pub(super) fn take_name(txn: &WriteTxn<'_>, key: (u128, u128), name: &str) -> Result<(), StorageError> {
    let folded = name.to_lowercase();
    let mut names = txn.table(NAMES)?;
    let taken = names.get((key.0, folded.as_str()))?.map(|id| id.value());
    match taken {
        Some(id) if id != key.1 => Err(StorageError::Refused(format!("there is already a schedule named \"{name}\""))),
        Some(_own) => Ok(()),
        None => {
            names.insert((key.0, folded.as_str()), key.1)?;
            Ok(())
        }
    }
}

pub(super) fn leave_name(txn: &WriteTxn<'_>, key: (u128, u128), name: &str) -> Result<(), StorageError> {
    let folded = name.to_lowercase();
    let mut names = txn.table(NAMES)?;
    if names.get((key.0, folded.as_str()))?.is_some_and(|id| id.value() == key.1) {
        names.remove((key.0, folded.as_str()))?;
    }
    Ok(())
}

/// Makes a schedule that runs next at the row's `next`.
///
/// # Errors
/// Refused when its name is taken, or there are too many.
pub fn create(main: &Db, profile: ProfileId, row: Row) -> Result<(), StorageError> {
    main.write(move |txn| create_in(txn, profile, &row))
}

/// As [`create`], within a larger change.
pub fn create_in(txn: &WriteTxn<'_>, profile: ProfileId, row: &Row) -> Result<(), StorageError> {
    let key = key(profile, row.id);
    if redb::ReadableTableMetadata::len(&*txn.table(SCHEDULES)?)? >= MOST {
        return Err(StorageError::Refused(format!("there are {MOST} schedules already")));
    }
    take_name(txn, key, &row.settings.name)?;
    let stored = StoredSchedule {
        settings: row.settings.clone(),
        created: row.created.0,
        updated: row.updated.0,
        background: row.background.clone(),
        sample: row.sample,
        trashed: false,
    };
    txn.table(SCHEDULES)?.put(key, &stored)?;
    begin(txn, key, &stored.settings, row.next)
}

/// Begins anew with this next time; what it did before stays counted.
fn begin(
    txn: &WriteTxn<'_>,
    key: (u128, u128),
    settings: &ScheduleDraft,
    next: Option<Timestamp>,
) -> Result<(), StorageError> {
    let mut state = state_of(txn, key)?;
    let timing = holds_for(settings);
    if state.timing != timing && is_trigger(settings) {
        state.mark.clear();
    }
    state.timing = timing;
    state.next = next.filter(|_| settings.enabled).map(|at| at.0);
    put_state(txn, key, &state)
}

/// # Errors
/// Refused when its name is taken.
pub fn update(
    main: &Db,
    profile: ProfileId,
    id: ScheduleId,
    draft: ScheduleDraft,
    now: Timestamp,
    next: Option<Timestamp>,
) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = key(profile, id);
        let mut stored = own(txn, key)?;
        let same = stored.settings.timing == draft.timing && stored.settings.enabled == draft.enabled;
        leave_name(txn, key, &stored.settings.name)?;
        take_name(txn, key, &draft.name)?;
        stored.settings = draft.clone();
        stored.updated = now.0;
        txn.table(SCHEDULES)?.put(key, &stored)?;
        // Another title does not move its next time.
        if same { Ok(()) } else { begin(txn, key, &draft, next) }
    })
}

pub fn set_enabled(
    main: &Db,
    profile: ProfileId,
    id: ScheduleId,
    enabled: bool,
    now: Timestamp,
    next: Option<Timestamp>,
) -> Result<(), StorageError> {
    main.write(move |txn| {
        let key = key(profile, id);
        let mut stored = own(txn, key)?;
        if stored.settings.enabled == enabled {
            return Ok(());
        }
        stored.settings.enabled = enabled;
        stored.updated = now.0;
        txn.table(SCHEDULES)?.put(key, &stored)?;
        begin(txn, key, &stored.settings, next)
    })
}

/// Gives schedules that were away (in the trash, in a backup) or whose clock was wrong the next time that they have now.
pub fn mend(main: &Db, profile: ProfileId, next: Vec<(ScheduleId, Option<Timestamp>)>) -> Result<(), StorageError> {
    main.write(move |txn| {
        for (id, next) in &next {
            let key = key(profile, *id);
            // Deleted meanwhile, or a restore took it back to when it was not there yet.
            let Ok(stored) = own(txn, key) else {
                rest(txn, key)?;
                continue;
            };
            begin(txn, key, &stored.settings, *next)?;
        }
        Ok(())
    })
}

/// Newest first.
pub fn runs(
    main: &Db,
    profile: ProfileId,
    id: ScheduleId,
    page: PageRequest,
) -> Result<Page<ScheduleRun>, StorageError> {
    get(main, profile, id)?;
    let (owner, id) = key(profile, id);
    let table = main.read()?.table(RUNS)?;
    let mut found = Page { items: Vec::new(), total: 0, offset: page.offset };
    for row in table.range((owner, id, 0)..=(owner, id, u64::MAX))?.rev() {
        let (_, value) = row?;
        if found.total >= page.offset && found.items.len() < page.limit.min(LARGEST_PAGE) as usize {
            let stored: StoredScheduleRun = decode(value.value())?;
            let (planned, at) = (Timestamp(stored.planned), Timestamp(stored.at));
            found.items.push(ScheduleRun { planned, at, outcome: stored.outcome });
        }
        found.total += 1;
    }
    Ok(found)
}
