//! Any recorded minute can be gone back to exactly, whatever was written, pruned or set by the clock.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use redb::TableDefinition;

use super::*;
use crate::clock::ManualClock;
use crate::storage::compare::compare;
use crate::storage::disk::simulated::SimulatedDisk;
use crate::storage::{DbOptions, snapshot};

const NUMBERS: TableDefinition<u64, &[u8]> = TableDefinition::new("numbers");
const NAMES: TableDefinition<(&str, u32), &str> = TableDefinition::new("names");
const LOOSE: TableDefinition<u64, u64> = TableDefinition::new("loose");
static SCHEMA: Schema = Schema {
    version: 1,
    tables: &[&[&NUMBERS as &dyn AnyTable, &NAMES], &[&LOOSE]],
    migrations: &[],
    tracking: Tracking::AllBut(&["loose"]),
};
const START: i64 = 1_700_000_000_000;

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Number(u64, Vec<u8>),
    Name(u8, u32, String),
    Forget(u64),
    ForgetNames(u8),
    Pop,
    /// A write that fails.
    Fail(u64),
    Wait(i64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..12_u64, prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(key, value)| Step::Number(key, value)),
        3 => (0..3_u8, 0..4_u32, "[a-z]{0,6}").prop_map(|(name, key, value)| Step::Name(name, key, value)),
        2 => (0..12_u64).prop_map(Step::Forget),
        1 => (0..3_u8).prop_map(Step::ForgetNames),
        1 => Just(Step::Pop),
        1 => (0..12_u64).prop_map(Step::Fail),
        3 => (1_000..200_000_i64).prop_map(Step::Wait),
        1 => Just(Step::Reopen),
    ]
}

type State = Vec<(String, Vec<u8>, Vec<u8>)>;

fn state(db: &Db) -> State {
    let txn = db.read().unwrap();
    let mut out = Vec::new();
    for table in SCHEMA.tables.iter().copied().flatten().filter(|table| table.table_name() != "loose") {
        for row in table.raw_rows(&txn).unwrap() {
            let row = row.unwrap();
            out.push((table.table_name().to_owned(), row.key, row.value));
        }
    }
    out
}

fn perform(db: &Db, step: &Step) {
    let step = step.clone();
    let failing = matches!(step, Step::Fail(_));
    let done = db.write(move |txn| {
        match &step {
            Step::Number(key, value) => drop(txn.table(NUMBERS)?.insert(key, value.as_slice())?),
            Step::Name(name, key, value) => {
                txn.table(NAMES)?.insert((format!("n{name}").as_str(), *key), value.as_str())?;
                txn.table(LOOSE)?.insert(u64::from(*key), txn.change())?;
            }
            Step::Forget(key) => drop(txn.table(NUMBERS)?.remove(key)?),
            Step::ForgetNames(name) => {
                let name = format!("n{name}");
                txn.table(NAMES)?.retain_in((name.as_str(), 0)..=(name.as_str(), u32::MAX), |(_, key), _| key == 1)?;
            }
            Step::Pop => drop(txn.table(NUMBERS)?.pop_first()?),
            Step::Fail(key) => {
                txn.table(NUMBERS)?.insert(key, &b"never"[..])?;
                return Err(StorageError::Refused("on purpose".to_owned()));
            }
            Step::Wait(_) | Step::Reopen => {}
        }
        Ok(())
    });
    assert_eq!(done.is_err(), failing);
}

fn opened(path: &Path, disk: &SimulatedDisk, clock: &Arc<ManualClock>) -> Db {
    let options = DbOptions { clock: clock.clone(), disk: Arc::new(disk.clone()), ..DbOptions::default() };
    Db::open(path, &SCHEMA, options).unwrap()
}

