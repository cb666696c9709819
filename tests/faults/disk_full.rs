//! A full disk: with whatever is left of it, each verb is done or says that the disk is full, and nothing is lost.

use std::path::Path;
use std::sync::Arc;

use rspa_core::clock::{Ids, ManualClock};
use rspa_core::model::{Chat, ChatId, ProfileId, Timestamp};
use rspa_core::storage::disk::Disk;
use rspa_core::storage::disk::simulated::{Faults, SimulatedDisk};
use rspa_core::storage::{Db, DbOptions, StorageError, chats, tables};
use rspa_tests::deeds::{Deed, Ending, Record};
use rspa_tests::disk::SmallDisk;
use rspa_tests::seed;
use rspa_tests::world::World;

const KIB: u64 = 1 << 10;

#[test]
fn with_little_space_each_verb_is_done_or_says_so() {
    let world = World::in_memory();
    let Some(disk) = SmallDisk::over(&world.data(), 24) else { return };
    let mut record = Record::default();
    record.check_works(&world);
    let steps: &[u64] = if seed::soaking() {
        &[0, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 192, 256, 320, 384, 512, 768, 1024, 2048]
    } else {
        &[0, 4, 16, 48, 128, 512]
    };
    let (mut refused, mut done) = (0, 0);
    for &step in steps {
        for deed in Deed::ALL {
            disk.fill(step * KIB);
            let ending = record.attempt(&world, deed, |errand| errand.run(&world));
            if let Some(fault) = ending.storage_fault() {
                let words = format!("{} {}", fault.message, fault.advice).to_lowercase();
                assert!(words.contains("full") || words.contains("space"), "{deed:?} with {step} KiB: {fault:?}");
                refused += 1;
            } else {
                assert!(!matches!(ending, Ending::Killed));
                done += 1;
            }
            disk.empty();
            record.check(&world, deed);
        }
        // What is there can still be read, or it is said why not.
        disk.fill(step * KIB);
        let readings: [&[&str]; 6] = [
            &["settings", "list"],
            &["chat", "--list"],
            &["search", "note"],
            &["index", "list"],
            &["logs", "--limit", "5"],
            &["backup", "list"],
        ];
        for arguments in readings {
            Ending::of(&world.run(arguments.iter().chain(&["--json"])));
        }
        disk.empty();
        record.check_all(&world);
    }
    assert!(refused > 0 && done > 0, "{refused} refused, {done} done");
    record.check_works(&world);
    println!("{refused} refused, {done} done");
}

#[test]
fn a_first_start_on_a_full_disk_says_so_and_the_next_one_works() {
    let world = World::in_memory();
    let Some(disk) = SmallDisk::over(&world.data(), 4) else { return };
    for step in [0, 4, 8, 16, 32, 48, 64, 96, 128] {
        disk.fill(step * KIB);
        let ending = Ending::of(&world.run(["chat", "--list", "--json"]));
        assert!(step > 0 || ending.storage_fault().is_some(), "{ending:?}");
        disk.empty();
        world.json(["chat", "--list"]);
        for item in std::fs::read_dir(world.data()).unwrap().flatten() {
            let path = item.path();
            if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
        }
    }
}

/// A database on a simulated disk that ends at one size after the other: at each write of a mixed load there is a run
/// in which it is the one that does not fit.
#[test]
fn a_database_that_fills_the_disk_at_each_write() {
    let seed = seed::seed();
    let (mut tries, mut refused) = (0, 0);
    let end = load_on(None, seed).1;
    let step = if seed::soaking() { 256 } else { 8_192 };
    for limit in (0..=end).step_by(step) {
        refused += usize::from(load_on(Some(limit), seed).0);
        tries += 1;
    }
    assert!(refused > tries / 4, "only {refused} of {tries} were full");
    seed::report("simulated disks that filled up", tries, seed);
}

/// Whether the disk got full, and how many bytes it held in the end.
fn load_on(limit: Option<u64>, seed: u64) -> (bool, u64) {
    let disk = SimulatedDisk::new();
    let path = Path::new("/main.redb");
    let open = || {
        let options = DbOptions { cache_bytes: 1 << 20, disk: Arc::new(disk.clone()), ..DbOptions::default() };
        Db::open(path, &tables::MAIN, options)
    };
    disk.set_faults(Faults { full_above: limit, ..Faults::default() });
    let mut full = false;
    let mut hear = |result: Result<(), StorageError>| match result {
        Ok(()) => true,
        Err(StorageError::Full) => {
            full = true;
            false
        }
        Err(other) => panic!("with {limit:?} bytes: {other:?}"),
    };
    let db = match open() {
        Ok(db) => db,
        Err(error) => {
            hear(Err(error));
            disk.set_faults(Faults::default());
            open().unwrap()
        }
    };
    let ids = Ids::seeded(Arc::new(ManualClock::at(Timestamp(1_760_000_000_000))), seed);
    let profile = ProfileId(ids.next());
    let mut kept: Vec<(ChatId, String, Option<String>)> = Vec::new();
    let mut put = |db: &Db, kept: &mut Vec<(ChatId, String, Option<String>)>, number: usize| {
        let (id, title) = (ChatId(ids.next()), format!("chat {number} {}", "x".repeat(number * 97 % 3_000)));
        let now = Timestamp(1_760_000_000_000);
        let chat = Chat {
            id,
            profile,
            title: title.clone(),
            created: now,
            updated: now,
            folder: String::new(),
            pinned: false,
            branched_from: None,
        };
        let done = hear(chats::create(db, chat));
        if done {
            kept.push((id, title, None));
        }
        // An older one gets another name.
        let count = kept.len();
        if number.is_multiple_of(3) && count > 1 {
            let (id, title, maybe) = &mut kept[number % (count - 1)];
            let other = format!("{title}, again {number}");
            if hear(chats::rename(db, profile, *id, other.clone()).map(drop)) {
                (*title, *maybe) = (other, None);
            } else {
                *maybe = Some(other);
            }
        }
        done
    };
    let check = |db: &Db, kept: &[(ChatId, String, Option<String>)]| {
        let there = chats::list(db, profile).unwrap();
        for (id, title, maybe) in kept {
            let found =
                there.iter().find(|row| row.chat.id == *id).unwrap_or_else(|| panic!("{limit:?}: {title} is gone"));
            assert!(found.chat.title == *title || Some(&found.chat.title) == maybe.as_ref(), "{limit:?}: {title}");
        }
    };
    for number in 0..40 {
        put(&db, &mut kept, number);
    }
    // With space again the same handle goes on, and so does the next start.
    disk.set_faults(Faults::default());
    check(&db, &kept);
    assert!(put(&db, &mut kept, 41), "with {limit:?} bytes");
    check(&db, &kept);
    db.close();
    let db = open().unwrap();
    check(&db, &kept);
    drop(db);
    (full, disk.len(path).unwrap())
}
