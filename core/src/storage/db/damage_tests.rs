//! Files cut short and turned over: an error in words, never a panic, and derived files are made anew.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::model::{Chat, ChatId, ProfileId};
use crate::storage::anew::open_or_anew;
use crate::storage::disk::simulated::SimulatedDisk;
use crate::storage::{chats, check, tables};

const PATH: &str = "/main.redb";

fn options(disk: &SimulatedDisk) -> DbOptions {
    DbOptions { disk: Arc::new(disk.clone()), ..DbOptions::default() }
}

fn profile() -> ProfileId {
    ProfileId(uuid::Uuid::from_u128(1))
}

/// A file with some chats, closed in order or as a kill leaves it.
fn bytes(orderly: bool) -> Vec<u8> {
    let disk = SimulatedDisk::new();
    let db = Db::open(Path::new(PATH), &tables::MAIN, options(&disk)).unwrap();
    for number in 0..60_u128 {
        let chat = Chat {
            id: ChatId(uuid::Uuid::from_u128(number)),
            profile: profile(),
            title: format!("chat {number} {}", "long ".repeat(40)),
            created: Timestamp(number as i64),
            updated: Timestamp(number as i64),
            folder: String::new(),
            pinned: false,
            branched_from: None,
        };
        chats::create(&db, chat).unwrap();
    }
    if orderly {
        db.close();
    }
    disk.read_all(Path::new(PATH)).unwrap()
}

fn disk_with(bytes: Vec<u8>) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    disk.put(Path::new(PATH), bytes);
    disk
}

/// Opens and reads all; the titles, or the error.
fn read_all(disk: &SimulatedDisk) -> Result<usize, StorageError> {
    let db = Db::open(Path::new(PATH), &tables::MAIN, options(disk))?;
    let txn = db.read()?;
    for table in tables::MAIN.tables.iter().copied().flatten() {
        for row in table.raw_rows(&txn)? {
            row?;
        }
    }
    chats::list(&db, profile()).map(|chats| chats.len())
}

#[test]
fn damage_of_any_kind_is_an_error_in_words_and_the_file_stays() {
    let mut random = 1_u64;
    let mut next = |end: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % end
    };
    let (mut refused, mut fine) = (0, 0);
    for orderly in [true, false] {
        let whole = bytes(orderly);
        for round in 0..250 {
            let mut damaged = whole.clone();
            match round % 5 {
                0 => damaged.truncate(next(whole.len())),
                1 => {
                    let start = next(whole.len());
                    let end = (start + 1 + next(5_000)).min(whole.len());
                    damaged[start..end].fill(0);
                }
                _ => {
                    for _ in 0..=next(6) {
                        let bit = next(whole.len() * 8);
                        damaged[bit / 8] ^= 1 << (bit % 8);
                    }
                }
            }
            let disk = disk_with(damaged.clone());
            match read_all(&disk) {
                Ok(count) => {
                    // In a part of the file that holds nothing, or a state that was confirmed earlier.
                    assert!(count <= 60, "{count}");
                    fine += 1;
                }
                Err(error) => {
                    let known = matches!(error, StorageError::Damaged { .. } | StorageError::Newer { .. });
                    assert!(known, "{round}: {error:?}");
                    assert!(disk.read_all(Path::new(PATH)).unwrap() == damaged, "{round}: changed although refused");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 100 && fine > 50, "{refused} refused, {fine} fine");
}

#[test]
fn an_empty_file_has_lost_what_it_held() {
    let disk = disk_with(Vec::new());
    assert!(matches!(read_all(&disk), Err(StorageError::Damaged { .. })));
}

#[test]
fn a_derived_file_is_kept_aside_and_made_anew() {
    let mut damaged = bytes(true);
    let length = damaged.len();
    damaged.truncate(length / 2);
    let disk = disk_with(damaged.clone());
    let (db, kept) = open_or_anew(Path::new(PATH), &tables::KNOWLEDGE, options(&disk)).unwrap();
    let kept = kept.unwrap();
    assert_eq!(kept.file, "main.redb");
    assert!(disk.read_all(&kept.kept).unwrap() == damaged);
    assert_eq!(db.last_change(), 0);
    drop(db);
    let (_db, kept) = open_or_anew(Path::new(PATH), &tables::KNOWLEDGE, options(&disk)).unwrap();
    assert_eq!(kept, None);
}

#[test]
fn damage_met_while_reading_is_remembered_until_the_next_start() {
    let mut whole = bytes(true);
    let found = whole.windows(8).position(|window| window == b"chat 31 ").unwrap();
    let page = found / 4096 * 4096;
    // Where the values of the page end; redb trusts that.
    whole[page + 4..page + 40].fill(0xff);
    let disk = disk_with(whole);
    // A derived file is not checked wholly at its start, so that reading it meets the damage.
    static DERIVED: Schema =
        Schema { version: tables::MAIN.version, tables: tables::MAIN.tables, migrations: &[], tracking: Tracking::Off };
    let db = Db::open(Path::new(PATH), &DERIVED, options(&disk)).unwrap();
    let error = chats::list(&db, profile()).unwrap_err();
    assert!(matches!(error, StorageError::Damaged { .. }), "{error:?}");
    assert!(db.check(&DERIVED).unwrap().damage.is_some());
    drop(db);
    let (_db, kept) = open_or_anew(Path::new(PATH), &DERIVED, options(&disk)).unwrap();
    assert!(kept.is_some());
    assert!(!disk.exists(&mark_of(Path::new(PATH))));
}

#[test]
fn a_sound_file_passes_its_check_open_or_closed() {
    for orderly in [true, false] {
        let whole = bytes(orderly);
        let disk = disk_with(whole.clone());
        let report = check::file(Path::new(PATH), &tables::MAIN, &disk).unwrap();
        assert_eq!((report.damage, report.version), (None, Some(tables::MAIN.version)));
        assert_eq!(report.rows, 120);
        assert!(disk.read_all(Path::new(PATH)).unwrap() == whole);
        let db = Db::open(Path::new(PATH), &tables::MAIN, options(&disk)).unwrap();
        assert!(matches!(check::file(Path::new(PATH), &tables::MAIN, &disk), Err(StorageError::InUse { .. })));
        assert_eq!(db.check(&tables::MAIN).unwrap().damage, None);
        chats::rename(&db, profile(), ChatId(uuid::Uuid::from_u128(3)), "new".to_owned()).unwrap();
        assert_eq!(db.check(&tables::MAIN).unwrap().damage, None);
    }
}
