//! A clock that is set back and forward over the whole core: nothing is removed too early, nothing is lost, and no lockout
//! ends by setting the clock back.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail like the test itself")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rspa_core::api::request::activities::{CleanUp, ListActivities};
use rspa_core::api::request::backups::{CreateBackup, GetHistoryRange, ListBackups};
use rspa_core::api::request::chats::{CreateChat, DeleteChat, ListChats};
use rspa_core::api::request::credentials::{SetCredential, SetPassphrase, UnlockVault};
use rspa_core::api::request::settings::SetSetting;
use rspa_core::api::request::trash::{ListTrash, RestoreTrashed};
use rspa_core::api::{Core, CoreOptions, Role};
use rspa_core::clock::ManualClock;
use rspa_core::model::{ActivityFilter, PageRequest, SecretText, SettingValue, Timestamp};

const START: i64 = 1_763_600_000_000;
const DAY: i64 = 86_400_000;
const YEAR: i64 = 365 * DAY;

fn start(data: &Path, clock: &Arc<ManualClock>) -> Core {
    Core::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(data.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: None,
        faults: None,
        clock: clock.clone(),
    })
    .unwrap()
}

fn titles(core: &Core) -> Vec<String> {
    let mut titles: Vec<String> =
        core.call(ListChats {}).wait().unwrap().into_iter().map(|summary| summary.chat.title).collect();
    titles.sort();
    titles
}

/// All that is known of what happened until a moment, by title.
fn happened(core: &Core, until: Timestamp) -> Vec<String> {
    let filter = ActivityFilter { until: Some(until), ..ActivityFilter::default() };
    let page = PageRequest { offset: 0, limit: 1_000 };
    core.call(ListActivities { filter, page }).wait().unwrap().items.into_iter().map(|item| item.title).collect()
}

#[test]
fn a_clock_that_jumps_and_comes_back_removes_nothing() {
    for jump in [-DAY, -YEAR, -54 * YEAR, -START, DAY, YEAR, 100 * YEAR] {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp(START)));
        let core = start(folder.path(), &clock);
        core.call(CleanUp {}).wait().unwrap();
        let chat = |title: &str| core.call(CreateChat { title: title.to_owned() }).wait().unwrap();
        chat("kept");
        let trashed = chat("trashed").id;
        core.call(DeleteChat { chat: trashed }).wait().unwrap();
        let before = core.call(CreateBackup { to: None }).wait().unwrap().name;
        let then = Timestamp(START + 1);
        let known = happened(&core, then);
        assert!(!known.is_empty());

        clock.advance_ms(jump);
        // Whether it says that the clock looks wrong or finds nothing to do.
        drop(core.call(CleanUp {}).wait());
        core.restart().unwrap();
        chat("meanwhile");
        core.call(CreateBackup { to: None }).wait().unwrap();
        drop(core.call(CleanUp {}).wait());
        clock.advance_ms(-jump);
        core.restart().unwrap();
        drop(core.call(CleanUp {}).wait());
        core.call(CreateBackup { to: None }).wait().unwrap();

        assert_eq!(titles(&core), ["kept", "meanwhile"], "{jump}");
        let trash = core.call(ListTrash { page: PageRequest::default() }).wait().unwrap().items;
        assert_eq!(trash.iter().map(|item| item.title.as_str()).collect::<Vec<_>>(), ["trashed"], "{jump}");
        core.call(RestoreTrashed { id: trash[0].id }).wait().unwrap();
        assert_eq!(titles(&core), ["kept", "meanwhile", "trashed"], "{jump}");
        let still = happened(&core, then);
        assert!(known.iter().all(|title| still.contains(title)), "{jump}: {known:?}, then {still:?}");
        let backups = core.call(ListBackups {}).wait().unwrap().backups;
        assert!(backups.iter().any(|backup| backup.name == before), "{jump}: {before} is gone");
    }
}

#[test]
fn what_is_old_goes_when_the_clock_simply_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(START)));
    let core = start(folder.path(), &clock);
    let chat = core.call(CreateChat { title: "trashed".to_owned() }).wait().unwrap().id;
    core.call(DeleteChat { chat }).wait().unwrap();
    for day in 0..32 {
        let left = core.call(ListTrash { page: PageRequest::default() }).wait().unwrap().items.len();
        assert_eq!(left, 1, "{day}");
        core.call(CleanUp {}).wait().unwrap();
        clock.advance_ms(DAY);
    }
    assert!(core.call(ListTrash { page: PageRequest::default() }).wait().unwrap().items.is_empty());
}

#[test]
fn a_lockout_outlasts_a_clock_that_is_set_back() {
    for jump in [-DAY, -YEAR, -START] {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp(START)));
        let core = start(folder.path(), &clock);
        let text = |text: &str| SecretText::new(text.to_owned());
        let once = SettingValue::Integer(1);
        core.call(SetSetting { key: "security.max_failed_attempts".to_owned(), value: once }).wait().unwrap();
        let (service, label, secret) = ("openai".to_owned(), String::new(), text("a-key"));
        core.call(SetCredential { service, label, secret, base_url: None, expires: None }).wait().unwrap();
        core.call(SetPassphrase { old: None, new: Some(text("correct horse battery")) }).wait().unwrap();
        let unlock = |with: &str| core.call(UnlockVault { passphrase: text(with) }).wait();
        assert!(unlock("wrong").is_err());
        assert!(unlock("correct horse battery").is_err(), "locked out");
        clock.advance_ms(jump);
        assert!(unlock("correct horse battery").is_err(), "{jump}");
        core.restart().unwrap();
        assert!(unlock("correct horse battery").is_err(), "{jump}, after a restart");
        clock.advance_ms(-jump);
        assert!(unlock("correct horse battery").is_err(), "{jump} and back");
    }
}

#[test]
fn the_history_is_kept_as_the_settings_say_at_once_and_no_start_prunes_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(START)));
    let core = start(folder.path(), &clock);
    let range = |core: &Core| core.call(GetHistoryRange {}).wait().unwrap();
    let days = |core: &Core, days| {
        let value = SettingValue::Integer(days);
        core.call(SetSetting { key: "database.history_days".to_owned(), value }).wait().unwrap();
        core.call(CreateChat { title: format!("{days} days") }).wait().unwrap();
    };
    core.call(CreateChat { title: "first".to_owned() }).wait().unwrap();
    let first = range(&core).unwrap().oldest;
    clock.advance_ms(YEAR);
    core.restart().unwrap();
    core.call(CreateChat { title: "in a year".to_owned() }).wait().unwrap();
    assert_eq!(range(&core).unwrap().oldest, first);
    days(&core, 0);
    assert_eq!(range(&core), None);
    core.restart().unwrap();
    core.call(CreateChat { title: "unseen".to_owned() }).wait().unwrap();
    assert_eq!(range(&core), None);
    days(&core, 7);
    assert!(range(&core).is_some());
}
