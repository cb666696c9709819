//! The frame through its one door: start, call, listen, shut down, start again.
#![allow(clippy::unwrap_used, reason = "all of this crate is a test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};

use rspa_core::api::request::settings::{ListSettings, ResetSetting, SetSetting};
use rspa_core::api::request::system::{
    CancelJob, GetNetworkStatus, GetOverview, GetUiState, ListFolder, ListJobs, ListLedger, PutUiState, RunDoctor,
};
use rspa_core::api::{Core, CoreOptions, ErrorCategory, Event, Heard, Role};
use rspa_core::clock::{ManualClock, SystemClock};
use rspa_core::model::{JobId, NetworkPolicy, PageRequest, SettingOrigin, SettingValue, Timestamp};

fn options(data: &Path) -> CoreOptions {
    CoreOptions {
        role: Role::Command,
        data_folder: Some(data.to_owned()),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: None,
        clock: Arc::new(ManualClock::at(Timestamp(1_760_000_000_000))),
        faults: None,
    }
}

#[test]
fn what_was_put_is_there_after_a_restart_and_the_profile_stays() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let profile = core.profile();
    core.call(PutUiState { name: "layout".to_owned(), text: "left".to_owned() }).wait().unwrap();
    core.shutdown();
    let core = Core::start(options(folder.path())).unwrap();
    assert_eq!(core.profile(), profile);
    assert_eq!(core.call(GetUiState { name: "layout".to_owned() }).wait().unwrap().as_deref(), Some("left"));
    assert_eq!(core.call(GetUiState { name: "other".to_owned() }).wait().unwrap(), None);
    let large = PutUiState { name: "layout".to_owned(), text: "x".repeat((1 << 20) + 1) };
    assert_eq!(core.call(large).wait().unwrap_err().category, ErrorCategory::Validation);
}

#[test]
fn listeners_hear_the_end_and_later_calls_fail() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let mut listener = core.subscribe();
    core.shutdown();
    let mut last = listener.next();
    while let Heard::Event(envelope) = last {
        assert!(matches!(envelope.event, Event::ShuttingDown));
        last = listener.next();
    }
    assert!(matches!(last, Heard::Closed));
    assert!(core.call(ListJobs {}).wait().is_err());
}

#[test]
fn a_reply_wakes_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let (sender, woken) = mpsc::channel();
    core.set_waker(Arc::new(move || sender.send(()).unwrap_or_default()));
    let mut pending = core.call(ListFolder { path: Some(folder.path().to_owned()), show_hidden: true });
    let listing = loop {
        woken.recv().unwrap();
        if let Some(reply) = pending.poll_now() {
            break reply.unwrap();
        }
    };
    assert!(listing.entries.iter().any(|entry| entry.name == "main.redb"));
}

#[test]
fn starting_on_an_existing_folder_is_quick() {
    let folder = tempfile::tempdir().unwrap();
    Core::start(options(folder.path())).unwrap().shutdown();
    let begun = std::time::Instant::now();
    let core = Core::start(CoreOptions { clock: Arc::new(SystemClock), ..options(folder.path()) }).unwrap();
    let took = begun.elapsed();
    drop(core);
    println!("start: {took:?}");
    assert!(took.as_millis() < 500, "{took:?}");
}

/// The next event that `wanted` takes something from.
fn hear<T>(listener: &mut rspa_core::api::Subscription, wanted: impl Fn(Event) -> Option<T>) -> T {
    loop {
        match listener.next() {
            Heard::Event(envelope) => {
                if let Some(found) = wanted(envelope.event) {
                    return found;
                }
            }
            other => panic!("{other:?} before the event"),
        }
    }
}

#[test]
fn a_setting_is_told_kept_and_reset() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let mut listener = core.subscribe();
    let dark = SettingValue::Text("dark".to_owned());
    let entry = core.call(SetSetting { key: "ui.theme".to_owned(), value: dark.clone() }).wait().unwrap();
    assert_eq!((entry.value, entry.origin), (dark.clone(), SettingOrigin::File));
    let told = hear(&mut listener, |event| match event {
        Event::SettingChanged { entry } => Some(entry),
        _ => None,
    });
    assert_eq!((told.key.as_str(), &told.value), ("ui.theme", &dark));
    core.shutdown();
    let core = Core::start(options(folder.path())).unwrap();
    let theme = |core: &Core| {
        let entries = core.call(ListSettings {}).wait().unwrap();
        entries.into_iter().find(|entry| entry.key == "ui.theme").unwrap()
    };
    assert_eq!(theme(&core).value, dark);
    let changed = core.call(ResetSetting { key: None }).wait().unwrap();
    assert_eq!(changed.len(), 1);
    assert_eq!(theme(&core).origin, SettingOrigin::Default);
    let pink = SetSetting { key: "ui.theme".to_owned(), value: SettingValue::Text("pink".to_owned()) };
    assert_eq!(core.call(pink).wait().unwrap_err().category, ErrorCategory::Validation);
}

