//! Backups on a simulated disk: round trips, cuts at every operation, full disks, hostile files, retention.

mod cuts;
mod hostile;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::clock::ManualClock;
use crate::model::{BackupReason, BackupState, Chat, ChatId, DataKind, ProfileId, RestoreFrom, Timestamp};
use crate::settings::Settings;
use crate::soak;
use crate::storage::disk::Disk;
use crate::storage::disk::simulated::{Faults, SimulatedDisk};
use crate::storage::history::Tracking;
use crate::storage::{Db, DbOptions, Schema, chats, tables};
use crate::workspace::places::Places;

const DATA: &str = "/data";
const DAY: i64 = 86_400_000;
const START: Timestamp = Timestamp(1_763_600_000_000);

/// A data folder on a simulated disk.
struct World {
    disk: SimulatedDisk,
    clock: Arc<ManualClock>,
    desk: Desk,
}

/// The header of a vault that a passphrase opens.
const PASSPHRASE: &str = r#"{"format":1,"kept_under":{"argon2id":{}},"keys":[]}"#;

fn main_path() -> PathBuf {
    Path::new(DATA).join("main.redb")
}

fn options(disk: &SimulatedDisk, clock: &Arc<ManualClock>) -> DbOptions {
    DbOptions { disk: Arc::new(disk.clone()), clock: clock.clone(), ..DbOptions::default() }
}

/// The desk of this disk; its database is opened when there is one that can be.
fn desk_on(disk: &SimulatedDisk, clock: &Arc<ManualClock>, overrides: &[(&str, &str)]) -> Desk {
    let options = options(disk, clock);
    let overrides = overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let places = Places::find(&BTreeMap::new(), Some(Path::new(DATA)), None).unwrap();
    let settings = Arc::new(Settings::load(&places, &BTreeMap::new(), &overrides, None).unwrap());
    let main = Db::open(&main_path(), &tables::MAIN, options.clone()).ok();
    let room = Arc::new(|_: &Path| u64::MAX);
    Desk { data: DATA.into(), options, settings, main, room, zone: jiff::tz::TimeZone::UTC }
}

impl World {
    fn new(overrides: &[(&str, &str)]) -> Self {
        let disk = SimulatedDisk::new();
        disk.create_folder(Path::new(DATA)).unwrap();
        disk.sync_folder(Path::new("/")).unwrap();
        Self::on(disk, overrides)
    }

    fn on(disk: SimulatedDisk, overrides: &[(&str, &str)]) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let desk = desk_on(&disk, &clock, overrides);
        Self { disk, clock, desk }
    }

    fn main(&self) -> &Db {
        self.desk.main.as_ref().unwrap()
    }

    fn backup(&self, reason: BackupReason) -> Created {
        self.desk.create(reason, None, &Unwatched).unwrap()
    }

    /// Ends the program and starts it again.
    fn restart(self) -> (Self, Option<Plan>) {
        self.main().close();
        let Self { disk, clock, desk } = self;
        drop(desk);
        let plan = apply_pending(&disk, Path::new(DATA)).unwrap();
        let desk = desk_on(&disk, &clock, &[]);
        (Self { disk, clock, desk }, plan)
    }
}

fn add_chat(main: &Db, number: u128, title: &str) {
    let profile = ProfileId(Uuid::from_u128(1));
    let chat = Chat {
        id: ChatId(Uuid::from_u128(number)),
        profile,
        title: title.to_owned(),
        created: START,
        updated: START,
        folder: String::new(),
        pinned: false,
        branched_from: None,
    };
    chats::create(main, chat).unwrap();
}

fn titles(main: &Db) -> Vec<String> {
    let mut titles: Vec<String> =
        chats::list(main, ProfileId(Uuid::from_u128(1))).unwrap().into_iter().map(|c| c.chat.title).collect();
    titles.sort();
    titles
}

fn from(name: &str) -> RestoreFrom {
    RestoreFrom::Backup { name: name.to_owned() }
}

