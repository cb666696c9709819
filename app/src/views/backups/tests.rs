//! Tests of the backups page by accessible label: list, actions, preview, going back to a minute, empty and failed.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use rspa_core::api::ApiError;
use rspa_core::model::*;

use super::BackupsView;
use crate::commands::UiCommand;
use crate::commands::pages::backups::BackupsCommand;
use crate::fixtures::{self, NOW, page};
use crate::state::{AppState, Slot};

const SIZE: (f32, f32) = (1096.0, 774.0);
const HOUR: i64 = 3_600_000;

type Shown = Harness<'static, fixtures::Stage<BackupsView>>;

fn backup(hours: i64, reason: BackupReason, state: BackupState) -> BackupInfo {
    BackupInfo {
        name: format!("{hours}-{}.rspa-backup", reason.name()),
        path: "/home/ada/backups".into(),
        made: Timestamp(NOW.0 - hours * HOUR),
        reason,
        size_bytes: 1_400_000,
        program: "1.0".into(),
        profiles: vec!["Personal".into(), "Work".into()],
        chats: 12,
        messages: 96,
        sources: 3,
        state,
        copied: hours < 24,
    }
}

fn list() -> BackupList {
    BackupList {
        folder: "/home/ada/.local/share/RSPersonalAgent/backups".into(),
        second_folder: Some("/media/drive/backups".into()),
        second_problem: None,
        backups: vec![
            backup(2, BackupReason::Manual, BackupState::Good { verified: Timestamp(NOW.0 - 2 * HOUR) }),
            backup(30, BackupReason::Daily, BackupState::Unknown),
            backup(54, BackupReason::Restore, BackupState::Bad { why: "it is cut off".into() }),
        ],
        next_daily: Some(Timestamp(NOW.0 + 9 * HOUR)),
        problem: None,
    }
}

fn setting((key, (kind, value)): (&str, (SettingKind, SettingValue))) -> SettingEntry {
    SettingEntry {
        key: key.into(),
        group: "backups".into(),
        label: key.into(),
        description: String::new(),
        kind,
        default: value.clone(),
        value,
        origin: SettingOrigin::Default,
        place: None,
        waiting_for_restart: false,
        held: None,
        needs_restart: false,
        problem: None,
    }
}

fn state() -> AppState {
    let mut state = fixtures::state();
    let whole = |n| (SettingKind::Integer { min: 0, max: 999 }, SettingValue::Integer(n));
    let daily = ("backups.daily", (SettingKind::Bool, SettingValue::Bool(true)));
    let settings = [daily, ("backups.hour", whole(3)), ("backups.count", whole(10)), ("backups.days", whole(30))];
    state.settings = Slot::with(settings.map(setting).into());
    state.pages.backups.list = Slot::with(list());
    let range = HistoryRange { oldest: Timestamp(NOW.0 - 100 * HOUR), newest: NOW };
    state.pages.backups.range = Slot::with(Some(range));
    state
}

fn shown(state: AppState, dark: bool) -> Shown {
    let mut harness = page::<BackupsView>(state, SIZE, dark);
    harness.run();
    harness
}

fn commands(harness: &Shown) -> Vec<BackupsCommand> {
    let commands = harness.state().commands.iter();
    commands.filter_map(|c| if let UiCommand::Backups(c) = c { Some(c.clone()) } else { None }).collect()
}

fn preview() -> RestorePreview {
    let chats = KindDifference {
        only_there: 2,
        only_here: 1,
        different: 1,
        there: vec!["Digest for Thursday".into(), "Key storage".into()],
        here: vec!["Made since".into()],
        both: vec!["Renamed since".into()],
        ..KindDifference::none(DataKind::Chats)
    };
    let messages = KindDifference { only_there: 40, ..KindDifference::none(DataKind::Messages) };
    let from = RestoreFrom::Backup { name: "2-manual.rspa-backup".into() };
    RestorePreview { from, as_of: Timestamp(NOW.0 - 2 * HOUR), differences: vec![chats, messages] }
}

fn previewing(slot: Slot<RestorePreview>) -> AppState {
    let mut state = state();
    state.pages.backups.chosen = Some(preview().from);
    state.pages.backups.preview = slot;
    state
}

#[test]
fn each_backup_says_why_it_was_made_and_whether_it_is_whole() {
    let mut harness = shown(state(), true);
    for words in ["on demand", "daily", "before a restore", "not verified yet", "cannot be used", "copied"] {
        harness.get_by_label(words);
    }
    harness.get_by_label_contains("it is cut off");
    assert_eq!(harness.get_all_by_label_contains("12 chats").count(), 3);
    harness.get_by_label("Back up now").click();
    harness.run();
    assert_eq!(commands(&harness), [BackupsCommand::Create]);
    let verify = harness.get_all_by_label_contains("Verify the backup of").next().unwrap();
    verify.click();
    harness.run();
    let name = "2-manual.rspa-backup".to_owned();
    assert_eq!(commands(&harness).last(), Some(&BackupsCommand::Verify(name.clone())));
    harness.get_all_by_label("Restore…").next().unwrap().click();
    harness.run();
    assert_eq!(commands(&harness).last(), Some(&BackupsCommand::Preview(RestoreFrom::Backup { name })));
}

