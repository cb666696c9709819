//! Agents with their status, figures and own data; indexes on name and status lie in the same change as the row.

mod data;
mod figures;
mod policies;
mod upkeep;

use std::collections::BTreeMap;

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use data::{LARGEST_STORE, LARGEST_VALUE, LONGEST_KEY, MOST_KEYS, data, put_datum};
pub use figures::{Outcomes, count_outcome, metrics, outcomes};
pub use policies::{policies, set_policy};
pub(super) use upkeep::{DATA_KIND, KIND, STAYING, broken, merge, remove_profile};

use super::{AnyTable, Db, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{Agent, AgentDraft, AgentId, AgentStatus, ProfileId, Timestamp};

/// (profile, agent) to the agent.
const AGENTS: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("agents");
/// (profile, name in lower case) to the agent; those in the trash have no row.
const NAMES: TableDefinition<(u128, &str), u128> = TableDefinition::new("agents_by_name");
/// (profile, status, agent); those in the trash have no row.
const BY_STATUS: TableDefinition<(u128, &str, u128), ()> = TableDefinition::new("agents_by_status");
/// (profile, agent, milliseconds) to the status that began then.
const STATUSES: TableDefinition<(u128, u128, i64), &str> = TableDefinition::new("agent_statuses");
pub(super) const TABLES: &[&dyn AnyTable] =
    &[&AGENTS, &NAMES, &BY_STATUS, &STATUSES, &data::DATA, &figures::COUNTS, &figures::HOURS, &policies::POLICIES];

/// Changes of status are kept for so long.
const STATUSES_MS: i64 = 400 * 86_400_000;

#[derive(Serialize, Deserialize)]
struct StoredAgent {
    status: AgentStatus,
    status_detail: String,
    /// The draft has its defaults for fields that came later; the golden record tells when another change would harm it.
    settings: AgentDraft,
    created: i64,
    updated: i64,
    sample: bool,
    /// In the trash: its rows stay, it is in no list.
    #[serde(default)]
    trashed: bool,
}
first_version!(StoredAgent, "agent");

impl StoredAgent {
    fn of(agent: &Agent) -> Self {
        Self {
            status: agent.status,
            status_detail: agent.status_detail.clone(),
            settings: agent.settings.clone(),
            created: agent.created.0,
            updated: agent.updated.0,
            sample: agent.sample,
            trashed: false,
        }
    }

    fn into_agent(self, id: u128, counts: Option<figures::StoredCounts>) -> Agent {
        let counts = counts.unwrap_or_default();
        Agent {
            id: AgentId(Uuid::from_u128(id)),
            status: self.status,
            status_detail: self.status_detail,
            settings: self.settings,
            completed: counts.completed,
            failed: counts.failed,
            worked_ms: counts.worked_ms,
            last_active: counts.last.map(Timestamp),
            created: Timestamp(self.created),
            updated: Timestamp(self.updated),
            sample: self.sample,
        }
    }
}

fn status_key(status: AgentStatus) -> &'static str {
    match status {
        AgentStatus::Active => "active",
        AgentStatus::Inactive => "inactive",
        AgentStatus::Training => "training",
        AgentStatus::Error => "error",
        AgentStatus::Paused => "paused",
    }
}

fn unknown() -> StorageError {
    StorageError::NotFound("this agent".to_owned())
}

/// As names are compared.
fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

fn key(profile: ProfileId, id: AgentId) -> (u128, u128) {
    (profile.0.as_u128(), id.0.as_u128())
}

/// An agent of the profile, also one in the trash.
fn any(txn: &WriteTxn<'_>, profile: ProfileId, id: AgentId) -> Result<StoredAgent, StorageError> {
    txn.table(AGENTS)?.record(key(profile, id))?.ok_or_else(unknown)
}

/// An agent of the profile; one in the trash does not exist.
fn own(txn: &WriteTxn<'_>, profile: ProfileId, id: AgentId) -> Result<StoredAgent, StorageError> {
    Some(any(txn, profile, id)?).filter(|agent| !agent.trashed).ok_or_else(unknown)
}

fn whole(txn: &WriteTxn<'_>, profile: ProfileId, id: AgentId, stored: StoredAgent) -> Result<Agent, StorageError> {
    let counts = txn.table(figures::COUNTS)?.record(key(profile, id))?;
    Ok(stored.into_agent(id.0.as_u128(), counts))
}

/// Takes the name for this agent.
///
/// # Errors
/// Refused when another agent has it, whatever the case.
fn take_name(txn: &WriteTxn<'_>, profile: ProfileId, id: AgentId, name: &str) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    let mut names = txn.table(NAMES)?;
    let folded = folded(name);
    let taken = names.get((owner, folded.as_str()))?.map(|other| other.value());
    if taken.is_some_and(|other| other != id.0.as_u128()) {
        return Err(StorageError::Refused(format!("name: there is already an agent named \"{}\"", name.trim())));
    }
    names.insert((owner, folded.as_str()), id.0.as_u128())?;
    Ok(())
}