#[test]
fn a_backup_is_verified_previewed_and_brings_the_former_state_back() {
    let world = World::new(&[]);
    let put = |name: &str, text: &str| world.disk.put(&Path::new(DATA).join(name), text.as_bytes().to_vec());
    world.disk.create_folder(&Path::new(DATA).join("credentials")).unwrap();
    world.disk.create_folder(&Path::new(DATA).join("notes/deep")).unwrap();
    put("settings.toml", "[ui]\nzoom = 1.5\n");
    put("credentials/one.sealed", "sealed");
    put("credentials/vault.json", PASSPHRASE);
    put("credentials/vault-0a.key", "the key");
    put("notes/deep/a.md", "first");
    put("logs.txt", "not this");
    add_chat(world.main(), 1, "one");
    add_chat(world.main(), 2, "two");
    let created = world.backup(BackupReason::Manual);
    assert_eq!(created.info.chats, 2);
    assert!(matches!(created.info.state, BackupState::Good { .. }), "{:?}", created.info.state);
    let name = created.info.name;
    assert_eq!(world.desk.verify(&name, &Unwatched).unwrap().name, name);

    add_chat(world.main(), 3, "three");
    world.main().write(|txn| chats::erase(txn, ProfileId(Uuid::from_u128(1)), ChatId(Uuid::from_u128(1)))).unwrap();
    chats::rename(world.main(), ProfileId(Uuid::from_u128(1)), ChatId(Uuid::from_u128(2)), "2".to_owned()).unwrap();
    put("credentials/one.sealed", "sealed anew");
    put("credentials/two.sealed", "later");
    put("notes/deep/a.md", "second");
    let preview = world.desk.preview(from(&name), &Unwatched).unwrap();
    let of = |kind| preview.differences.iter().find(|difference| difference.kind == kind).unwrap();
    let chats = of(DataKind::Chats);
    assert_eq!((chats.only_here, chats.only_there, chats.different), (1, 1, 1), "{chats:?}");
    assert_eq!(
        (&chats.here[..], &chats.there[..], &chats.both[..]),
        (&["three".to_owned()][..], &["one".to_owned()][..], &["2".to_owned()][..])
    );
    let credentials = of(DataKind::Credentials);
    assert_eq!((credentials.only_here, credentials.different), (1, 1));
    assert_eq!(of(DataKind::Notes).both, ["deep/a.md"]);
    assert_eq!(titles(world.main()), ["2", "three"]);
    assert!(!world.disk.exists(&Path::new(DATA).join("backup-working")));

    let before = world.main().last_change();
    assert_eq!(world.desk.replace(&from(&name), &Unwatched).unwrap().as_of, START);
    let (world, plan) = world.restart();
    let plan = plan.unwrap();
    assert_eq!(titles(world.main()), ["one", "two"]);
    assert!(world.main().last_change() > before, "no change number is used twice");
    let read = |name: &str| String::from_utf8(world.disk.read_all(&Path::new(DATA).join(name)).unwrap()).unwrap();
    assert_eq!(read("credentials/one.sealed"), "sealed");
    assert_eq!(read("notes/deep/a.md"), "first");
    assert!(!world.disk.exists(&Path::new(DATA).join("credentials/two.sealed")));
    assert_eq!(read("credentials/vault-0a.key"), "the key");
    let kept = format!("backups/{}", plan.replaced);
    assert_eq!(read(&format!("{kept}/credentials/two.sealed")), "later");
    assert_eq!(read(&format!("{kept}/credentials/one.sealed")), "sealed anew");
    assert!(world.disk.exists(&Path::new(DATA).join(kept).join("main.redb")));
    assert_eq!(take_note(&world.disk, Path::new(DATA)), Some(plan));
    assert_eq!(take_note(&world.disk, Path::new(DATA)), None);
    assert!(apply_pending(&world.disk, Path::new(DATA)).unwrap().is_none());
}

