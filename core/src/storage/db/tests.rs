//! Group commits, failing writes, reopening, and files that must be refused.

use std::sync::Barrier;

use redb::{ReadableTableMetadata, TableDefinition};

use super::super::AnyTable;
use super::*;

const ITEMS: TableDefinition<u64, &str> = TableDefinition::new("items");
static SCHEMA: Schema =
    Schema { version: 2, tables: &[&[&ITEMS as &dyn AnyTable]], migrations: &[], tracking: Tracking::Off };

fn open(path: &Path) -> Result<Db, StorageError> {
    Db::open(path, &SCHEMA, DbOptions::default())
}

fn put(db: &Db, key: u64, text: &'static str) -> Result<u64, StorageError> {
    db.write(move |txn| {
        txn.table(ITEMS)?.insert(key, text)?;
        Ok(txn.change())
    })
}

fn count(db: &Db) -> u64 {
    db.read().unwrap().table(ITEMS).unwrap().len().unwrap()
}

#[test]
fn writes_outlive_the_process_that_did_not_say_goodbye() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.redb");
    let db = open(&path).unwrap();
    for key in 0..10 {
        put(&db, key, "x").unwrap();
    }
    assert_eq!(db.last_change(), 10);
    // A copy taken while the file is open is what a killed process would leave behind.
    let copy = folder.path().join("copy.redb");
    std::fs::copy(&path, &copy).unwrap();
    let after = open(&copy).unwrap();
    assert_eq!((count(&after), after.last_change()), (10, 10));
    drop(db);
    let db = open(&path).unwrap();
    assert_eq!(put(&db, 99, "y").unwrap(), 11);
}

#[test]
fn a_failing_write_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("a.redb")).unwrap();
    let (entered, release) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    // The first write holds the writer, so that all others fall into one batch.
    let first = {
        let (db, entered, release) = (db.clone(), entered.clone(), release.clone());
        std::thread::spawn(move || {
            db.write(move |_txn| {
                entered.wait();
                release.wait();
                Ok(())
            })
        })
    };
    entered.wait();
    let (sender, results) = mpsc::channel();
    for key in 0..20_u64 {
        let sender = sender.clone();
        db.submit(
            move |txn| {
                txn.table(ITEMS)?.insert(key, "row")?;
                match key % 5 {
                    1 => Err(StorageError::Refused("no".to_owned())),
                    2 => panic!("a bug in a store"),
                    _ => Ok(txn.change()),
                }
            },
            move |result| sender.send((key, result)).unwrap(),
        )
        .unwrap();
    }
    release.wait();
    first.join().unwrap().unwrap();
    let mut changes = Vec::new();
    for (key, result) in results.iter().take(20) {
        match key % 5 {
            1 => assert_eq!(result, Err(StorageError::Refused("no".to_owned()))),
            2 => assert!(matches!(result, Err(StorageError::Panicked { .. }))),
            _ => changes.push(result.unwrap()),
        }
    }
    changes.sort_unstable();
    assert_eq!(changes, (2..=13).collect::<Vec<u64>>());
    assert_eq!((count(&db), db.last_change()), (12, 13));
}

#[test]
fn a_file_of_a_newer_version_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.redb");
    let newer = Schema { version: 7, tables: SCHEMA.tables, migrations: &[], tracking: Tracking::Off };
    drop(Db::open(&path, &newer, DbOptions::default()).unwrap());
    let before = std::fs::read(&path).unwrap();
    let error = open(&path).err().unwrap();
    assert_eq!(error, StorageError::Newer { file: "a.redb".to_owned(), found: 7, known: 2 });
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_in_use_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.redb");
    let _db = open(&path).unwrap();
    assert_eq!(open(&path).err(), Some(StorageError::InUse { file: "a.redb".to_owned() }));
}

