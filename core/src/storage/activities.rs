//! What happened, per profile and time, with indexes by kind and agent: listed, filtered, counted, pruned by age.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Bound;

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::kinds::Kind;
use super::table::Table;
use super::{AnyTable, Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{Activity, ActivityFilter, ActivityId, DataKind, Merged, Page, PageRequest, ProfileId, Timestamp};

type Key = (u128, i64, u128);

/// (profile, milliseconds, activity): newer ones sort later.
const ACTIVITIES: TableDefinition<Key, &[u8]> = TableDefinition::new("activities");
/// (profile, kind, milliseconds, activity).
const BY_KIND: TableDefinition<(u128, &str, i64, u128), ()> = TableDefinition::new("activities_by_kind");
/// (profile, agent, milliseconds, activity).
const BY_AGENT: TableDefinition<(u128, &str, i64, u128), ()> = TableDefinition::new("activities_by_agent");
/// (profile, kind) to the number of rows: what a list that is only filtered by kind has in all.
const KINDS: TableDefinition<(u128, &str), u64> = TableDefinition::new("activity_kinds");
pub(super) const TABLES: &[&dyn AnyTable] = &[&ACTIVITIES, &BY_KIND, &BY_AGENT, &KINDS];

const LARGEST_PAGE: u32 = 1_000;
/// Rows between two looks at whether the caller has gone.
const LOOK: u64 = 512;
/// Rows that one commit removes at most, so that other writes do not wait long.
const BATCH: usize = 2_000;

#[derive(Serialize, Deserialize)]
struct StoredActivity {
    kind: String,
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    agent: Option<String>,
    #[serde(default)]
    metadata: std::collections::BTreeMap<String, String>,
}
first_version!(StoredActivity, "happening");

pub async fn add(main: &Db, profile: ProfileId, activity: Activity) -> Result<(), StorageError> {
    main.write_async(move |txn| insert(txn, profile, &activity)).await
}

/// Adds one within a larger change.
pub fn insert(txn: &WriteTxn<'_>, profile: ProfileId, activity: &Activity) -> Result<(), StorageError> {
    insert_all(txn, profile, std::slice::from_ref(activity))
}

/// Adds these within a larger change.
pub fn insert_all(txn: &WriteTxn<'_>, profile: ProfileId, activities: &[Activity]) -> Result<(), StorageError> {
    if activities.is_empty() {
        return Ok(());
    }
    let mut open = Open::new(txn)?;
    for activity in activities {
        let stored = StoredActivity {
            kind: activity.kind.clone(),
            title: activity.title.clone(),
            description: activity.description.clone(),
            agent: activity.agent.clone(),
            metadata: activity.metadata.clone(),
        };
        open.add((profile.0.as_u128(), activity.at.0, activity.id.0.as_u128()), &stored)?;
    }
    Ok(())
}

/// The tables, open for writing.
struct Open<'a> {
    rows: Table<'a, Key, &'static [u8]>,
    by_kind: Table<'a, (u128, &'static str, i64, u128), ()>,
    by_agent: Table<'a, (u128, &'static str, i64, u128), ()>,
    kinds: Table<'a, (u128, &'static str), u64>,
}

impl<'a> Open<'a> {
    fn new(txn: &WriteTxn<'a>) -> Result<Self, StorageError> {
        Ok(Self {
            rows: txn.table(ACTIVITIES)?,
            by_kind: txn.table(BY_KIND)?,
            by_agent: txn.table(BY_AGENT)?,
            kinds: txn.table(KINDS)?,
        })
    }

    fn add(&mut self, key: Key, stored: &StoredActivity) -> Result<(), StorageError> {
        let (profile, at, id) = key;
        self.rows.put(key, stored)?;
        self.by_kind.insert((profile, stored.kind.as_str(), at, id), ())?;
        if let Some(agent) = &stored.agent {
            self.by_agent.insert((profile, agent.as_str(), at, id), ())?;
        }
        let before = self.kinds.get((profile, stored.kind.as_str()))?.map_or(0, |count| count.value());
        self.kinds.insert((profile, stored.kind.as_str()), before + 1)?;
        Ok(())
    }
}

pub(super) static KIND: Kind = Kind {
    kind: DataKind::Activities,
    table: &ACTIVITIES,
    title: |row| decode(row).ok().map(|row: StoredActivity| row.title),
    is_there: |_row| true,
};

/// Adds what happened in `other` alone.
pub(super) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<Merged, StorageError> {
    let mut merged = Merged { kind: DataKind::Activities, added: 0, kept: 0 };
    let mut open = Open::new(txn)?;
    for row in other.table(ACTIVITIES)?.iter()? {
        let (key, value) = row?;
        if open.rows.get(key.value())?.is_none() {
            open.add(key.value(), &decode(value.value())?)?;
            merged.added += 1;
        }
    }
    Ok(merged)
}