#[test]
fn the_window_follows_an_edited_settings_file() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(CoreOptions { role: Role::Window, ..options(folder.path()) }).unwrap();
    let mut listener = core.subscribe();
    std::fs::write(folder.path().join("settings.toml"), "[ui]\nzoom = 1.5\n").unwrap();
    let entry = hear(&mut listener, |event| match event {
        Event::SettingChanged { entry } => Some(entry),
        _ => None,
    });
    assert_eq!((entry.key.as_str(), entry.value), ("ui.zoom", SettingValue::Number(1.5)));
}

#[test]
fn the_overview_and_the_network_begin_at_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let overview = core.call(GetOverview { days: 7 }).wait().unwrap();
    assert_eq!((overview.sources, overview.chats, overview.questions_per_day.len()), (0, 0, 7));
    assert_eq!(overview.data_folder, folder.path());
    assert!(overview.memory_bytes > 0 && overview.memory_total_bytes > overview.memory_bytes);
    assert!(overview.data_bytes > 0 && overview.disk_free_bytes > 0);
    let status = core.call(GetNetworkStatus {}).wait().unwrap();
    assert_eq!((status.policy, status.requests_allowed, status.requests_blocked), (NetworkPolicy::Nothing, 0, 0));
    assert_eq!(core.call(ListLedger { page: PageRequest::default() }).wait().unwrap().total, 0);
    let nobody = JobId(uuid::Uuid::from_u128(1));
    assert!(core.call(CancelJob { id: nobody }).wait().is_err());
}

#[test]
fn the_doctor_names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let check = |core: &Core, name: &str| {
        let report = core.call(RunDoctor {}).wait().unwrap();
        report.checks.into_iter().find(|check| check.name == name).unwrap_or_else(|| panic!("a check of {name}"))
    };
    for name in ["data folder", "databases", "settings", "network", "built-in embedder", "logs", "workers"] {
        let check = check(&core, name);
        assert!(check.ok, "{name}: {}", check.detail);
    }
    core.shutdown();
    std::fs::write(folder.path().join("settings.toml"), "[ui]\nzoom = 50\n").unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let settings = check(&core, "settings");
    assert!(!settings.ok && settings.detail.contains("settings.toml:2"), "{}", settings.detail);
    assert!(!core.call(RunDoctor {}).wait().unwrap().ok);
}

#[test]
fn logs_reach_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let core = Core::start(options(folder.path())).unwrap();
    let zoom = SetSetting { key: "ui.zoom".to_owned(), value: SettingValue::Number(1.1) };
    core.call(zoom).wait().unwrap();
    core.shutdown();
    let log = std::fs::read_to_string(folder.path().join("logs/rs_pa.log")).unwrap();
    assert!(log.contains("a setting changed key=ui.zoom"), "{log}");
}

#[test]
fn a_folder_that_cannot_be_used_is_explained_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, b"mine").unwrap();
    let error = Core::start(options(&file)).err().unwrap();
    assert_eq!(error.category, ErrorCategory::Storage);
    assert!(error.message.contains("a file") && error.advice.contains("--data-dir"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");

    std::fs::write(folder.path().join("main.redb"), b"no database at all").unwrap();
    let error = Core::start(options(folder.path())).err().unwrap();
    assert_eq!(error.category, ErrorCategory::Storage);
    assert!(error.message.contains("main.redb is damaged") && error.advice.contains("was kept"), "{error}");
    assert_eq!(std::fs::read(folder.path().join("main.redb")).unwrap(), b"no database at all");
}

#[test]
fn a_wrong_setting_on_the_command_line_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let overrides = BTreeMap::from([("ui.zoom".to_owned(), "huge".to_owned())]);
    let error = Core::start(CoreOptions { overrides, ..options(folder.path()) }).err().unwrap();
    assert_eq!(error.category, ErrorCategory::Validation);
    assert!(error.message.contains("ui.zoom on the command line"), "{error}");
}
