//! Usage of models by hour, and of features: hours add up to days in any time zone.
//!
//! No restore takes these back: what was used was used.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use super::{AnyTable, Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{ProfileId, Timestamp, UsageCall};

/// (profile, hours since the epoch, provider, model and agent) to what was used in that hour.
const USAGE: TableDefinition<(u128, i64, &str), &[u8]> = TableDefinition::new("usage");
/// (profile, feature) to how often it was used.
const FEATURES: TableDefinition<(u128, &str), &[u8]> = TableDefinition::new("feature_use");
pub(super) const TABLES: &[&dyn AnyTable] = &[&USAGE, &FEATURES];

const HOUR_MS: i64 = 3_600_000;
/// Names come from servers: bytes of one that are kept.
const LONGEST_NAME: usize = 200;
const LONGEST_FEATURE: usize = 80;
const MOST_FEATURES: u64 = 1_000;

#[derive(Default, Serialize, Deserialize)]
struct StoredUsage {
    provider: String,
    model: String,
    agent: Option<String>,
    calls: u64,
    cached: u64,
    failed: u64,
    prompt_tokens: u64,
    answer_tokens: u64,
    seconds: f64,
}
first_version!(StoredUsage, "usage");

#[derive(Default, Serialize, Deserialize)]
struct StoredFeature {
    count: u64,
    last: i64,
}
first_version!(StoredFeature, "feature use");

/// What was used of one model by one agent, or in chats, in one hour.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageHour {
    pub at: Timestamp,
    pub provider: String,
    pub model: String,
    pub agent: Option<String>,
    pub calls: u64,
    pub cached: u64,
    pub failed: u64,
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
    pub seconds: f64,
}

/// A feature, how often it was used, and when last.
pub type Feature = (String, u64, Timestamp);

fn cut(text: &str, most: usize) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    plain[..plain.floor_char_boundary(most)].to_owned()
}

/// Counts calls and uses of features in one change.
pub fn add(
    main: &Db,
    profile: ProfileId,
    calls: Vec<(Timestamp, UsageCall)>,
    features: Vec<Feature>,
) -> Result<(), StorageError> {
    main.write(move |txn| {
        let owner = profile.0.as_u128();
        let mut table = txn.table(USAGE)?;
        for (at, call) in &calls {
            let (provider, model) = (cut(&call.provider, LONGEST_NAME), cut(&call.model, LONGEST_NAME));
            let agent = call.agent.as_deref().map(|agent| cut(agent, LONGEST_NAME));
            // A name holds no control characters, so that these part the names.
            let name = format!("{provider}\u{1f}{model}\u{1f}{}", agent.as_deref().unwrap_or_default());
            let place = (owner, at.0.div_euclid(HOUR_MS), name.as_str());
            let mut hour: StoredUsage = table.record(place)?.unwrap_or_default();
            hour.calls += 1;
            hour.cached += u64::from(call.cached);
            hour.failed += u64::from(call.failed);
            hour.prompt_tokens = hour.prompt_tokens.saturating_add(call.prompt_tokens);
            hour.answer_tokens = hour.answer_tokens.saturating_add(call.answer_tokens);
            hour.seconds += if call.seconds.is_finite() { call.seconds.max(0.0) } else { 0.0 };
            (hour.provider, hour.model, hour.agent) = (provider, model, agent);
            table.put(place, &hour)?;
        }
        drop(table);
        let mut table = txn.table(FEATURES)?;
        for (feature, count, at) in &features {
            let feature = cut(feature, LONGEST_FEATURE);
            let known: Option<StoredFeature> = table.record((owner, feature.as_str()))?;
            if known.is_none() && redb::ReadableTableMetadata::len(&*table)? >= MOST_FEATURES {
                continue;
            }
            let mut stored = known.unwrap_or_default();
            stored.count = stored.count.saturating_add(*count);
            stored.last = stored.last.max(at.0);
            table.put((owner, feature.as_str()), &stored)?;
        }
        Ok(())
    })
}

/// Hours that begin at this time or later, oldest first.
pub fn hours(main: &Db, profile: ProfileId, from: Timestamp) -> Result<Vec<UsageHour>, StorageError> {
    let owner = profile.0.as_u128();
    // An hour belongs to the span that it begins in.
    let first = -(-from.0).div_euclid(HOUR_MS);
    let mut out = Vec::new();
    for row in main.read()?.table(USAGE)?.range((owner, first, "")..)? {
        let (key, value) = row?;
        let (of, hour, _name) = key.value();
        if of != owner {
            break;
        }
        let stored: StoredUsage = decode(value.value())?;
        out.push(UsageHour {
            at: Timestamp(hour.saturating_mul(HOUR_MS)),
            provider: stored.provider,
            model: stored.model,
            agent: stored.agent,
            calls: stored.calls,
            cached: stored.cached,
            failed: stored.failed,
            prompt_tokens: stored.prompt_tokens,
            answer_tokens: stored.answer_tokens,
            seconds: stored.seconds,
        });
    }
    Ok(out)
}

