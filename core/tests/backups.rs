//! Backups through core's one door: made while others write, previewed, restored, merged, and back to a minute.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail like the test itself")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rspa_core::api::request::backups::{
    CreateBackup, DeleteBackup, GetHistoryRange, ListBackups, PreviewRestore, RestoreBackup, VerifyBackup,
};
use rspa_core::api::request::chats::{CreateChat, DeleteChat, ListChats, RenameChat};
use rspa_core::api::request::knowledge::{AddSource, ListSources, RemoveSource, Search, WaitFor, WaitForSource};
use rspa_core::api::request::settings::SetSetting;
use rspa_core::api::request::system::RunDoctor;
use rspa_core::api::{Core, CoreOptions, ErrorCategory, Event, Heard, OfflineBackups, Role};
use rspa_core::clock::{Clock, ManualClock, SystemClock};
use rspa_core::model::{
    BackupReason, BackupState, DataKind, RestoreFrom, RestoreMode, RestorePreview, Restored, SearchQuery, SettingValue,
    Timestamp,
};

fn options(data: &Path, clock: Arc<dyn Clock>, role: Role) -> CoreOptions {
    CoreOptions {
        role,
        data_folder: Some(data.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: None,
        faults: None,
        clock,
    }
}

fn start(data: &Path) -> Core {
    Core::start(options(data, Arc::new(SystemClock), Role::Command)).unwrap()
}

fn chat(core: &Core, title: &str) -> rspa_core::model::Chat {
    core.call(CreateChat { title: title.to_owned() }).wait().unwrap()
}

fn titles(core: &Core) -> Vec<String> {
    let mut titles: Vec<String> =
        core.call(ListChats {}).wait().unwrap().into_iter().map(|summary| summary.chat.title).collect();
    titles.sort();
    titles
}

fn backup(core: &Core) -> RestoreFrom {
    RestoreFrom::Backup { name: core.call(CreateBackup { to: None }).wait().unwrap().name }
}

fn preview(core: &Core, from: &RestoreFrom) -> RestorePreview {
    core.call(PreviewRestore { from: from.clone() }).wait().unwrap()
}

fn restore(core: &Core, from: &RestoreFrom, mode: RestoreMode) -> Restored {
    core.call(RestoreBackup { from: from.clone(), mode }).wait().unwrap()
}

fn found(core: &Core, text: &str) -> usize {
    let query = SearchQuery { text: text.to_owned(), ..SearchQuery::default() };
    let hits = core.call(Search { query }).wait().unwrap().hits;
    hits.iter().filter(|hit| hit.passage.text.contains(text)).count()
}

fn notes(data: &Path, name: &str, word: &str) -> PathBuf {
    let folder = data.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("note.md"), format!("# Note\n\nThe {word} stands in the hall.\n")).unwrap();
    folder
}

#[test]
fn a_backup_made_under_load_holds_all_that_was_confirmed_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (core, stop) = (core.clone(), stop.clone());
        std::thread::spawn(move || {
            let mut number = 0;
            while !stop.load(Ordering::SeqCst) {
                chat(&core, &format!("load {number}"));
                number += 1;
            }
            number
        })
    };
    for number in 0..20 {
        chat(&core, &format!("before {number}"));
    }
    let from = backup(&core);
    let RestoreFrom::Backup { name } = &from else { panic!("a name") };
    for number in 0..5 {
        chat(&core, &format!("after {number}"));
    }
    stop.store(true, Ordering::SeqCst);
    assert!(writer.join().unwrap() > 0);
    let verified = core.call(VerifyBackup { name: name.clone() }).wait().unwrap();
    assert!(matches!(verified.state, BackupState::Good { .. }), "{verified:?}");
    assert!(verified.chats >= 20, "{verified:?}");
    restore(&core, &from, RestoreMode::Replace);
    core.restart().unwrap();
    let titles = titles(&core);
    assert_eq!(titles.len() as u64, verified.chats);
    assert_eq!(titles.iter().filter(|title| title.starts_with("before")).count(), 20);
    assert!(!titles.iter().any(|title| title.starts_with("after")));
    // The state before is there to go back to.
    let list = core.call(ListBackups {}).wait().unwrap();
    assert_eq!(list.backups[0].reason, BackupReason::Restore);
    assert!(list.backups[0].chats > verified.chats);
}

