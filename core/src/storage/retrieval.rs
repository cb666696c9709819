//! Retrieval tests of each profile, and what asking them gave last.

use redb::{ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::kinds::Kind;
use super::{AnyTable, Db, ReadTxn, RecordReading, RecordWriting, StorageError, WriteTxn, decode, first_version};
use crate::model::{
    DataKind, Merged, ProfileId, RetrievalRun, RetrievalTest, RetrievalTestId, RetrievalTrial, Timestamp, WantedPassage,
};

/// (profile, test).
const TESTS: TableDefinition<(u128, u128), &[u8]> = TableDefinition::new("retrieval_tests");
/// Profile to what the last run gave.
const RUNS: TableDefinition<u128, &[u8]> = TableDefinition::new("retrieval_runs");
/// Profile to what the last trial gave.
const TRIALS: TableDefinition<u128, &[u8]> = TableDefinition::new("retrieval_trials");
pub(super) const TABLES: &[&dyn AnyTable] = &[&TESTS, &RUNS, &TRIALS];

/// Tests that a profile may have.
pub const MOST_TESTS: usize = 1_000;
/// Characters of a question.
pub const LONGEST_QUESTION: usize = 1_000;
/// Characters of the words that a passage is known by.
pub const LONGEST_EXCERPT: usize = 200;

#[derive(Serialize, Deserialize)]
struct StoredRetrievalTest {
    question: String,
    wanted: WantedPassage,
    created: i64,
}
first_version!(StoredRetrievalTest, "retrieval test");

#[derive(Serialize, Deserialize)]
struct StoredRetrievalRun {
    run: RetrievalRun,
}
first_version!(StoredRetrievalRun, "retrieval run");

#[derive(Serialize, Deserialize)]
struct StoredRetrievalTrial {
    trial: RetrievalTrial,
}
first_version!(StoredRetrievalTrial, "retrieval trial");

pub(super) static KIND: Kind = Kind {
    kind: DataKind::RetrievalTests,
    table: &TESTS,
    title: |row| decode(row).ok().map(|row: StoredRetrievalTest| row.question),
    is_there: |_row| true,
};

fn key(profile: ProfileId, id: RetrievalTestId) -> (u128, u128) {
    (profile.0.as_u128(), id.0.as_u128())
}

fn test_of(id: u128, stored: StoredRetrievalTest) -> RetrievalTest {
    RetrievalTest {
        id: RetrievalTestId(Uuid::from_u128(id)),
        question: stored.question,
        wanted: stored.wanted,
        created: Timestamp(stored.created),
    }
}

/// A question as it is stored: on one line, without what steers a display.
///
/// # Errors
/// It is empty or too long.
pub fn question(given: &str) -> Result<String, StorageError> {
    let plain: String = given.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let question = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if question.is_empty() {
        return Err(StorageError::Refused("a retrieval test needs a question".to_owned()));
    }
    if question.chars().count() > LONGEST_QUESTION {
        return Err(StorageError::Refused(format!(
            "the question of a retrieval test has at most {LONGEST_QUESTION} characters"
        )));
    }
    Ok(question)
}

/// Oldest first.
pub fn list(main: &Db, profile: ProfileId) -> Result<Vec<RetrievalTest>, StorageError> {
    let table = main.read()?.table(TESTS)?;
    let owner = profile.0.as_u128();
    let mut found = Vec::new();
    for row in table.range((owner, 0)..=(owner, u128::MAX))? {
        let (key, value) = row?;
        found.push(test_of(key.value().1, decode(value.value())?));
    }
    Ok(found)
}

/// # Errors
/// Refused when there are too many, or the same question is saved with the same passage already.
pub fn add(main: &Db, profile: ProfileId, test: &RetrievalTest) -> Result<(), StorageError> {
    let test = test.clone();
    main.write(move |txn| {
        let mut table = txn.table(TESTS)?;
        let mut count = 0;
        let owner = profile.0.as_u128();
        for row in table.range((owner, 0)..=(owner, u128::MAX))? {
            let other: StoredRetrievalTest = decode(row?.1.value())?;
            if same(&other, &test.question, &test.wanted) {
                return Err(StorageError::Refused("this question is saved with this passage already".to_owned()));
            }
            count += 1;
        }
        if count >= MOST_TESTS {
            return Err(StorageError::Refused(format!("there are {MOST_TESTS} retrieval tests already")));
        }
        let stored = StoredRetrievalTest {
            question: test.question.clone(),
            wanted: test.wanted.clone(),
            created: test.created.0,
        };
        table.put(key(profile, test.id), &stored)
    })
}

fn same(stored: &StoredRetrievalTest, question: &str, wanted: &WantedPassage) -> bool {
    let place = |one: &WantedPassage| (one.path.clone(), one.start_line, one.end_line, one.excerpt.clone());
    stored.question == question && place(&stored.wanted) == place(wanted)
}

/// Takes a test out of the list: what it was, and the record that [`put_back`] makes it again from.
pub(super) fn take(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    id: RetrievalTestId,
) -> Result<(RetrievalTest, Vec<u8>), StorageError> {
    let record = txn.table(TESTS)?.remove(key(profile, id))?.map(|value| value.value().to_vec());
    let record = record.ok_or_else(|| StorageError::NotFound("this retrieval test".to_owned()))?;
    Ok((test_of(id.0.as_u128(), decode(&record)?), record))
}

/// Puts a test back under its old id.
///
/// # Errors
/// Refused when the same one was saved again meanwhile, or there are too many.
pub(super) fn put_back(
    txn: &WriteTxn<'_>,
    profile: ProfileId,
    id: RetrievalTestId,
    record: &[u8],
) -> Result<(), StorageError> {
    let stored: StoredRetrievalTest = decode(record)?;
    let mut table = txn.table(TESTS)?;
    let owner = profile.0.as_u128();
    let mut count = 0;
    for row in table.range((owner, 0)..=(owner, u128::MAX))? {
        let other: StoredRetrievalTest = decode(row?.1.value())?;
        if same(&other, &stored.question, &stored.wanted) {
            return Err(StorageError::Refused("this question was saved with this passage again".to_owned()));
        }
        count += 1;
    }
    if count >= MOST_TESTS {
        return Err(StorageError::Refused(format!("there are {MOST_TESTS} retrieval tests already")));
    }
    table.put((owner, id.0.as_u128()), &stored)
}

/// Whether the test is in the list.
pub(super) fn is_there(txn: &WriteTxn<'_>, profile: ProfileId, id: RetrievalTestId) -> Result<bool, StorageError> {
    Ok(txn.table(TESTS)?.get(key(profile, id))?.is_some())
}

/// Keeps what a run gave, over the one before.
pub fn put_run(main: &Db, profile: ProfileId, run: &RetrievalRun) -> Result<(), StorageError> {
    let stored = StoredRetrievalRun { run: run.clone() };
    main.write(move |txn| txn.table(RUNS)?.put(profile.0.as_u128(), &stored))
}

/// Keeps what a trial gave, over the one before.
pub fn put_trial(main: &Db, profile: ProfileId, trial: &RetrievalTrial) -> Result<(), StorageError> {
    let stored = StoredRetrievalTrial { trial: trial.clone() };
    main.write(move |txn| txn.table(TRIALS)?.put(profile.0.as_u128(), &stored))
}

/// What the last run gave.
pub fn run(main: &Db, profile: ProfileId) -> Result<Option<RetrievalRun>, StorageError> {
    let stored: Option<StoredRetrievalRun> = main.read()?.table(RUNS)?.record(profile.0.as_u128())?;
    Ok(stored.map(|stored| stored.run))
}

/// What the last trial gave.
pub fn trial(main: &Db, profile: ProfileId) -> Result<Option<RetrievalTrial>, StorageError> {
    let stored: Option<StoredRetrievalTrial> = main.read()?.table(TRIALS)?.record(profile.0.as_u128())?;
    Ok(stored.map(|stored| stored.trial))
}

/// Removes all of a profile, within a larger change.
pub(super) fn remove_profile(txn: &WriteTxn<'_>, profile: ProfileId) -> Result<(), StorageError> {
    let owner = profile.0.as_u128();
    txn.table(TESTS)?.retain_in((owner, 0)..=(owner, u128::MAX), |_, _| false)?;
    txn.table(RUNS)?.remove(owner)?;
    txn.table(TRIALS)?.remove(owner)?;
    Ok(())
}

/// Adds the tests that only `other` has.
pub(super) fn merge(txn: &WriteTxn<'_>, other: &ReadTxn) -> Result<Merged, StorageError> {
    let mut merged = Merged { kind: DataKind::RetrievalTests, added: 0, kept: 0 };
    let Some(theirs) = other.table_if_there(TESTS)? else { return Ok(merged) };
    let mut own = txn.table(TESTS)?;
    for row in theirs.iter()? {
        let (key, value) = row?;
        let here = own.get(key.value())?.map(|here| here.value() == value.value());
        match here {
            Some(same) => merged.kept += u64::from(!same),
            None => {
                own.put(key.value(), &decode::<StoredRetrievalTest>(value.value())?)?;
                merged.added += 1;
            }
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests;