fn free_name(txn: &WriteTxn<'_>, profile: ProfileId, name: &str) -> Result<(), StorageError> {
    txn.table(NAMES)?.remove((profile.0.as_u128(), folded(name).as_str()))?;
    Ok(())
}

/// Stores a new agent; its figures begin at nothing.
///
/// # Errors
/// Refused when the name is taken.
pub fn create(main: &Db, profile: ProfileId, agent: Agent) -> Result<Agent, StorageError> {
    main.write(move |txn| create_in(txn, profile, &agent))
}

/// As [`create`], within a larger change.
pub fn create_in(txn: &WriteTxn<'_>, profile: ProfileId, agent: &Agent) -> Result<Agent, StorageError> {
    take_name(txn, profile, agent.id, &agent.settings.name)?;
    let (owner, id) = key(profile, agent.id);
    let status = status_key(agent.status);
    let stored = StoredAgent::of(agent);
    txn.table(AGENTS)?.put((owner, id), &stored)?;
    txn.table(BY_STATUS)?.insert((owner, status, id), ())?;
    txn.table(STATUSES)?.insert((owner, id, agent.created.0), status)?;
    Ok(stored.into_agent(id, None))
}

/// By name.
pub fn list(main: &Db, profile: ProfileId) -> Result<Vec<Agent>, StorageError> {
    let txn = main.read()?;
    let (agents, counts) = (txn.table(AGENTS)?, txn.table(figures::COUNTS)?);
    let owner = profile.0.as_u128();
    let mut out = Vec::new();
    for row in txn.table(NAMES)?.range((owner, "")..)? {
        let (name, id) = row?;
        if name.value().0 != owner {
            break;
        }
        let id = id.value();
        let stored: StoredAgent = agents.record((owner, id))?.ok_or_else(unknown)?;
        out.push(stored.into_agent(id, counts.record((owner, id))?));
    }
    Ok(out)
}

/// # Errors
/// When there is no such agent in this profile.
pub fn get(main: &Db, profile: ProfileId, id: AgentId) -> Result<Agent, StorageError> {
    let txn = main.read()?;
    let stored: Option<StoredAgent> = txn.table(AGENTS)?.record(key(profile, id))?;
    let stored = stored.filter(|agent| !agent.trashed).ok_or_else(unknown)?;
    Ok(stored.into_agent(id.0.as_u128(), txn.table(figures::COUNTS)?.record(key(profile, id))?))
}

/// The agent of this name, whatever the case.
pub fn named(main: &Db, profile: ProfileId, name: &str) -> Result<Option<Agent>, StorageError> {
    let found = main.read()?.table(NAMES)?.get((profile.0.as_u128(), folded(name).as_str()))?.map(|id| id.value());
    found.map(|id| get(main, profile, AgentId(Uuid::from_u128(id)))).transpose()
}

/// How many agents have each status.
pub fn count(main: &Db, profile: ProfileId) -> Result<BTreeMap<AgentStatus, u64>, StorageError> {
    let table = main.read()?.table(BY_STATUS)?;
    let owner = profile.0.as_u128();
    let mut counts = BTreeMap::new();
    let all =
        [AgentStatus::Active, AgentStatus::Inactive, AgentStatus::Training, AgentStatus::Error, AgentStatus::Paused];
    for status in all {
        let name = status_key(status);
        let rows = table.range((owner, name, 0)..=(owner, name, u128::MAX))?;
        let found = rows.map(|row| row.map(|_| 1)).sum::<Result<u64, _>>()?;
        if found > 0 {
            counts.insert(status, found);
        }
    }
    Ok(counts)
}

/// Writes new settings.
///
/// # Errors
/// Refused when the name is taken; not found.
pub fn update(
    main: &Db,
    profile: ProfileId,
    id: AgentId,
    settings: AgentDraft,
    now: Timestamp,
) -> Result<Agent, StorageError> {
    main.write(move |txn| {
        let mut stored = own(txn, profile, id)?;
        if folded(&stored.settings.name) != folded(&settings.name) {
            take_name(txn, profile, id, &settings.name)?;
            free_name(txn, profile, &stored.settings.name)?;
        }
        stored.settings = settings.clone();
        stored.updated = now.0;
        txn.table(AGENTS)?.put(key(profile, id), &stored)?;
        whole(txn, profile, id, stored)
    })
}

/// Sets the status, with why, and keeps since when; true when it was another one before.
///
/// # Errors
/// When there is no such agent in this profile.
pub fn set_status(
    main: &Db,
    profile: ProfileId,
    id: AgentId,
    status: AgentStatus,
    detail: String,
    now: Timestamp,
) -> Result<(Agent, bool), StorageError> {
    main.write(move |txn| {
        let mut stored = own(txn, profile, id)?;
        let changed = stored.status != status;
        if changed {
            let (owner, agent) = key(profile, id);
            let mut index = txn.table(BY_STATUS)?;
            index.remove((owner, status_key(stored.status), agent))?;
            index.insert((owner, status_key(status), agent), ())?;
            let mut history = txn.table(STATUSES)?;
            history.insert((owner, agent, now.0), status_key(status))?;
            let oldest = now.0.saturating_sub(STATUSES_MS);
            history.retain_in((owner, agent, i64::MIN)..(owner, agent, oldest), |_, _| false)?;
        }
        stored.status = status;
        stored.status_detail.clone_from(&detail);
        stored.updated = now.0;
        txn.table(AGENTS)?.put(key(profile, id), &stored)?;
        Ok((whole(txn, profile, id, stored)?, changed))
    })
}