/// By name.
pub fn features(main: &Db, profile: ProfileId) -> Result<Vec<Feature>, StorageError> {
    let owner = profile.0.as_u128();
    let mut out = Vec::new();
    for row in main.read()?.table(FEATURES)?.range((owner, "")..)? {
        let (key, value) = row?;
        if key.value().0 != owner {
            break;
        }
        let stored: StoredFeature = decode(value.value())?;
        out.push((key.value().1.to_owned(), stored.count, Timestamp(stored.last)));
    }
    Ok(out)
}

/// Removes hours that begin before this time, and features that were last used before it; how many rows went.
pub fn remove_before(main: &Db, profile: ProfileId, before: Timestamp) -> Result<u64, StorageError> {
    main.write(move |txn| trim(txn, Some(profile), before))
}

/// As [`remove_before`], in all profiles.
pub fn prune(main: &Db, before: Timestamp) -> Result<u64, StorageError> {
    main.write(move |txn| trim(txn, None, before))
}

fn trim(txn: &WriteTxn<'_>, profile: Option<ProfileId>, before: Timestamp) -> Result<u64, StorageError> {
    let owner = profile.map(|profile| profile.0.as_u128());
    let mut removed = 0;
    let is_own = |of: u128| owner.is_none_or(|owner| owner == of);
    txn.table(USAGE)?.retain(|(of, hour, _name), _| {
        let stays = !is_own(of) || hour.saturating_mul(HOUR_MS) >= before.0;
        removed += u64::from(!stays);
        stays
    })?;
    txn.table(FEATURES)?.retain(|(of, _feature), row| {
        let last = decode::<StoredFeature>(row).map_or(i64::MIN, |stored| stored.last);
        let stays = !is_own(of) || last >= before.0;
        removed += u64::from(!stays);
        stays
    })?;
    Ok(removed)
}

/// Removes all of a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(USAGE)?.retain(|key, _| key.0 != owner)?;
    txn.table(FEATURES)?.retain(|key, _| key.0 != owner)?;
    Ok(())
}

/// Adds the rows that only `other` has.
pub(super) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<(), StorageError> {
    let mut table = txn.table(USAGE)?;
    for row in other.table(USAGE)?.iter()? {
        let (key, value) = row?;
        let is_here = table.get(key.value())?.is_some();
        if !is_here {
            table.insert(key.value(), value.value())?;
        }
    }
    drop(table);
    let mut table = txn.table(FEATURES)?;
    for row in other.table(FEATURES)?.iter()? {
        let (key, value) = row?;
        let is_here = table.get(key.value())?.is_some();
        if !is_here {
            table.insert(key.value(), value.value())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::storage::{DbOptions, tables};

    fn call(model: &str, agent: Option<&str>) -> UsageCall {
        UsageCall {
            provider: "p".to_owned(),
            model: model.to_owned(),
            agent: agent.map(str::to_owned),
            prompt_tokens: 10,
            answer_tokens: 5,
            seconds: 0.5,
            cached: false,
            failed: false,
        }
    }

    #[test]
    fn calls_of_an_hour_are_one_row_and_older_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        let (a, b) = (ProfileId(Uuid::from_u128(1)), ProfileId(Uuid::from_u128(2)));
        let (early, late) = (Timestamp(5 * HOUR_MS + 7), Timestamp(6 * HOUR_MS));
        let failed = UsageCall { failed: true, seconds: f64::NAN, ..call("m", None) };
        let calls =
            vec![(early, call("m", None)), (early, failed), (early, call("m", Some("a"))), (late, call("m", None))];
        add(&main, a, calls, vec![("page.chat".to_owned(), 2, early)]).unwrap();
        add(&main, b, vec![(early, call("x\u{1f}y", None))], vec![("page.chat".to_owned(), 1, late)]).unwrap();
        let all = hours(&main, a, Timestamp(i64::MIN + 1)).unwrap();
        assert_eq!(all.len(), 3);
        assert_eq!((all[0].calls, all[0].failed, all[0].prompt_tokens, all[0].seconds), (2, 1, 20, 0.5));
        assert_eq!(all[1].agent.as_deref(), Some("a"));
        assert_eq!(hours(&main, a, Timestamp(5 * HOUR_MS + 1)).unwrap().len(), 1, "an hour that begins later");
        assert_eq!(hours(&main, b, Timestamp(0)).unwrap()[0].model, "xy", "nothing forges a name");
        assert_eq!(remove_before(&main, a, late).unwrap(), 3);
        assert_eq!(hours(&main, a, Timestamp(0)).unwrap().len(), 1);
        assert_eq!((features(&main, a).unwrap().len(), features(&main, b).unwrap().len()), (0, 1));
        assert_eq!(prune(&main, Timestamp(i64::MAX)).unwrap(), 3);
    }
}
