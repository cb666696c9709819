//! Crews as a whole: in and out of the trash, in backups, with their profile.

use super::*;
use crate::model::{DataKind, Merged};
use crate::storage::kinds::Kind;

pub(in crate::storage) static KIND: Kind = Kind {
    kind: DataKind::Crews,
    table: &CREWS,
    title: |row| decode(row).ok().map(|row: StoredCrew| row.settings.name),
    is_there: |row| decode(row).is_ok_and(|row: StoredCrew| !row.trashed),
};

/// Takes a crew out of the list; its row and its runs stay.
pub(in crate::storage) fn hide(txn: &WriteTxn<'_>, profile: ProfileId, id: CrewId) -> Result<CrewDraft, StorageError> {
    let key = key(profile, id);
    let mut stored = own(txn, profile, id)?;
    stored.trashed = true;
    leave_name(txn, key, &stored.settings.name)?;
    txn.table(CREWS)?.put(key, &stored)?;
    Ok(stored.settings)
}

/// Puts a hidden crew back into the list.
///
/// # Errors
/// Refused when another one has its name now.
pub(in crate::storage) fn show(txn: &WriteTxn<'_>, profile: ProfileId, id: CrewId) -> Result<(), StorageError> {
    let key = key(profile, id);
    let stored: Option<StoredCrew> = txn.table(CREWS)?.record(key)?;
    let mut stored = stored.ok_or_else(unknown)?;
    take_name(txn, key, &stored.settings.name)?;
    stored.trashed = false;
    txn.table(CREWS)?.put(key, &stored)
}

pub(in crate::storage) fn is_hidden(txn: &WriteTxn<'_>, profile: ProfileId, id: CrewId) -> Result<bool, StorageError> {
    let stored: Option<StoredCrew> = txn.table(CREWS)?.record(key(profile, id))?;
    Ok(stored.is_some_and(|stored| stored.trashed))
}

/// Removes a crew for good; what its runs did stays in the list of runs.
pub(in crate::storage) fn erase(txn: &WriteTxn<'_>, profile: ProfileId, id: CrewId) -> Result<(), StorageError> {
    let key = key(profile, id);
    let stored: Option<StoredCrew> = txn.table(CREWS)?.record(key)?;
    leave_name(txn, key, &stored.ok_or_else(unknown)?.settings.name)?;
    txn.table(CREWS)?.remove(key)?;
    Ok(())
}

/// Removes all of a profile, within a larger change.
pub(in crate::storage) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(CREWS)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    txn.table(NAMES)?.retain(|key, _| key.0 != owner)?;
    txn.table(RUNS)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    txn.table(RUNS_BY_CREW)?.retain_in((owner, 0, 0)..=(owner, u128::MAX, u128::MAX), |_, _| false)?;
    txn.table(OPEN)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, ()| false)?;
    txn.table(NUMBERS)?.remove(owner)?;
    Ok(())
}

/// Adds the crews that only `other` has, under another name where theirs is taken.
pub(in crate::storage) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<Merged, StorageError> {
    let mut merged = Merged { kind: DataKind::Crews, added: 0, kept: 0 };
    for row in other.table(CREWS)?.iter()? {
        let (id, value) = row?;
        let key = id.value();
        let here: Option<StoredCrew> = txn.table(CREWS)?.record(key)?;
        let mut there: StoredCrew = decode(value.value())?;
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
                txn.table(CREWS)?.put(key, &there)?;
                merged.added += u64::from(!there.trashed);
            }
        }
    }
    Ok(merged)
}

/// What does not fit together among the tables of this store, in words.
pub(in crate::storage) fn broken(txn: &ReadTxn) -> Result<Vec<String>, StorageError> {
    let mut broken = Vec::new();
    // Looked at before it was opened, a file of an earlier program has no such table yet.
    if txn.table_if_there(CREWS)?.is_none() || txn.table_if_there(RUNS)?.is_none() {
        return Ok(broken);
    }
    let (names, mut listed) = (txn.table(NAMES)?, 0);
    for row in txn.table(CREWS)?.iter()? {
        let (key, value) = row?;
        let ((owner, id), stored) = (key.value(), decode::<StoredCrew>(value.value())?);
        let name = folded(&stored.settings.name);
        let named = names.get((owner, name.as_str()))?.is_some_and(|own| own.value() == id);
        if named == stored.trashed {
            broken.push("the list of crews does not fit them".to_owned());
        }
        listed += usize::from(!stored.trashed);
    }
    if names.iter()?.count() != listed {
        broken.push("the list of crews has too many rows".to_owned());
    }
    let (by_crew, open) = (txn.table(RUNS_BY_CREW)?, txn.table(OPEN)?);
    let (mut runs, mut running) = (0, 0);
    for row in txn.table(RUNS)?.iter()? {
        let (key, value) = row?;
        let ((owner, id), kept) = (key.value(), decode::<KeptRun>(value.value())?);
        let place = by_crew.get((owner, kept.run.crew.0.as_u128(), id))?.map(|place| place.value().0);
        if place != Some(state_index(kept.run.state)) || open.get((owner, id))?.is_some() == kept.run.state.is_final() {
            broken.push("a list of runs of crews does not fit them".to_owned());
        }
        runs += 1;
        running += usize::from(!kept.run.state.is_final());
    }
    if by_crew.iter()?.count() != runs || open.iter()?.count() != running {
        broken.push("a list of runs of crews has too many rows".to_owned());
    }
    Ok(broken)
}