#[test]
fn what_a_kill_left_of_a_file_in_the_making_is_not_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.redb");
    // Room was made, but the mark at the beginning was not yet written.
    std::fs::write(folder.path().join("main.redb-new"), vec![0; 1 << 16]).unwrap();
    let db = open(&path).unwrap();
    put(&db, 1, "one").unwrap();
    assert_eq!(count(&db), 1);
    assert!(!folder.path().join("main.redb-new").exists());
}

#[test]
fn a_damaged_file_is_kept_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.redb");
    std::fs::write(&path, vec![b'x'; 10_000]).unwrap();
    let error = open(&path).err().unwrap();
    assert!(matches!(error, StorageError::Damaged { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), vec![b'x'; 10_000]);
}

#[test]
fn missing_tables_and_migrations_are_made_in_one_go() {
    const OLD: TableDefinition<u64, u64> = TableDefinition::new("old");
    static FIRST: Schema =
        Schema { version: 1, tables: &[&[&OLD as &dyn AnyTable]], migrations: &[], tracking: Tracking::Off };
    static SECOND: Schema = Schema {
        version: 2,
        tables: &[&[&OLD as &dyn AnyTable, &ITEMS]],
        migrations: &[super::super::Migration {
            to: 2,
            run: |txn| {
                txn.table(ITEMS)?.insert(1, "made by the step")?;
                Ok(())
            },
        }],
        tracking: Tracking::Off,
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.redb");
    drop(Db::open(&path, &FIRST, DbOptions::default()).unwrap());
    let db = Db::open(&path, &SECOND, DbOptions::default()).unwrap();
    assert_eq!(count(&db), 1);
    db.close();
    assert_eq!(put(&db, 1, "x"), Err(StorageError::Closed { file: "a.redb".to_owned() }));
    let again = Db::open(&path, &SECOND, DbOptions::default()).unwrap();
    assert_eq!(count(&again), 1);
}

/// A backend whose writes fail while it is broken, as a full disk or one that was pulled out. Clones are the same disk.
#[derive(Clone, Debug)]
struct Failing {
    disk: Arc<redb::backends::InMemoryBackend>,
    broken: Arc<std::sync::atomic::AtomicBool>,
}

impl Failing {
    fn check(&self) -> Result<(), std::io::Error> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(std::io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }
}

impl redb::StorageBackend for Failing {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.check()?;
        self.disk.set_len(len)
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.check()?;
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.check()?;
        self.disk.write(offset, data)
    }
}

#[test]
fn a_full_disk_confirms_nothing_and_writing_goes_on_once_there_is_room() {
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let disk = Failing { disk: Arc::new(redb::backends::InMemoryBackend::new()), broken: broken.clone() };
    let opener = move || {
        let opened = redb::Builder::new().set_cache_size(1 << 20).create_with_backend(disk.clone());
        opened.map_err(|error| StorageError::opening("a.redb", error))
    };
    let db = Db::start(Box::new(opener), "a.redb".to_owned(), PathBuf::new(), &SCHEMA, DbOptions::default()).unwrap();
    put(&db, 1, "before").unwrap();
    broken.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(put(&db, 2, "while full"), Err(StorageError::Full));
    }
    assert_eq!(db.last_change(), 1);
    broken.store(false, Ordering::SeqCst);
    assert_eq!(put(&db, 3, "after").unwrap(), 2);
    let keys: Vec<u64> =
        { db.read().unwrap().table(ITEMS).unwrap().iter().unwrap().map(|row| row.unwrap().0.value()).collect() };
    assert_eq!(keys, [1, 3]);
}

#[test]
fn two_first_starts_make_one_database() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.redb");
        let start = Barrier::new(4);
        let opened: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        open(&path)
                    })
                })
                .collect();
            starts.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(
            lost.iter().all(|lost| matches!(lost, Err(StorageError::InUse { .. }))),
            "{:?}",
            lost[0].as_ref().err()
        );
        let db = won.into_iter().next().unwrap().unwrap();
        put(&db, 1, "kept").unwrap();
        drop(db);
        assert_eq!(count(&open(&path).unwrap()), 1);
        assert!(!path.with_extension("redb-new").exists() && !path.with_extension("redb-making").exists());
    }
}