#[test]
fn after_a_restore_search_finds_what_the_restored_sources_hold_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path(), Arc::new(SystemClock), Role::Window)).unwrap();
    let (clock, lamp) = (notes(folder.path(), "first", "quartz clock"), notes(folder.path(), "second", "brass lamp"));
    let add = |core: &Core, path: &Path| {
        let id = core.call(AddSource { path: path.to_owned() }).wait().unwrap().source.id;
        core.call(WaitForSource { id, until: WaitFor::Searchable }).wait().unwrap();
        id
    };
    let first = add(&core, &clock);
    assert_eq!(found(&core, "quartz clock"), 1);
    let from = backup(&core);
    core.call(RemoveSource { id: first }).wait().unwrap();
    add(&core, &lamp);
    std::fs::write(clock.join("more.md"), "A walnut desk came later.\n").unwrap();
    assert_eq!((found(&core, "quartz clock"), found(&core, "brass lamp")), (0, 1));
    let seen = preview(&core, &from);
    let sources = seen.differences.iter().find(|difference| difference.kind == DataKind::Sources).unwrap();
    assert_eq!((&sources.there[..], &sources.here[..]), (&["first".to_owned()][..], &["second".to_owned()][..]));

    let mut listener = core.subscribe();
    let restored = restore(&core, &from, RestoreMode::Replace);
    assert!(matches!(restored, Restored::Prepared { .. }), "{restored:?}");
    loop {
        let Heard::Event(envelope) = listener.next() else { panic!("no restart was asked for") };
        if matches!(envelope.event, Event::RestartNeeded { .. }) {
            break;
        }
    }
    core.restart().unwrap();
    let mut sources = core.call(ListSources {}).wait().unwrap();
    sources.retain(|status| !status.source.kind.is_built_in());
    assert_eq!(sources.len(), 1);
    assert_eq!(sources[0].source.id, first);
    core.call(WaitForSource { id: first, until: WaitFor::Searchable }).wait().unwrap();
    assert_eq!((found(&core, "quartz clock"), found(&core, "brass lamp"), found(&core, "walnut desk")), (1, 0, 1));
    core.shutdown();
}

#[test]
fn a_merge_brings_back_what_is_missing_and_leaves_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let (gone, changed) = (chat(&core, "gone"), chat(&core, "as it was"));
    let path = notes(folder.path(), "first", "quartz clock");
    let source = core.call(AddSource { path }).wait().unwrap().source.id;
    core.call(WaitForSource { id: source, until: WaitFor::Searchable }).wait().unwrap();
    let zoom = |value| SetSetting { key: "ui.zoom".to_owned(), value: SettingValue::Number(value) };
    core.call(zoom(1.5)).wait().unwrap();
    let from = backup(&core);
    core.call(DeleteChat { chat: gone.id }).wait().unwrap();
    core.call(RenameChat { chat: changed.id, title: "as it is".to_owned() }).wait().unwrap();
    core.call(RemoveSource { id: source }).wait().unwrap();
    chat(&core, "new");
    let Restored::Merged { kinds, .. } = restore(&core, &from, RestoreMode::Merge) else { panic!("merged") };
    let of = |kind| kinds.iter().find(|merged| merged.kind == kind).map(|merged| (merged.added, merged.kept));
    assert_eq!(of(DataKind::Chats), Some((1, 1)));
    assert_eq!(of(DataKind::Sources), Some((1, 0)));
    assert_eq!(titles(&core), ["as it is", "gone", "new"]);
    core.call(WaitForSource { id: source, until: WaitFor::Searchable }).wait().unwrap();
    assert_eq!(found(&core, "quartz clock"), 1);
    assert!(preview(&core, &from).differences.iter().all(|difference| difference.only_there == 0));
}

