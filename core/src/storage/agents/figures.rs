//! What agents did, in figures: totals of each, and hours that add up to days in any time zone.
//!
//! No restore takes these back: what was done stays done, as the tasks themselves.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use super::{AGENTS, STATUSES, key, status_key};
use crate::model::{AgentDay, AgentId, AgentMetrics, AgentStatus, ProfileId, Timestamp};
use crate::storage::{Db, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};

/// (profile, agent) to its totals.
pub(super) const COUNTS: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("agent_counts");
/// (profile, agent, hours since the epoch).
pub(super) const HOURS: TableDefinition<(u128, u128, i64), &[u8]> = TableDefinition::new("agent_hours");

const HOUR_MS: i64 = 3_600_000;

#[derive(Default, Serialize, Deserialize)]
pub(super) struct StoredCounts {
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) worked_ms: u64,
    pub(super) last: Option<i64>,
}
first_version!(StoredCounts, "agent counts");

#[derive(Default, Serialize, Deserialize)]
struct StoredHour {
    completed: u32,
    failed: u32,
    worked_ms: u64,
    tokens: u64,
}
first_version!(StoredHour, "agent hour");

/// Counts how a task of the agent ended, in the change that ends it. An agent that is gone for good counts nothing.
pub fn count_outcome(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    agent: AgentId,
    completed: bool,
    worked_ms: u64,
    tokens: u64,
    at: Timestamp,
) -> Result<(), StorageError> {
    let (owner, id) = key(profile, agent);
    if txn.table(AGENTS)?.get((owner, id))?.is_none() {
        return Ok(());
    }
    let mut table = txn.table(COUNTS)?;
    let mut counts: StoredCounts = table.record((owner, id))?.unwrap_or_default();
    counts.completed += u64::from(completed);
    counts.failed += u64::from(!completed);
    counts.worked_ms = counts.worked_ms.saturating_add(worked_ms);
    counts.last = Some(counts.last.map_or(at.0, |last| last.max(at.0)));
    table.put((owner, id), &counts)?;
    let mut table = txn.table(HOURS)?;
    let place = (owner, id, at.0.div_euclid(HOUR_MS));
    let mut hour: StoredHour = table.record(place)?.unwrap_or_default();
    hour.completed = hour.completed.saturating_add(u32::from(completed));
    hour.failed = hour.failed.saturating_add(u32::from(!completed));
    hour.worked_ms = hour.worked_ms.saturating_add(worked_ms);
    hour.tokens = hour.tokens.saturating_add(tokens);
    table.put(place, &hour)
}

/// Figures between each two of `boundaries` (starts of days, and the end of the last), and the share of the time from
/// the first boundary, or the making of the agent, until `now` in which it was active.
///
/// # Errors
/// When there is no such agent in this profile.
pub fn metrics(
    main: &Db,
    profile: ProfileId,
    id: AgentId,
    boundaries: &[Timestamp],
    now: Timestamp,
) -> Result<AgentMetrics, StorageError> {
    let agent = super::get(main, profile, id)?;
    let txn = main.read()?;
    let (owner, key) = key(profile, id);
    let hours = txn.table(HOURS)?;
    let mut days = Vec::new();
    for pair in boundaries.windows(2) {
        let mut day = AgentDay { at: pair[0], ..AgentDay::default() };
        // An hour belongs to the day that it begins in.
        let (first, end) = (ceiling(pair[0].0), ceiling(pair[1].0));
        for row in hours.range((owner, key, first)..(owner, key, end))? {
            let hour: StoredHour = decode(row?.1.value())?;
            day.completed = day.completed.saturating_add(hour.completed);
            day.failed = day.failed.saturating_add(hour.failed);
            day.worked_ms = day.worked_ms.saturating_add(hour.worked_ms);
            day.tokens = day.tokens.saturating_add(hour.tokens);
        }
        days.push(day);
    }
    let from = boundaries.first().map_or(now.0, |first| first.0).max(agent.created.0);
    let statuses = txn.table(STATUSES)?;
    let active = status_key(AgentStatus::Active);
    let before = statuses.range((owner, key, i64::MIN)..=(owner, key, from))?.next_back();
    let mut on = match before {
        Some(row) => row?.1.value() == active,
        None => false,
    };
    let (mut since, mut total) = (from, 0);
    for row in statuses.range((owner, key, from.saturating_add(1))..=(owner, key, now.0.max(from)))? {
        let (at, status) = row?;
        let at = at.value().2;
        total += if on { at - since } else { 0 };
        (since, on) = (at, status.value() == active);
    }
    total += if on { (now.0 - since).max(0) } else { 0 };
    let window = (now.0 - from).max(1);
    let uptime = if now.0 > from { total as f64 / window as f64 } else { f64::from(u8::from(on)) };
    Ok(AgentMetrics { days, uptime: uptime.clamp(0.0, 1.0) })
}

/// What all agents of a profile did together in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    pub completed: u32,
    pub failed: u32,
    pub worked_ms: u64,
}

/// Figures of all agents between each two of `boundaries`, oldest first.
pub fn outcomes(main: &Db, profile: ProfileId, boundaries: &[Timestamp]) -> Result<Vec<Outcomes>, StorageError> {
    let txn = main.read()?;
    let (counts, hours) = (txn.table(COUNTS)?, txn.table(HOURS)?);
    let own = profile.0.as_u128();
    // An hour belongs to the span that it begins in.
    let starts: Vec<i64> = boundaries.iter().map(|at| ceiling(at.0)).collect();
    let mut found = vec![Outcomes::default(); starts.len().saturating_sub(1)];
    let (Some(&first), Some(&end)) = (starts.first(), starts.last()) else { return Ok(found) };
    for row in counts.range((own, 0)..=(own, u128::MAX))? {
        let agent = row?.0.value().1;
        for row in hours.range((own, agent, first)..(own, agent, end))? {
            let (key, value) = row?;
            let span = starts.partition_point(|start| *start <= key.value().2).saturating_sub(1);
            let hour: StoredHour = decode(value.value())?;
            if let Some(sum) = found.get_mut(span) {
                sum.completed = sum.completed.saturating_add(hour.completed);
                sum.failed = sum.failed.saturating_add(hour.failed);
                sum.worked_ms = sum.worked_ms.saturating_add(hour.worked_ms);
            }
        }
    }
    Ok(found)
}

/// The first hour that begins at this time or later.
fn ceiling(milliseconds: i64) -> i64 {
    milliseconds.div_euclid(HOUR_MS) + i64::from(milliseconds.rem_euclid(HOUR_MS) != 0)
}

/// Removes all figures of an agent.
pub(super) fn remove(txn: &WriteTxn<'_>, owner: u128, agent: u128) -> Result<(), StorageError> {
    txn.table(COUNTS)?.remove((owner, agent))?;
    txn.table(HOURS)?.retain_in((owner, agent, i64::MIN)..=(owner, agent, i64::MAX), |_, _| false)?;
    Ok(())
}