fn activity_of(key: Key, stored: StoredActivity) -> Activity {
    Activity {
        id: ActivityId(Uuid::from_u128(key.2)),
        at: Timestamp(key.1),
        kind: stored.kind,
        title: stored.title,
        description: stored.description,
        agent: stored.agent,
        metadata: stored.metadata,
    }
}

/// When each activity of a profile happened, oldest first.
pub fn moments(main: &Db, profile: ProfileId) -> Result<Vec<Timestamp>, StorageError> {
    let txn = main.read()?;
    let owner = profile.0.as_u128();
    let rows = txn.table(ACTIVITIES)?;
    let range = rows.range((owner, i64::MIN, 0)..=(owner, i64::MAX, u128::MAX))?;
    range.map(|row| Ok(Timestamp(row?.0.value().1))).collect()
}

/// What happened from a time on until before another, oldest first, as long as `visit` says true.
pub fn each_between(
    main: &Db,
    profile: ProfileId,
    from: Timestamp,
    until: Timestamp,
    mut visit: impl FnMut(Activity) -> bool,
) -> Result<(), StorageError> {
    if until <= from {
        return Ok(());
    }
    let txn = main.read()?;
    let owner = profile.0.as_u128();
    for row in txn.table(ACTIVITIES)?.range((owner, from.0, 0)..(owner, until.0, 0))? {
        let (key, value) = row?;
        if !visit(activity_of(key.value(), decode(value.value())?)) {
            return Ok(());
        }
    }
    Ok(())
}

/// The kinds that occur in a profile, in order of the alphabet, each with its number.
pub fn kinds(main: &Db, profile: ProfileId) -> Result<Vec<(String, u64)>, StorageError> {
    let profile = profile.0.as_u128();
    let table = main.read()?.table(KINDS)?;
    let mut found = Vec::new();
    for row in table.range((profile, "")..)? {
        let (key, count) = row?;
        let (owner, kind) = key.value();
        if owner != profile {
            break;
        }
        found.push((kind.to_owned(), count.value()));
    }
    Ok(found)
}

/// Newest first; none when `cancelled` said so meanwhile. Looks at each matching key once and reads a row only where
/// the filter needs its words or the page shows it.
pub fn list(
    main: &Db,
    profile: ProfileId,
    filter: &ActivityFilter,
    page: PageRequest,
    cancelled: &dyn Fn() -> bool,
) -> Result<Option<Page<Activity>>, StorageError> {
    let owner = profile.0.as_u128();
    let from = filter.from.map_or(i64::MIN, |at| at.0);
    let until = filter.until.map_or(i64::MAX, |at| at.0);
    let needle = filter.text.trim().to_lowercase();
    let matching: Vec<(String, u64)> =
        kinds(main, profile)?.into_iter().filter(|(kind, _)| filter.takes_kind(kind)).collect();
    let txn = main.read()?;
    let rows = txn.table(ACTIVITIES)?;
    let limit = page.limit.min(LARGEST_PAGE) as usize;
    let mut found = Page { items: Vec::new(), total: 0, offset: page.offset };
    if until <= from || matching.is_empty() {
        return Ok(Some(found));
    }
    let by_time = filter.from.is_some() || filter.until.is_some();
    // Known without looking at every key.
    let known = (needle.is_empty() && filter.agent.is_none() && !by_time)
        .then(|| matching.iter().map(|(_, count)| count).sum::<u64>());
    let read = |key: Key| -> Result<StoredActivity, StorageError> {
        rows.record(key)?.ok_or_else(|| StorageError::NotFound("this activity".to_owned()))
    };
    let mut looked = 0;
    // False when there is no need to look further.
    let mut take = |key: Key| -> Result<Option<bool>, StorageError> {
        looked += 1;
        if looked % LOOK == 0 && cancelled() {
            return Ok(None);
        }
        let mut stored = None;
        if !needle.is_empty() || (filter.agent.is_some() && !filter.kind.is_empty()) {
            let row = read(key)?;
            let says = |text: &str| text.to_lowercase().contains(&needle);
            if !filter.takes_kind(&row.kind) || !(says(&row.title) || says(&row.description)) {
                return Ok(Some(true));
            }
            stored = Some(row);
        }
        if found.total >= page.offset && found.items.len() < limit {
            let row = match stored {
                Some(row) => row,
                None => read(key)?,
            };
            found.items.push(activity_of(key, row));
        }
        found.total += 1;
        Ok(Some(known.is_none() || found.items.len() < limit))
    };
    let going_on = if let Some(agent) = &filter.agent {
        let table = txn.table(BY_AGENT)?;
        let range = table.range((owner, agent.as_str(), from, 0)..(owner, agent.as_str(), until, 0))?;
        each(range.rev().map(indexed), &mut take)?
    } else if filter.kind.is_empty() {
        let range = rows.range((owner, from, 0)..(owner, until, 0))?;
        each(range.rev().map(|row| row.map(|(key, _)| key.value())), &mut take)?
    } else {
        let table = txn.table(BY_KIND)?;
        let mut ranges = Vec::new();
        for (kind, _) in &matching {
            let range = table.range((owner, kind.as_str(), from, 0)..(owner, kind.as_str(), until, 0))?;
            ranges.push(range.rev().map(indexed));
        }
        each(Interleaved::new(ranges)?, &mut take)?
    };
    if going_on.is_none() {
        return Ok(None);
    }
    found.total = known.unwrap_or(found.total);
    Ok(Some(found))
}