#[test]
fn an_earlier_minute_can_be_looked_at_and_gone_back_to() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1_763_600_000_000)));
    let core = Core::start(options(folder.path(), clock.clone(), Role::Command)).unwrap();
    chat(&core, "early");
    clock.advance_ms(120_000);
    let then = clock.now();
    clock.advance_ms(120_000);
    chat(&core, "late");
    let range = core.call(GetHistoryRange {}).wait().unwrap().unwrap();
    assert!(range.oldest <= then && then <= range.newest, "{range:?}");
    let from = RestoreFrom::Time { at: then };
    assert_eq!(preview(&core, &from).differences.iter().find(|d| d.kind == DataKind::Chats).unwrap().here, ["late"]);
    restore(&core, &from, RestoreMode::Replace);
    core.restart().unwrap();
    assert_eq!(titles(&core), ["early"]);
    let too_early = RestoreFrom::Time { at: Timestamp(range.oldest.0 - 3_600_000) };
    assert_eq!(core.call(PreviewRestore { from: too_early }).wait().unwrap_err().category, ErrorCategory::Validation);
}

#[test]
fn a_file_that_is_no_backup_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    chat(&core, "mine");
    let elsewhere = folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let made = core.call(CreateBackup { to: Some(elsewhere.clone()) }).wait().unwrap();
    assert_eq!(made.path.parent().unwrap(), elsewhere);
    let mut bytes = std::fs::read(&made.path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    let broken = folder.path().join("broken.rspa-backup");
    std::fs::write(&broken, &bytes).unwrap();
    for path in [broken, folder.path().join("none"), PathBuf::from("relative"), folder.path().to_owned()] {
        let from = RestoreFrom::File { path: path.clone() };
        let error = core.call(PreviewRestore { from: from.clone() }).wait().unwrap_err();
        assert!(!error.advice.is_empty(), "{}: {error}", path.display());
        assert!(core.call(RestoreBackup { from, mode: RestoreMode::Replace }).wait().is_err());
    }
    core.restart().unwrap();
    assert_eq!(titles(&core), ["mine"]);
    let good = RestoreFrom::File { path: made.path };
    assert!(preview(&core, &good).differences.iter().all(|d| d.kind != DataKind::Chats));
    assert!(core.call(DeleteBackup { name: "../main.redb".to_owned() }).wait().is_err());
}

#[test]
fn the_doctor_looks_at_the_newest_backup() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let check = |core: &Core, name: &str| {
        let report = core.call(RunDoctor {}).wait().unwrap();
        report.checks.into_iter().find(|check| check.name == name).unwrap_or_else(|| panic!("a check of {name}"))
    };
    assert!(check(&core, "backups").ok);
    let away = SettingValue::Text(folder.path().join("away").display().to_string());
    core.call(SetSetting { key: "backups.second_folder".to_owned(), value: away }).wait().unwrap();
    let made = core.call(CreateBackup { to: None }).wait().unwrap();
    let line = check(&core, "backups");
    assert!(line.ok && line.detail.contains("1 backup, the newest is 0 hours old and verified"), "{}", line.detail);
    assert!(!check(&core, "second backup folder").ok);
    let bytes = std::fs::read(&made.path).unwrap();
    std::fs::write(&made.path, &bytes[..bytes.len() / 2]).unwrap();
    let line = check(&core, "backups");
    assert!(!line.ok && line.detail.contains("cannot be used"), "{}", line.detail);
}

#[test]
fn a_damaged_database_gives_way_to_a_backup() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    chat(&core, "mine");
    let from = backup(&core);
    assert!(OfflineBackups::open(&options(folder.path(), Arc::new(SystemClock), Role::Command)).is_err(), "in use");
    core.shutdown();
    drop(core);
    let main = folder.path().join("data/main.redb");
    std::fs::write(&main, b"nothing that could be read").unwrap();
    let options = || options(folder.path(), Arc::new(SystemClock), Role::Command);
    assert_eq!(Core::start(options()).err().unwrap().category, ErrorCategory::Storage);
    let offline = OfflineBackups::open(&options()).unwrap();
    assert_eq!(offline.list().backups.len(), 1);
    let seen = offline.preview(from.clone()).unwrap();
    assert_eq!(seen.differences.iter().find(|d| d.kind == DataKind::Chats).unwrap().there, ["mine"]);
    offline.restore(&from).unwrap();
    let core = Core::start(options()).unwrap();
    assert_eq!(titles(&core), ["mine"]);
    let kept: Vec<PathBuf> = std::fs::read_dir(folder.path().join("data/backups"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(std::fs::read(kept[0].join("main.redb")).unwrap(), b"nothing that could be read");
}
