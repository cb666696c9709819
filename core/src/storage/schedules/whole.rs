//! Schedules as a whole: in and out of the trash, in backups, with their profile.

use super::rows::{leave_name, take_name};
use super::*;
use crate::model::{DataKind, Merged};
use crate::storage::kinds::Kind;

pub(in crate::storage) static KIND: Kind = Kind {
    kind: DataKind::Schedules,
    table: &SCHEDULES,
    title: |row| decode(row).ok().map(|row: StoredSchedule| row.settings.name),
    is_there: |row| decode(row).is_ok_and(|row: StoredSchedule| !row.trashed),
};

/// Takes a schedule out of every list and of what is due; its rows stay. Its name and when it runs, in words for machines.
pub(in crate::storage) fn hide(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    id: ScheduleId,
) -> Result<ScheduleDraft, StorageError> {
    let key = key(profile, id);
    let mut stored = own(txn, key)?;
    stored.trashed = true;
    leave_name(txn, key, &stored.settings.name)?;
    txn.table(SCHEDULES)?.put(key, &stored)?;
    rest(txn, key)?;
    Ok(stored.settings)
}

/// It is not due until its next time is found again.
pub(super) fn rest(txn: &WriteTxn<'_>, key: (u128, u128)) -> Result<(), StorageError> {
    let mut state = state_of(txn, key)?;
    state.timing.clear();
    state.mark.clear();
    state.next = None;
    put_state(txn, key, &state)
}

/// Puts a hidden schedule back into the list; its next time is found by the service.
pub(in crate::storage) fn show(txn: &WriteTxn<'_>, profile: ProfileId, id: ScheduleId) -> Result<(), StorageError> {
    let key = key(profile, id);
    let stored: Option<StoredSchedule> = txn.table(SCHEDULES)?.record(key)?;
    let mut stored = stored.ok_or_else(unknown)?;
    take_name(txn, key, &stored.settings.name)?;
    stored.trashed = false;
    txn.table(SCHEDULES)?.put(key, &stored)
}

pub(in crate::storage) fn is_hidden(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    id: ScheduleId,
) -> Result<bool, StorageError> {
    let stored: Option<StoredSchedule> = txn.table(SCHEDULES)?.record(key(profile, id))?;
    Ok(stored.is_some_and(|stored| stored.trashed))
}

/// Removes a schedule with its history.
pub(in crate::storage) fn erase(txn: &WriteTxn<'_>, profile: ProfileId, id: ScheduleId) -> Result<(), StorageError> {
    let key = key(profile, id);
    let stored: Option<StoredSchedule> = txn.table(SCHEDULES)?.record(key)?;
    leave_name(txn, key, &stored.ok_or_else(unknown)?.settings.name)?;
    rest(txn, key)?;
    txn.table(STATES)?.remove(key)?;
    txn.table(RUNS)?.retain_in((key.0, key.1, 0)..=(key.0, key.1, u64::MAX), |_, _| false)?;
    txn.table(SCHEDULES)?.remove(key)?;
    Ok(())
}

/// Removes what "sample data" made, for good, within a larger change; the number of schedules.
pub fn remove_samples(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<u64, StorageError> {
    let owner = profile.0.as_u128();
    let mut samples = Vec::new();
    for row in txn.table(SCHEDULES)?.range((owner, 0)..=(owner, u128::MAX))? {
        let (key, value) = row?;
        let stored: StoredSchedule = decode(value.value())?;
        // What lies in the trash goes with the trash.
        if stored.sample && !stored.trashed {
            samples.push(ScheduleId(Uuid::from_u128(key.value().1)));
        }
    }
    for id in &samples {
        erase(txn, profile, *id)?;
    }
    Ok(samples.len() as u64)
}

/// Removes all of a profile, within a larger change.
pub(in crate::storage) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(SCHEDULES)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    txn.table(NAMES)?.retain(|key, _| key.0 != owner)?;
    txn.table(STATES)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    txn.table(DUE)?.retain_in((owner, i64::MIN, 0)..=(owner, i64::MAX, u128::MAX), |_, _| false)?;
    txn.table(RUNS)?.retain_in((owner, 0, 0)..=(owner, u128::MAX, u64::MAX), |_, _| false)?;
    Ok(())
}

/// Adds the schedules that only `other` has, under another name where theirs is taken; they run from now on.
pub(in crate::storage) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<Merged, StorageError> {
    let mut merged = Merged { kind: DataKind::Schedules, added: 0, kept: 0 };
    for row in other.table(SCHEDULES)?.iter()? {
        let (id, value) = row?;
        let key = id.value();
        let here: Option<StoredSchedule> = txn.table(SCHEDULES)?.record(key)?;
        let mut there: StoredSchedule = decode(value.value())?;
        match here {
            Some(here) if !here.trashed || there.trashed => {
                merged.kept += u64::from(here.settings != there.settings);
            }
            _ => {
                let name = there.settings.name.clone();
                let mut number = 1;
                while !there.trashed && take_name(txn, key, &there.settings.name).is_err() {
                    number += 1;
                    there.settings.name = format!("{name} ({number})");
                }
                txn.table(SCHEDULES)?.put(key, &there)?;
                rest(txn, key)?;
                merged.added += u64::from(!there.trashed);
            }
        }
    }
    Ok(merged)
}
