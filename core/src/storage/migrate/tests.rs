//! Migrations: all or nothing, also when a step fails, panics, or the power goes; newer files are not touched.

use std::path::Path;
use std::sync::Arc;

use redb::{ReadableTable, TableDefinition};

use super::*;
use crate::storage::disk::simulated::SimulatedDisk;
use crate::storage::{Db, DbOptions};

const NAMES: TableDefinition<u64, &str> = TableDefinition::new("names");
const LENGTHS: TableDefinition<&str, u64> = TableDefinition::new("lengths");
const TABLES: &[&[&dyn AnyTable]] = &[&[&NAMES]];
static FIRST: Schema = Schema { version: 1, tables: TABLES, migrations: &[], tracking: Tracking::AllBut(&[]) };
static THIRD: Schema = Schema {
    version: 3,
    tables: &[&[&NAMES as &dyn AnyTable, &LENGTHS]],
    migrations: &[Migration { to: 2, run: upper }, Migration { to: 3, run: lengths }],
    tracking: Tracking::AllBut(&[]),
};
static FAILING: Schema = Schema {
    version: 3,
    tables: TABLES,
    migrations: &[Migration { to: 2, run: upper }, Migration { to: 3, run: fail }],
    tracking: Tracking::AllBut(&[]),
};
static PANICKING: Schema = Schema {
    version: 2,
    tables: TABLES,
    migrations: &[Migration { to: 2, run: |_txn| panic!("a bug in a step") }],
    tracking: Tracking::AllBut(&[]),
};

fn upper(txn: &WriteTxn<'_>) -> Result<(), StorageError> {
    let mut table = txn.table(NAMES)?;
    for key in 0..20 {
        let name = table.get(key)?.map(|name| name.value().to_uppercase());
        if let Some(name) = name {
            table.insert(key, name.as_str())?;
        }
    }
    Ok(())
}

fn lengths(txn: &WriteTxn<'_>) -> Result<(), StorageError> {
    let (names, mut lengths) = (txn.table(NAMES)?, txn.table(LENGTHS)?);
    for row in names.iter()? {
        let (_, name) = row?;
        lengths.insert(name.value(), name.value().len() as u64)?;
    }
    Ok(())
}

fn fail(txn: &WriteTxn<'_>) -> Result<(), StorageError> {
    txn.table(NAMES)?.retain(|_, _| false)?;
    Err(StorageError::Refused("row 7 makes no sense".to_owned()))
}

fn open(disk: &SimulatedDisk, schema: &Schema) -> Result<Db, StorageError> {
    Db::open(Path::new("/main.redb"), schema, DbOptions { disk: Arc::new(disk.clone()), ..DbOptions::default() })
}

fn old_disk() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let db = open(&disk, &FIRST).unwrap();
    for key in 0..20 {
        let name = format!("name {key} {}", "x".repeat(300));
        db.write(move |txn| txn.table(NAMES)?.insert(key, name.as_str()).map(drop).map_err(Into::into)).unwrap();
    }
    disk
}

fn names(db: &Db) -> Vec<String> {
    let table = db.read().unwrap().table(NAMES).unwrap();
    table.iter().unwrap().map(|row| row.unwrap().1.value().to_owned()).collect()
}

fn version(disk: &SimulatedDisk) -> Option<u64> {
    peek_version(Path::new("/main.redb"), "main.redb", disk).unwrap()
}

#[test]
fn all_steps_run_once_and_the_history_ends() {
    let disk = old_disk();
    let path = Path::new("/main.redb");
    let options = DbOptions { disk: Arc::new(disk.clone()), ..DbOptions::default() };
    assert_eq!(Db::needs_migration(path, &THIRD, &options), Ok(Some((1, 3))));
    assert_eq!(Db::needs_migration(path, &FIRST, &options), Ok(None));
    for _ in 0..2 {
        let db = open(&disk, &THIRD).unwrap();
        assert!(names(&db).iter().all(|name| name.starts_with("NAME")));
        assert_eq!(db.read().unwrap().table(LENGTHS).unwrap().iter().unwrap().count(), 20);
        assert_eq!(history::range(&db), Ok(None));
    }
    assert_eq!(Db::needs_migration(path, &THIRD, &options), Ok(None));
}

#[test]
fn a_step_that_fails_or_panics_leaves_what_was_there() {
    for (schema, words) in [(&FAILING, "row 7 makes no sense"), (&PANICKING, "a bug in a step")] {
        let disk = old_disk();
        let before = names(&open(&disk, &FIRST).unwrap());
        let error = open(&disk, schema).err().unwrap();
        let StorageError::Migration { found: 1, detail, .. } = &error else { panic!("{error:?}") };
        assert!(detail.contains(words) && error.advice().contains("holds what it held"), "{error:?}");
        assert_eq!(version(&disk), Some(1));
        assert_eq!(names(&open(&disk, &FIRST).unwrap()), before);
    }
}

#[test]
fn a_power_cut_in_a_migration_leaves_the_old_or_the_new_file() {
    let whole = old_disk();
    let bytes = whole.read_all(Path::new("/main.redb")).unwrap();
    let fresh = || {
        let disk = SimulatedDisk::new();
        disk.put(Path::new("/main.redb"), bytes.clone());
        disk
    };
    let old = names(&open(&fresh(), &FIRST).unwrap());
    let uncut = fresh();
    let new = names(&open(&uncut, &THIRD).unwrap());
    let (mut olds, mut news) = (0, 0);
    for operation in 0..uncut.operations() {
        for seed in 0..4 {
            let disk = fresh();
            disk.cut_at(operation);
            open(&disk, &THIRD).err();
            let found = disk.after_power_cut(seed);
            match version(&found) {
                Some(1) => {
                    assert_eq!(names(&open(&found, &FIRST).unwrap()), old, "cut at {operation}");
                    olds += 1;
                }
                Some(3) => {
                    assert_eq!(names(&open(&found, &THIRD).unwrap()), new, "cut at {operation}");
                    news += 1;
                }
                other => panic!("cut at {operation}: version {other:?}"),
            }
            assert_eq!(names(&open(&found, &THIRD).unwrap()), new, "cut at {operation}");
        }
    }
    assert!(olds > 0 && news > 0, "{olds} {news}");
}

#[test]
fn a_newer_file_is_not_touched_however_it_ended() {
    let disk = SimulatedDisk::new();
    let db = open(&disk, &THIRD).unwrap();
    for key in 0..20 {
        db.write(move |txn| txn.table(NAMES)?.insert(key, "x").map(drop).map_err(Into::into)).unwrap();
    }
    // As a kill leaves it, and as an orderly end does.
    let unclean = disk.read_all(Path::new("/main.redb")).unwrap();
    db.close();
    let clean = disk.read_all(Path::new("/main.redb")).unwrap();
    assert_ne!(unclean, clean);
    for bytes in [unclean, clean] {
        let disk = SimulatedDisk::new();
        disk.put(Path::new("/main.redb"), bytes.clone());
        let error = open(&disk, &FIRST).err();
        assert_eq!(error, Some(StorageError::Newer { file: "main.redb".to_owned(), found: 3, known: 1 }));
        assert!(disk.read_all(Path::new("/main.redb")).unwrap() == bytes);
        assert_eq!(disk.list(Path::new("/")).unwrap(), [Path::new("/main.redb")]);
        assert_eq!(disk.operations(), 0);
    }
}
