//! Upkeep of agents: profiles that go, states that are compared and merged, and the rules that indexes keep.

use redb::{Key, ReadableTable, TableDefinition, Value};
use uuid::Uuid;

use super::data::{DATA, StoredDatum};
use super::figures::{COUNTS, HOURS};
use super::policies::POLICIES;
use super::{AGENTS, BY_STATUS, NAMES, STATUSES, StoredAgent, folded, show, status_key};
use crate::model::{AgentId, DataKind, Merged, ProfileId};
use crate::storage::kinds::Kind;
use crate::storage::{AnyTable, ReadTxn, RecordWriting, StorageError, WriteTxn, decode};

/// What no restore takes back.
pub(in crate::storage) const STAYING: &[&dyn AnyTable] = &[&COUNTS, &HOURS];

pub(in crate::storage) static KIND: Kind = Kind {
    kind: DataKind::Agents,
    table: &AGENTS,
    title: |row| decode(row).ok().map(|row: StoredAgent| row.settings.name),
    // What lies in the trash is told of there.
    is_there: |row| decode(row).map_or(true, |row: StoredAgent| !row.trashed),
};
pub(in crate::storage) static DATA_KIND: Kind = Kind {
    kind: DataKind::AgentData,
    table: &DATA,
    title: |row| decode(row).ok().map(|row: StoredDatum| row.key),
    is_there: |_row| true,
};

/// Removes all agents of a profile, within a larger change.
pub(in crate::storage) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(AGENTS)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    txn.table(NAMES)?.retain(|key, _| key.0 != owner)?;
    txn.table(BY_STATUS)?.retain(|key, ()| key.0 != owner)?;
    txn.table(DATA)?.retain(|key, _| key.0 != owner)?;
    txn.table(POLICIES)?.retain(|key, _| key.0 != owner)?;
    txn.table(COUNTS)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    txn.table(STATUSES)?.retain_in((owner, 0, i64::MIN)..=(owner, u128::MAX, i64::MAX), |_, _| false)?;
    txn.table(HOURS)?.retain_in((owner, 0, i64::MIN)..=(owner, u128::MAX, i64::MAX), |_, _| false)?;
    Ok(())
}

/// Adds the agents that only `other` has, with their data; a name that is taken here gets "(restored)" after it. One
/// that is in the trash here and not there leaves the trash as it is here.
pub(in crate::storage) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<[Merged; 2], StorageError> {
    let mut merged = Merged { kind: DataKind::Agents, added: 0, kept: 0 };
    for row in other.table(AGENTS)?.iter()? {
        let (key, value) = row?;
        let (owner, id) = key.value();
        let mut stored: StoredAgent = decode(value.value())?;
        let here = txn.table(AGENTS)?.get((owner, id))?.map(|here| here.value().to_vec());
        if let Some(here) = here {
            let mut present: StoredAgent = decode(&here)?;
            if !stored.trashed && present.trashed {
                if rename_if_taken(txn, owner, &mut present)? {
                    txn.table(AGENTS)?.put((owner, id), &present)?;
                }
                show(txn, ProfileId(Uuid::from_u128(owner)), AgentId(Uuid::from_u128(id)))?;
                merged.added += 1;
            } else {
                merged.kept += u64::from(here != value.value());
            }
            continue;
        }
        if !stored.trashed {
            rename_if_taken(txn, owner, &mut stored)?;
            txn.table(NAMES)?.insert((owner, folded(&stored.settings.name).as_str()), id)?;
            txn.table(BY_STATUS)?.insert((owner, status_key(stored.status), id), ())?;
            merged.added += 1;
        }
        txn.table(AGENTS)?.put((owner, id), &stored)?;
    }
    let mut with = Merged { kind: DataKind::AgentData, added: 0, kept: 0 };
    let mut data = txn.table(DATA)?;
    for row in other.table(DATA)?.iter()? {
        let (key, value) = row?;
        let here = data.get(key.value())?.map(|here| here.value() == value.value());
        match here {
            Some(same) => with.kept += u64::from(!same),
            None => {
                data.insert(key.value(), value.value())?;
                with.added += 1;
            }
        }
    }
    drop(data);
    add_missing(txn, other, STATUSES)?;
    add_missing(txn, other, COUNTS)?;
    add_missing(txn, other, HOURS)?;
    add_missing(txn, other, POLICIES)?;
    Ok([merged, with])
}

/// Gives the agent a name that nobody has; whether it had to.
fn rename_if_taken(txn: &WriteTxn<'_>, owner: u128, stored: &mut StoredAgent) -> Result<bool, StorageError> {
    let names = txn.table(NAMES)?;
    let mut changed = false;
    while names.get((owner, folded(&stored.settings.name).as_str()))?.is_some() {
        stored.settings.name.push_str(" (restored)");
        changed = true;
    }
    Ok(changed)
}

/// Adds the rows of a table that only `other` has.
fn add_missing<K: Key + 'static, V: Value + 'static>(
    txn: &WriteTxn<'_>,
    other: &ReadTxn,
    definition: TableDefinition<K, V>,
) -> Result<(), StorageError> {
    let mut table = txn.table(definition)?;
    for row in other.table(definition)?.iter()? {
        let (key, value) = row?;
        let is_here = table.get(key.value())?.is_some();
        if !is_here {
            table.insert(key.value(), value.value())?;
        }
    }
    Ok(())
}

/// What does not fit together among the tables of this store, in words.
pub(in crate::storage) fn broken(txn: &ReadTxn) -> Result<Vec<String>, StorageError> {
    let mut broken = Vec::new();
    // Looked at before it was opened, a file of an earlier program has no such table yet.
    if txn.table_if_there(AGENTS)?.is_none() {
        return Ok(broken);
    }
    let (agents, names, by_status) = (txn.table(AGENTS)?, txn.table(NAMES)?, txn.table(BY_STATUS)?);
    let mut listed = 0;
    for row in agents.iter()? {
        let (key, value) = row?;
        let ((owner, id), stored) = (key.value(), decode::<StoredAgent>(value.value())?);
        let named = names.get((owner, folded(&stored.settings.name).as_str()))?.is_some_and(|own| own.value() == id);
        let has_status = by_status.get((owner, status_key(stored.status), id))?.is_some();
        if named == stored.trashed || has_status == stored.trashed {
            let why = if stored.trashed { "an agent in the trash is in" } else { "an agent is missing in" };
            broken.push(format!("{why} a list of agents"));
        }
        listed += usize::from(!stored.trashed);
    }
    if names.iter()?.count() != listed || by_status.iter()?.count() != listed {
        broken.push("a list of agents has too many rows".to_owned());
    }
    for row in txn.table(DATA)?.iter()? {
        let (key, value) = row?;
        let (owner, id, name) = key.value();
        if agents.get((owner, id))?.is_none() || decode::<StoredDatum>(value.value())?.key != name {
            broken.push("data belong to an agent that is not there".to_owned());
        }
    }
    Ok(broken)
}
