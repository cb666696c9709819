//! A question of another process: said in full, refused by every key that is pressed without thought, allowed only by a
//! deliberate yes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use egui::Key;
use egui_kittest::kittest::Queryable;
use rspa_app::shell::Shell;
use rspa_core::api::request::settings::SetSetting;
use rspa_core::api::{ApiError, Core, CoreOptions, ErrorCategory, Pending, Role};
use rspa_core::clock::SystemClock;
use rspa_core::model::{SettingEntry, SettingValue};

use crate::support::{Window, clock, of};

fn core(folder: &Path, role: Role) -> Core {
    let text = folder.display().to_string();
    Core::start(CoreOptions {
        role,
        data_folder: Some(folder.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), text.clone()), ("XDG_RUNTIME_DIR".to_owned(), text)]),
        console_level: None,
        chat_model: None,
        faults: None,
        clock: Arc::new(SystemClock),
    })
    .unwrap()
}

/// A window over a real core, and a command that uses it.
fn window_and_command(folder: &Path) -> (Window, Core) {
    let owner = core(folder, Role::Window);
    let command = core(folder, Role::Command);
    (of(Shell::with_core(&egui::Context::default(), owner, clock()), [1280.0, 800.0]), command)
}

/// Asks for something that only the person may allow, and draws until the window asks.
fn ask(window: &mut Window, command: &Core) -> Pending<SettingEntry> {
    let value = SettingValue::Text("all".to_owned());
    let pending = command.call(SetSetting { key: "network.policy".to_owned(), value });
    while window.query_by_label("Another program asks").is_none() {
        window.step();
    }
    pending
}

/// Draws until the reply is there.
fn reply(window: &mut Window, mut pending: Pending<SettingEntry>) -> Result<SettingEntry, ApiError> {
    loop {
        window.step();
        if let Some(reply) = pending.poll_now() {
            return reply;
        }
    }
}

#[test]
fn who_asks_and_what_will_happen_is_said_and_keys_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let (mut window, command) = window_and_command(folder.path());
    for key in [Key::Enter, Key::Escape, Key::Space] {
        let pending = ask(&mut window, &command);
        window.get_by_label_contains("network.policy");
        window.get_by_label_contains(&format!("process {}", std::process::id()));
        while !window.get_by_label("Refuse").is_focused() {
            window.step();
        }
        window.key_press(key);
        let refused = reply(&mut window, pending).unwrap_err();
        assert_eq!(refused.category, ErrorCategory::Authorisation, "{key:?}");
        assert!(window.query_by_label("Another program asks").is_none());
    }
}

#[test]
fn a_click_that_was_meant_for_something_else_allows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut window, command) = window_and_command(folder.path());
    let mut pending = ask(&mut window, &command);
    window.get_by_label("Allow").click();
    window.step();
    window.step();
    window.get_by_label("Another program asks");
    assert!(pending.poll_now().is_none());
    // After a moment it can be allowed.
    for _ in 0..90 {
        window.step();
    }
    window.get_by_label("Allow").click();
    let entry = reply(&mut window, pending).unwrap();
    assert_eq!(entry.value, SettingValue::Text("all".to_owned()));
}

#[test]
fn a_question_goes_with_whoever_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (mut window, command) = window_and_command(folder.path());
    let pending = ask(&mut window, &command);
    drop(pending);
    while window.query_by_label("Another program asks").is_some() {
        window.step();
    }
}