/// Whether the agent takes new tasks now: the error is why it does not, in words for a person.
///
/// # Errors
/// What reading meets; the words lie in the inner result.
pub fn takes_tasks(main: &Db, profile: ProfileId, id: AgentId) -> Result<Result<(), String>, StorageError> {
    let stored: Option<StoredAgent> = main.read()?.table(AGENTS)?.record(key(profile, id))?;
    Ok(willing(stored))
}

/// As [`takes_tasks`], within a change.
pub fn takes_tasks_in(txn: &WriteTxn<'_>, profile: ProfileId, id: AgentId) -> Result<Result<(), String>, StorageError> {
    Ok(willing(txn.table(AGENTS)?.record(key(profile, id))?))
}

fn willing(stored: Option<StoredAgent>) -> Result<(), String> {
    let Some(agent) = stored.filter(|agent| !agent.trashed) else {
        return Err("its agent was deleted".to_owned());
    };
    let state = match agent.status {
        AgentStatus::Active => return Ok(()),
        AgentStatus::Inactive => "is inactive",
        AgentStatus::Training => "is in training",
        AgentStatus::Error => "has an error",
        AgentStatus::Paused => "is paused",
    };
    let mut words = format!("{} {state}", agent.settings.name);
    if !agent.status_detail.is_empty() {
        words += &format!(": {}", agent.status_detail);
    }
    Err(words)
}

/// Takes an agent out of every list; all its rows stay. Its name is free for another.
pub(super) fn hide(txn: &WriteTxn<'_>, profile: ProfileId, id: AgentId) -> Result<Agent, StorageError> {
    let mut stored = own(txn, profile, id)?;
    let (owner, agent) = key(profile, id);
    free_name(txn, profile, &stored.settings.name)?;
    txn.table(BY_STATUS)?.remove((owner, status_key(stored.status), agent))?;
    stored.trashed = true;
    txn.table(AGENTS)?.put((owner, agent), &stored)?;
    whole(txn, profile, id, stored)
}

/// Puts a hidden agent back.
///
/// # Errors
/// Refused when another agent has its name now.
pub(super) fn show(txn: &WriteTxn<'_>, profile: ProfileId, id: AgentId) -> Result<(), StorageError> {
    let mut stored = any(txn, profile, id)?;
    let (owner, agent) = key(profile, id);
    take_name(txn, profile, id, &stored.settings.name).map_err(|error| match error {
        StorageError::Refused(_) => StorageError::Refused(format!(
            "another agent is named \"{}\" now; rename that one, then bring this one back",
            stored.settings.name
        )),
        other => other,
    })?;
    stored.trashed = false;
    txn.table(BY_STATUS)?.insert((owner, status_key(stored.status), agent), ())?;
    txn.table(AGENTS)?.put((owner, agent), &stored)
}

/// Whether an agent of the profile is there and hidden.
pub(super) fn is_hidden(txn: &WriteTxn<'_>, profile: ProfileId, id: AgentId) -> Result<bool, StorageError> {
    let stored: Option<StoredAgent> = txn.table(AGENTS)?.record(key(profile, id))?;
    Ok(stored.is_some_and(|agent| agent.trashed))
}

/// Removes an agent, hidden or not, with its data and figures.
pub fn erase(txn: &WriteTxn<'_>, profile: ProfileId, id: AgentId) -> Result<(), StorageError> {
    let stored = any(txn, profile, id)?;
    let (owner, agent) = key(profile, id);
    if !stored.trashed {
        free_name(txn, profile, &stored.settings.name)?;
        txn.table(BY_STATUS)?.remove((owner, status_key(stored.status), agent))?;
    }
    txn.table(STATUSES)?.retain_in((owner, agent, i64::MIN)..=(owner, agent, i64::MAX), |_, _| false)?;
    data::remove(txn, owner, agent)?;
    figures::remove(txn, owner, agent)?;
    txn.table(AGENTS)?.remove((owner, agent))?;
    Ok(())
}

/// Removes the agents that were made as samples, for good; how many.
pub fn erase_samples(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<u64, StorageError> {
    let owner = profile.0.as_u128();
    let mut samples = Vec::new();
    for row in txn.table(AGENTS)?.range((owner, 0)..=(owner, u128::MAX))? {
        let (row, value) = row?;
        let stored: StoredAgent = decode(value.value())?;
        // What lies in the trash goes with the trash.
        if stored.sample && !stored.trashed {
            samples.push(AgentId(Uuid::from_u128(row.value().1)));
        }
    }
    for id in &samples {
        erase(txn, profile, *id)?;
    }
    Ok(samples.len() as u64)
}

#[cfg(test)]
mod tests;