type IndexRow<'a> = (redb::AccessGuard<'a, (u128, &'static str, i64, u128)>, redb::AccessGuard<'a, ()>);

/// The key of the row that an entry of an index stands for.
fn indexed(row: Result<IndexRow<'_>, redb::StorageError>) -> Result<Key, redb::StorageError> {
    let (key, _) = row?;
    let (profile, _, at, id) = key.value();
    Ok((profile, at, id))
}

/// Gives the keys one by one until `take` has enough; none when it was cancelled.
fn each(
    keys: impl Iterator<Item = Result<Key, redb::StorageError>>,
    take: &mut dyn FnMut(Key) -> Result<Option<bool>, StorageError>,
) -> Result<Option<()>, StorageError> {
    for key in keys {
        match take(key?)? {
            None => return Ok(None),
            Some(false) => break,
            Some(true) => {}
        }
    }
    Ok(Some(()))
}

/// Several lists of keys, each newest first, as one.
struct Interleaved<I> {
    lists: Vec<I>,
    heads: BinaryHeap<(Key, Reverse<usize>)>,
    failed: Option<redb::StorageError>,
}

impl<I: Iterator<Item = Result<Key, redb::StorageError>>> Interleaved<I> {
    fn new(lists: Vec<I>) -> Result<Self, StorageError> {
        let mut merged = Self { heads: BinaryHeap::with_capacity(lists.len()), lists, failed: None };
        for list in 0..merged.lists.len() {
            merged.refill(list);
        }
        match merged.failed.take() {
            Some(error) => Err(error.into()),
            None => Ok(merged),
        }
    }

    fn refill(&mut self, list: usize) {
        match self.lists[list].next() {
            Some(Ok(key)) => self.heads.push((key, Reverse(list))),
            Some(Err(error)) => self.failed = Some(error),
            None => {}
        }
    }
}

impl<I: Iterator<Item = Result<Key, redb::StorageError>>> Iterator for Interleaved<I> {
    type Item = Result<Key, redb::StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        let (key, Reverse(list)) = self.heads.pop()?;
        self.refill(list);
        Some(Ok(key))
    }
}

impl ActivityFilter {
    /// Whether a kind is the wanted one, or of the wanted family.
    fn takes_kind(&self, kind: &str) -> bool {
        let wanted = self.kind.as_str();
        wanted.is_empty()
            || kind == wanted
            || kind.strip_prefix(wanted).is_some_and(|rest| wanted.ends_with('.') || rest.starts_with('.'))
    }
}

/// The agents that did something in a profile, in order of the alphabet.
pub fn agents(main: &Db, profile: ProfileId) -> Result<Vec<String>, StorageError> {
    let profile = profile.0.as_u128();
    let table = main.read()?.table(BY_AGENT)?;
    let mut found: Vec<String> = Vec::new();
    loop {
        // Behind all rows of the last agent.
        let start = match found.last() {
            Some(agent) => Bound::Excluded((profile, agent.as_str(), i64::MAX, u128::MAX)),
            None => Bound::Included((profile, "", i64::MIN, 0)),
        };
        let next = match table.range((start, Bound::Unbounded))?.next() {
            Some(row) => {
                let (key, _) = row?;
                let (owner, agent, ..) = key.value();
                (owner == profile).then(|| agent.to_owned())
            }
            None => None,
        };
        match next {
            Some(agent) => found.push(agent),
            None => return Ok(found),
        }
    }
}

/// Rows of all profiles.
pub fn count(main: &Db) -> Result<u64, StorageError> {
    let table = main.read()?.table(KINDS)?;
    let mut all = 0;
    for row in table.iter()? {
        all += row?.1.value();
    }
    Ok(all)
}