/// Runs the steps; the state at the start of each minute that was reached, and the moment of the first change.
fn play(
    db: &mut Db,
    path: &Path,
    disk: &SimulatedDisk,
    clock: &Arc<ManualClock>,
    steps: &[Step],
) -> BTreeMap<i64, State> {
    use crate::clock::Clock;
    let mut states = BTreeMap::new();
    for step in steps {
        match step {
            Step::Wait(ms) => {
                let (from, before) = (minute(clock.now().0), state(db));
                clock.advance_ms(*ms);
                for reached in from + 1..=minute(clock.now().0) {
                    states.insert(reached * STEP_MS, before.clone());
                }
            }
            Step::Reopen => {
                db.close();
                *db = opened(path, disk, clock);
            }
            step => perform(db, step),
        }
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_minute_can_be_gone_back_to(steps in prop::collection::vec(step(), 1..60), pruned in 0..8_i64) {
        let (folder, disk) = (Path::new("/"), SimulatedDisk::new());
        let path = folder.join("a.redb");
        let clock = Arc::new(ManualClock::at(Timestamp(START)));
        let mut db = opened(&path, &disk, &clock);
        // The history begins with the first write.
        perform(&db, &Step::Number(3, vec![3]));
        let states = play(&mut db, &path, &disk, &clock, &steps);
        db.prune_history(Timestamp(START + pruned * STEP_MS), u64::MAX).unwrap();
        let from = read_meta(&db.read().unwrap(), FROM).unwrap().map(|from| from as i64);
        for (number, (time, expected)) in states.iter().enumerate() {
            let copy_path = folder.join(format!("copy{number}.redb"));
            snapshot::copy_to(&db, &SCHEMA, &copy_path, &disk).unwrap();
            let copy = opened(&copy_path, &disk, &clock);
            prop_assert!(compare(&db.read().unwrap(), &copy.read().unwrap(), &SCHEMA).unwrap().iter().all(|table| table.is_empty()));
            let undone = undo_until(&copy, &SCHEMA, Timestamp(*time));
            if from.is_some_and(|from| *time >= from) {
                undone.unwrap();
                prop_assert_eq!(&state(&copy), expected);
                if let Some((_, last)) = range(&copy).unwrap() {
                    prop_assert!(last.0 < *time);
                }
            } else {
                prop_assert!(undone.is_err());
                prop_assert!(*time < START + pruned * STEP_MS || from.is_none());
            }
        }
    }
}

#[test]
fn a_history_stays_within_its_bytes_and_off_forgets_it() {
    let (folder, disk) = (Path::new("/"), SimulatedDisk::new());
    let clock = Arc::new(ManualClock::at(Timestamp(START)));
    let db = opened(&folder.join("a.redb"), &disk, &clock);
    db.set_history(true, 100_000);
    for round in 0..400_u64 {
        clock.advance_ms(STEP_MS);
        perform(&db, &Step::Number(round % 7, vec![round as u8; 1_000]));
        assert!(bytes(&db).unwrap() <= 100_000);
    }
    let (from, to) = range(&db).unwrap().unwrap();
    assert_eq!(to.0, START + 400 * STEP_MS);
    let minutes = (to.0 - from.0) / STEP_MS;
    assert!((70..110).contains(&minutes), "{minutes} minutes are kept");
    db.set_history(false, 0);
    perform(&db, &Step::Forget(1));
    assert_eq!((range(&db).unwrap(), bytes(&db).unwrap()), (None, 0));
    assert!(undo_until(&db, &SCHEMA, to).is_err());
    db.set_history(true, 100_000);
    clock.advance_ms(STEP_MS);
    perform(&db, &Step::Forget(2));
    assert_eq!(range(&db).unwrap().unwrap().0, Timestamp(START + 401 * STEP_MS));
}

#[test]
fn a_clock_that_goes_back_loses_nothing() {
    let (folder, disk) = (Path::new("/"), SimulatedDisk::new());
    let clock = Arc::new(ManualClock::at(Timestamp(START)));
    let db = opened(&folder.join("a.redb"), &disk, &clock);
    perform(&db, &Step::Number(1, vec![1]));
    clock.advance_ms(5 * STEP_MS);
    let before = state(&db);
    let time = START + 5 * STEP_MS;
    perform(&db, &Step::Number(1, vec![2]));
    clock.advance_ms(-60 * STEP_MS);
    for round in 0..5 {
        perform(&db, &Step::Number(round, vec![9; 3]));
        clock.advance_ms(STEP_MS);
    }
    assert_eq!(range(&db).unwrap().unwrap().1, Timestamp(time));
    undo_until(&db, &SCHEMA, Timestamp(time)).unwrap();
    assert_eq!(state(&db), before);
}

#[test]
fn differences_are_told_by_key() {
    let (folder, disk) = (Path::new("/"), SimulatedDisk::new());
    let clock = Arc::new(ManualClock::at(Timestamp(START)));
    let (one, other) = (opened(&folder.join("a.redb"), &disk, &clock), opened(&folder.join("b.redb"), &disk, &clock));
    for (key, value) in [(1, 1), (2, 2), (5, 5)] {
        perform(&one, &Step::Number(key, vec![value]));
    }
    for (key, value) in [(2, 2), (3, 3), (5, 6), (256, 7)] {
        perform(&other, &Step::Number(key, vec![value]));
    }
    let difference = compare(&one.read().unwrap(), &other.read().unwrap(), &SCHEMA).unwrap();
    let key = |key: u64| key.to_le_bytes().to_vec();
    assert_eq!((&difference[0].added, &difference[0].changed), (&vec![key(3), key(256)], &vec![key(5)]));
    assert_eq!(difference[0].removed, [key(1)]);
    assert!(difference[1].is_empty() && difference[2].is_empty());
}