#[test]
fn deleting_asks_first() {
    let mut harness = shown(state(), true);
    harness.get_all_by_label_contains("Delete the backup of").next().unwrap().click();
    harness.run();
    let asked = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Confirm(question) => Some(question.clone()),
        _ => None,
    });
    let asked = asked.expect("it asks");
    assert!(asked.danger && asked.consequence.contains("2-manual.rspa-backup"));
    assert!(commands(&harness).is_empty());
}

#[test]
fn the_preview_says_what_would_change_and_the_mode_is_chosen() {
    let mut harness = shown(previewing(Slot::with(preview())), true);
    for words in ["2 come back", "1 goes", "1 becomes as it was", "40 come back"] {
        harness.get_by_label(words);
    }
    harness.get_by_label_contains("Digest for Thursday");
    harness.get_by_label("Replace everything").click();
    harness.run();
    let from = preview().from;
    assert_eq!(
        commands(&harness).last(),
        Some(&BackupsCommand::Restore { from: from.clone(), mode: RestoreMode::Replace })
    );
    harness.get_by_label("Merge").click();
    harness.run();
    harness.get_by_label("1 stays");
    harness.get_by_label("1 differs and stays");
    harness.get_by_label("Add what is missing").click();
    harness.run();
    assert_eq!(commands(&harness).last(), Some(&BackupsCommand::Restore { from, mode: RestoreMode::Merge }));
    harness.get_by_label("Cancel").click();
    harness.run();
    assert_eq!(commands(&harness).last(), Some(&BackupsCommand::ClosePreview));
}

#[test]
fn a_preview_that_loads_fails_or_finds_nothing_says_so() {
    let harness = shown(previewing(Slot::default()), true);
    harness.get_all_by_label("Comparing it with what is there now").next().unwrap();
    let harness = shown(previewing(Slot::failed(ApiError::validation("it was cut off", "Choose another."))), true);
    harness.get_by_label("It was cut off");
    harness.get_by_label("Close");
    assert!(harness.query_by_label("Replace everything").is_none());
    let none = RestorePreview { differences: Vec::new(), ..preview() };
    let harness = shown(previewing(Slot::with(none)), true);
    harness.get_by_label("Nothing differs: it is as it is now.");
    assert!(harness.query_by_label("Replace everything").is_none());
    let mut running = previewing(Slot::with(preview()));
    running.pages.backups.restoring = true;
    let harness = shown(running, true);
    harness.get_all_by_label("Restoring").next().unwrap();
    assert!(harness.query_by_label("Replace everything").is_none());
}

#[test]
fn going_back_to_a_minute_takes_only_times_of_the_history() {
    let mut harness = shown(state(), true);
    let field = "Time to go back to, such as 2026-11-20 09:15";
    let at = Timestamp((NOW.0 - 3 * HOUR).div_euclid(60_000) * 60_000);
    harness.get_by_label(field).focus();
    harness.run();
    harness.get_by_label(field).type_text("later");
    harness.run();
    harness.get_by_label_contains("Write it as 20");
    harness.state_mut().view.minute = super::zoned(at, "%Y-%m-%d %H:%M");
    harness.run();
    harness.get_by_label("Show what would change").click();
    harness.run();
    assert_eq!(commands(&harness), [BackupsCommand::Preview(RestoreFrom::Time { at })]);
    let mut without = state();
    without.pages.backups.range = Slot::with(None);
    shown(without, true).get_by_label_contains("No change history is kept");
}

#[test]
fn none_yet_loading_and_errors_say_what_to_do() {
    let mut empty = state();
    empty.pages.backups.list = Slot::with(BackupList { backups: Vec::new(), second_folder: None, ..list() });
    let harness = shown(empty, true);
    harness.get_by_label("No backups yet");
    harness.get_by_label_contains("One is made each day");
    harness.get_by_label_contains("a drive that breaks");
    let mut gone = state();
    gone.pages.backups.list = Slot::with(BackupList { second_problem: Some("the drive is away".into()), ..list() });
    shown(gone, true).get_by_label("the drive is away");
    let mut loading = state();
    loading.pages.backups.list = Slot::default();
    let harness = shown(loading, true);
    assert!(commands(&harness).contains(&BackupsCommand::Refresh));
    let mut failed = state();
    failed.pages.backups.list = Slot::failed(ApiError::validation("cannot be read", "Try it again."));
    let mut harness = shown(failed, true);
    harness.get_by_label("Cannot be read");
    harness.get_by_label("Try again").click();
    harness.run();
    assert_eq!(commands(&harness), [BackupsCommand::Refresh]);
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    let asked = || previewing(Slot::with(preview()));
    for (dark, state, name) in
        [(true, state(), "backups_dark"), (false, state(), "backups_light"), (true, asked(), "restore_dark")]
    {
        let mut harness = page::<BackupsView>(state, (900.0, 600.0), dark);
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