/// The newest time of any profile's rows; none without rows.
pub fn newest(main: &Db) -> Result<Option<Timestamp>, StorageError> {
    let txn = main.read()?;
    let table = txn.table(ACTIVITIES)?;
    let mut newest = None;
    let mut after = Bound::Unbounded;
    loop {
        let owner = match table.range::<Key>((after, Bound::Unbounded))?.next() {
            Some(row) => row?.0.value().0,
            None => return Ok(newest),
        };
        let last = table.range((owner, i64::MIN, 0)..=(owner, i64::MAX, u128::MAX))?.next_back();
        if let Some(row) = last {
            newest = newest.max(Some(Timestamp(row?.0.value().1)));
        }
        after = Bound::Excluded((owner, i64::MAX, u128::MAX));
    }
}

/// Removes what is older in all profiles; the number of rows removed.
pub fn prune(main: &Db, before: Timestamp) -> Result<u64, StorageError> {
    let mut removed = 0;
    loop {
        let now = main.write(move |txn| prune_some(txn, before))?;
        removed += now as u64;
        if now < BATCH {
            return Ok(removed);
        }
    }
}

fn prune_some(txn: &WriteTxn<'_>, before: Timestamp) -> Result<usize, StorageError> {
    let rows = txn.table(ACTIVITIES)?;
    let mut old: Vec<Key> = Vec::new();
    let mut after = Bound::Unbounded;
    while old.len() < BATCH {
        let owner = match rows.range::<Key>((after, Bound::Unbounded))?.next() {
            Some(row) => row?.0.value().0,
            None => break,
        };
        for row in rows.range((owner, i64::MIN, 0)..(owner, before.0, 0))?.take(BATCH - old.len()) {
            old.push(row?.0.value());
        }
        after = Bound::Excluded((owner, i64::MAX, u128::MAX));
    }
    drop(rows);
    remove(txn, &old)?;
    Ok(old.len())
}

/// What marks a row as made by "sample data".
pub const SAMPLE: &str = "sample";

/// Removes what "sample data" made in a profile, within a larger change; the number of rows removed.
pub fn remove_samples(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<u64, StorageError> {
    let owner = profile.0.as_u128();
    let mut samples = Vec::new();
    for row in txn.table(ACTIVITIES)?.range((owner, i64::MIN, 0)..=(owner, i64::MAX, u128::MAX))? {
        let (key, value) = row?;
        if decode::<StoredActivity>(value.value())?.metadata.contains_key(SAMPLE) {
            samples.push(key.value());
        }
    }
    remove(txn, &samples)?;
    Ok(samples.len() as u64)
}

/// Removes rows with their places in the indexes.
fn remove(txn: &WriteTxn<'_>, keys: &[Key]) -> Result<(), StorageError> {
    let mut rows = txn.table(ACTIVITIES)?;
    let (mut by_kind, mut by_agent, mut kinds) = (txn.table(BY_KIND)?, txn.table(BY_AGENT)?, txn.table(KINDS)?);
    for key in keys {
        let stored: Option<StoredActivity> = rows.record(*key)?;
        rows.remove(key)?;
        let Some(stored) = stored else { continue };
        let (profile, at, id) = *key;
        by_kind.remove((profile, stored.kind.as_str(), at, id))?;
        if let Some(agent) = &stored.agent {
            by_agent.remove((profile, agent.as_str(), at, id))?;
        }
        let kind = (profile, stored.kind.as_str());
        let left = kinds.get(kind)?.map_or(0, |count| count.value()).saturating_sub(1);
        match left {
            0 => drop(kinds.remove(kind)?),
            left => drop(kinds.insert(kind, left)?),
        }
    }
    Ok(())
}

/// Forgets what happened in a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(ACTIVITIES)?.retain_in((owner, i64::MIN, 0)..=(owner, i64::MAX, u128::MAX), |_, _| false)?;
    // Behind the last text that begins an entry of this profile begins the next profile.
    let next = owner.saturating_add(1);
    txn.table(BY_KIND)?.retain_in((owner, "", i64::MIN, 0)..(next, "", i64::MIN, 0), |_, ()| false)?;
    txn.table(BY_AGENT)?.retain_in((owner, "", i64::MIN, 0)..(next, "", i64::MIN, 0), |_, ()| false)?;
    txn.table(KINDS)?.retain_in((owner, "")..(next, ""), |_, _| false)?;
    Ok(())
}

mod from_recent;
pub(super) use from_recent::from_recent;

#[cfg(test)]
mod tests;
