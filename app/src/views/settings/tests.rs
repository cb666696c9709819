//! Tests of the settings page by accessible label.

use egui_kittest::kittest::{NodeT, Queryable};
use rspa_core::model::{SettingChange, SettingEntry, SettingKind, SettingOrigin, SettingValue, SettingsImport};

use super::SettingsView;
use crate::commands::{PickPurpose, UiCommand};
use crate::fixtures::{self, page};
use crate::state::{AppState, Slot};

const WIDE: (f32, f32) = (1096.0, 774.0);

fn entry(key: &str, label: &str, kind: SettingKind, value: SettingValue) -> SettingEntry {
    SettingEntry {
        key: key.into(),
        group: key.split('.').next().unwrap().into(),
        label: label.into(),
        description: format!("About {label}."),
        kind,
        default: value.clone(),
        value,
        origin: SettingOrigin::Default,
        place: None,
        needs_restart: false,
        waiting_for_restart: false,
        problem: None,
        held: None,
    }
}

fn state() -> AppState {
    let mut state = fixtures::state();
    let text = |text: &str| SettingValue::Text(text.into());
    let policy = SettingEntry {
        held: Some(text("all")),
        problem: Some("settings.toml:2: network.policy was changed to \"all\" while rspa runs".into()),
        origin: SettingOrigin::File,
        place: Some("settings.toml:2".into()),
        ..entry("network.policy", "Network", SettingKind::Choice(vec!["nothing".into(), "all".into()]), text("nothing"))
    };
    let files = SettingEntry {
        value: SettingValue::Integer(9),
        waiting_for_restart: true,
        needs_restart: true,
        origin: SettingOrigin::File,
        place: Some("settings.toml:5".into()),
        ..entry("logging.files", "Log files", SettingKind::Integer { min: 1, max: 100 }, SettingValue::Integer(5))
    };
    state.settings = Slot::with(vec![policy, files, entry("backups.folder", "Folder", SettingKind::Path, text(""))]);
    state
}

#[test]
fn what_waits_is_said_and_can_be_allowed() {
    let mut harness = page::<SettingsView>(state(), WIDE, true);
    harness.run();
    assert!(harness.query_by_label_contains("1 setting takes effect when").is_some());
    assert!(harness.query_by_label_contains("default: 5").is_some());
    harness.get_by_label("Allow it").click();
    harness.run();
    assert_eq!(harness.state().commands, [UiCommand::AcceptSetting("network.policy".into())]);
}

#[test]
fn a_path_is_picked_and_a_group_is_reset() {
    let mut harness = page::<SettingsView>(state(), WIDE, false);
    harness.run();
    harness.get_by_label("Choose the folder of Folder").click();
    harness.run();
    let pick = UiCommand::Pick(PickPurpose::SettingFolder("backups.folder".into()));
    assert_eq!(harness.state().commands.last(), Some(&pick));
    harness.get_all_by_label("Reset this group").last().unwrap().click();
    harness.run();
    let Some(UiCommand::Confirm(question)) = harness.state().commands.last() else { panic!("a question") };
    assert_eq!(*question.then, UiCommand::ResetSetting(Some("logging".into())));
}

#[test]
fn an_import_is_shown_before_it_is_made() {
    let mut state = state();
    let change = SettingChange {
        key: "ui.zoom".into(),
        label: "Zoom".into(),
        from: SettingValue::Number(1.0),
        to: SettingValue::Number(2.0),
        needs_restart: false,
    };
    let import = SettingsImport { changes: vec![change], ..SettingsImport::default() };
    state.pages.settings.import = Some(("/tmp/mine.toml".into(), import.clone()));
    let mut harness = page::<SettingsView>(state, WIDE, true);
    harness.run();
    assert!(harness.query_by_label("1 → 2").is_some());
    harness.get_by_label("Import 1 setting").click();
    harness.run();
    assert_eq!(harness.state().commands, [UiCommand::ImportSettings("/tmp/mine.toml".into())]);
    // With a problem there is nothing to say yes to.
    let wrong = SettingsImport { problems: vec!["mine.toml:3: 99 is not between 0.5 and 3".into()], ..import };
    harness.state_mut().state.pages.settings.import = Some(("/tmp/mine.toml".into(), wrong));
    harness.run();
    assert!(harness.query_by_label_contains("mine.toml:3").is_some());
    assert!(harness.get_by_label("Import 1 setting").accesskit_node().is_disabled());
    harness.get_by_label("Cancel").click();
    harness.run();
    assert_eq!(harness.state().commands.last(), Some(&UiCommand::LeaveImport));
}