#[test]
fn credentials_that_could_not_be_opened_stay_in_the_backup() {
    let check = |there: Option<&str>, here: Option<&str>, key: bool, expected: &str| {
        let world = World::new(&[]);
        let folder = Path::new(DATA).join("credentials");
        world.disk.create_folder(&folder).unwrap();
        let put = |name: &str, text: &str| world.disk.put(&folder.join(name), text.as_bytes().to_vec());
        put("one.sealed", "then");
        if let Some(text) = there {
            put("vault.json", text);
        }
        let name = world.backup(BackupReason::Manual).info.name;
        put("one.sealed", "now");
        match here {
            Some(text) => put("vault.json", text),
            None => drop(world.disk.remove_file(&folder.join("vault.json"))),
        }
        if key {
            put("vault-0a.key", "the key");
        }
        world.desk.replace(&from(&name), &Unwatched).unwrap();
        let (world, _) = world.restart();
        let found = world.disk.read_all(&folder.join("one.sealed")).unwrap();
        assert_eq!(String::from_utf8(found).unwrap(), expected, "{there:?}, {here:?}, {key}");
        assert_eq!(world.disk.exists(&folder.join("vault-0a.key")), key);
    };
    let by_file = Some(r#"{"kept_under":{"key_file":{"id":"0a"}}}"#);
    let by_other = Some(r#"{"kept_under":{"key_file":{"id":"0b"}}}"#);
    let out = Some(r#"{"kept_under":{"key_file":{"id":"../0a"}}}"#);
    check(by_file, by_file, true, "then");
    check(by_other, by_file, true, "now");
    check(out, by_file, true, "now");
    check(by_file, by_file, false, "now");
    check(Some(PASSPHRASE), Some(PASSPHRASE), false, "then");
    check(Some(PASSPHRASE), by_file, true, "now");
    check(Some(PASSPHRASE), None, false, "then");
    check(None, Some(PASSPHRASE), false, "now");
}

#[test]
fn a_merge_adds_what_is_missing_and_keeps_the_present() {
    let world = World::new(&[]);
    add_chat(world.main(), 1, "one");
    add_chat(world.main(), 2, "two");
    let name = world.backup(BackupReason::Manual).info.name;
    world.main().write(|txn| chats::erase(txn, ProfileId(Uuid::from_u128(1)), ChatId(Uuid::from_u128(1)))).unwrap();
    chats::rename(world.main(), ProfileId(Uuid::from_u128(1)), ChatId(Uuid::from_u128(2)), "2".to_owned()).unwrap();
    add_chat(world.main(), 3, "three");
    let merged = world.desk.merge(&from(&name), &Unwatched).unwrap();
    let chats = merged.kinds.iter().find(|merged| merged.kind == DataKind::Chats).unwrap();
    assert_eq!((chats.added, chats.kept), (1, 1));
    assert_eq!(titles(world.main()), ["2", "one", "three"]);
    let again = world.desk.merge(&from(&name), &Unwatched).unwrap();
    assert!(again.kinds.iter().all(|merged| merged.added == 0), "{:?}", again.kinds);
}

#[test]
fn an_earlier_minute_comes_back_from_the_history() {
    let world = World::new(&[]);
    add_chat(world.main(), 1, "one");
    world.clock.advance_ms(120_000);
    let then = world.desk.options.clock.now();
    world.clock.advance_ms(120_000);
    add_chat(world.main(), 2, "two");
    let range = world.desk.history_range().unwrap().unwrap();
    assert!(range.oldest <= then && then <= range.newest, "{range:?}");
    let at = RestoreFrom::Time { at: then };
    let preview = world.desk.preview(at.clone(), &Unwatched).unwrap();
    assert_eq!(preview.differences.len(), 1);
    assert_eq!((preview.differences[0].only_here, preview.differences[0].only_there), (1, 0));
    let early = RestoreFrom::Time { at: Timestamp(START.0 - DAY) };
    assert!(world.desk.preview(early, &Unwatched).is_err());
    world.disk.put(&Path::new(DATA).join("settings.toml"), b"[ui]\n".to_vec());
    world.desk.replace(&at, &Unwatched).unwrap();
    let (world, _) = world.restart();
    assert_eq!(titles(world.main()), ["one"]);
    // Only the database has a history.
    assert!(world.disk.exists(&Path::new(DATA).join("settings.toml")));
}

#[test]
fn old_and_many_backups_go_but_never_the_newest_good_one() {
    let world = World::new(&[("backups.count", "3"), ("backups.days", "10")]);
    let mut names = Vec::new();
    for _ in 0..5 {
        names.push(world.backup(BackupReason::Daily).info.name);
        world.clock.advance_ms(DAY);
    }
    let listed = |world: &World| -> Vec<String> { world.desk.list().backups.into_iter().map(|b| b.name).collect() };
    let newest: Vec<String> = names[2..].iter().rev().cloned().collect();
    assert_eq!(listed(&world), newest);
    // All are too old, and the newest two are broken: the newest that is not stays.
    for name in &names[3..] {
        let path = world.desk.folder().join(name);
        let mut bytes = world.disk.read_all(&path).unwrap();
        bytes.truncate(40);
        world.disk.put(&path, bytes);
    }
    world.clock.advance_ms(100 * DAY);
    let prune = |days| {
        let (keep, checks) = (folder::Retention { count: 3, days }, folder::Checks::default());
        folder::prune(&world.disk, &world.desk.folder(), keep, &checks, world.desk.options.clock.now()).unwrap()
    };
    // A clock that is 100 days ahead of the last backup may be wrong: a week of it is believed.
    assert!(prune(10).is_empty());
    assert_eq!(prune(6).len(), 2);
    assert_eq!(listed(&world), [names[2].clone()]);
}

#[test]
fn the_first_backup_survives_a_power_cut_with_its_folder() {
    let world = World::new(&[("backups.folder", "/drive/deep/backups")]);
    world.disk.create_folder(Path::new("/drive")).unwrap();
    world.disk.sync_folder(Path::new("/")).unwrap();
    let path = world.backup(BackupReason::Manual).info.path;
    for seed in 0..50 {
        assert!(world.disk.after_power_cut(seed).exists(&path), "seed {seed}");
    }
}

#[test]
fn a_database_of_an_older_schema_is_backed_up_before_it_is_changed() {
    let make = |overrides: &[(&str, &str)]| {
        let disk = SimulatedDisk::new();
        disk.create_folder(Path::new(DATA)).unwrap();
        let clock = Arc::new(ManualClock::at(START));
        let old = Schema { version: 0, tables: tables::MAIN.tables, migrations: &[], tracking: Tracking::Off };
        let main = Db::open(&main_path(), &old, options(&disk, &clock)).unwrap();
        add_chat(&main, 1, "one");
        main.close();
        let bytes = disk.read_all(&main_path()).unwrap();
        let places = Places::find(&BTreeMap::new(), Some(Path::new(DATA)), None).unwrap();
        let overrides = overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let settings = Arc::new(Settings::load(&places, &BTreeMap::new(), &overrides, None).unwrap());
        let room = Arc::new(|_: &Path| u64::MAX);
        let (data, zone) = (PathBuf::from(DATA), jiff::tz::TimeZone::UTC);
        let desk = Desk { data, options: options(&disk, &clock), settings, main: None, room, zone };
        let made = before_migration(&desk);
        assert_eq!(disk.read_all(&main_path()).unwrap(), bytes, "it was not changed yet");
        (disk, clock, made)
    };
    let (disk, clock, made) = make(&[]);
    let name = made.unwrap().unwrap();
    assert!(name.ends_with("-migration.rspa-backup"), "{name}");
    let desk = desk_on(&disk, &clock, &[]);
    assert!(matches!(desk.verify(&name, &Unwatched).unwrap().state, BackupState::Good { .. }));
    assert_eq!(desk.preview(from(&name), &Unwatched).unwrap().differences, []);
    assert_eq!(before_migration(&desk), Ok(None));
    assert_eq!(make(&[("backups.before_migration", "false")]).2, Ok(None));
}

#[test]
fn a_second_folder_that_is_gone_is_told_and_stops_nothing() {
    let world = World::new(&[("backups.second_folder", "/drive/backups")]);
    let created = world.backup(BackupReason::Manual);
    let error = created.second.unwrap().unwrap_err();
    assert!(error.to_string().contains("/drive/backups") && error.to_string().contains("drive there"), "{error}");
    assert!(world.desk.list().second_problem.is_some());
    world.disk.create_folder(Path::new("/drive/backups")).unwrap();
    world.clock.advance_ms(1_000);
    let created = world.backup(BackupReason::Manual);
    assert_eq!(created.second, Some(Ok(())));
    assert!(created.info.copied && world.desk.list().second_problem.is_none());
    let (one, two) = (created.info.path.clone(), Path::new("/drive/backups").join(&created.info.name));
    assert_eq!(world.disk.read_all(&one).unwrap(), world.disk.read_all(&two).unwrap());
    world.desk.delete(&created.info.name).unwrap();
    assert!(!world.disk.exists(&one) && !world.disk.exists(&two));
    assert!(matches!(world.desk.delete("../main.redb"), Err(BackupError::NotFound(_))));
}

#[test]
fn a_disk_that_fails_leaves_no_half_backup_and_loses_none() {
    let world = World::new(&[]);
    for number in 0..40 {
        add_chat(world.main(), number, &format!("chat {number} {}", "x".repeat(1_000)));
    }
    let first = world.backup(BackupReason::Manual).info.name;
    world.clock.advance_ms(1_000);
    world.main().close();
    let base = world.disk.after_power_cut(0);
    let used: u64 = used(&base);
    let mut failures = 0;
    for more in (0..).map(|step| step * 20_000).take_while(|more| *more < 4_000_000) {
        let world = World::on(base.after_power_cut(0), &[]);
        world.clock.advance_ms(2_000);
        world.disk.set_faults(Faults { full_above: Some(used + more), ..Faults::default() });
        let result = world.desk.create(BackupReason::Manual, None, &Unwatched);
        let names: Vec<String> =
            world.disk.list(&world.desk.folder()).unwrap().iter().map(|p| p.display().to_string()).collect();
        assert!(!names.iter().any(|name| name.ends_with(".part")), "{names:?}");
        match result {
            Ok(_) => break,
            Err(error) => {
                failures += 1;
                assert!(error.to_string().contains("full"), "{error}");
                assert!(names.iter().any(|name| name.ends_with(&first)), "{names:?}");
                assert!(!world.disk.exists(&Path::new(DATA).join("backup-working")));
            }
        }
    }
    assert!(failures > 3, "{failures}");
    let world = World::on(base, &[]);
    world.disk.set_faults(Faults { read_only: true, ..Faults::default() });
    let error = world.desk.create(BackupReason::Manual, None, &Unwatched).err().unwrap();
    assert!(error.to_string().contains("read-only"), "{error}");
}

fn used(disk: &SimulatedDisk) -> u64 {
    let mut total = 0;
    let mut open = vec![PathBuf::from("/")];
    while let Some(folder) = open.pop() {
        for path in disk.list(&folder).unwrap() {
            match disk.len(&path) {
                Ok(length) => total += length,
                Err(_) => open.push(path),
            }
        }
    }
    total
}
