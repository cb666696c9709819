//! Tests of the log page by accessible label.

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use rspa_core::api::ApiError;
use rspa_core::model::{LogEntry, LogId, LogLevel, Timestamp};

use super::LogsView;
use crate::commands::UiCommand;
use crate::commands::pages::logs::LogsCommand;
use crate::fixtures::{self, Stage, page};
use crate::state::pages::logs::{LogsChoice, LogsState};
use crate::state::{AppState, Slot};

const WIDE: (f32, f32) = (1096.0, 774.0);

fn entry(number: u64, level: LogLevel, message: &str) -> LogEntry {
    LogEntry {
        id: LogId(number),
        at: Timestamp(fixtures::NOW.0 - (1_000 - number as i64) * 1_500),
        level,
        target: "rspa_core::knowledge::indexer".into(),
        module: "rspa_core::knowledge::indexer".into(),
        function: "index_file".into(),
        line: 88,
        span: "request > index".into(),
        message: message.into(),
        errors: vec![],
        fields: vec![],
    }
}

/// The newest 200 of a million.
fn entries() -> Vec<LogEntry> {
    (0..200)
        .map(|row| match row {
            0 => entry(1_000, LogLevel::Error, "a file was left out: cannot read report.pdf"),
            1 => entry(999, LogLevel::Critical, "the disk is full"),
            row => entry(1_000 - row, LogLevel::Info, &format!("indexed {row} passages")),
        })
        .collect()
}

fn state_of(logs: LogsState) -> AppState {
    let mut state = fixtures::state();
    state.pages.logs = logs;
    state
}

fn shown() -> Harness<'static, Stage<LogsView>> {
    let mut harness =
        page::<LogsView>(state_of(LogsState::showing(LogsChoice::default(), entries(), 1_000_000)), WIDE, true);
    harness.run();
    harness
}

fn commands(harness: &Harness<'_, Stage<LogsView>>) -> Vec<LogsCommand> {
    let commands = harness.state().commands.iter();
    commands
        .filter_map(|command| match command {
            UiCommand::Logs(command) => Some(command.clone()),
            _ => None,
        })
        .collect()
}

fn last_choice(harness: &Harness<'_, Stage<LogsView>>) -> LogsChoice {
    let choice = commands(harness).into_iter().rev().find_map(|command| match command {
        LogsCommand::Choose(choice) => Some(choice),
        _ => None,
    });
    choice.expect("it was filtered")
}

#[test]
fn the_page_asks_once_it_is_seen_and_never_again_by_itself() {
    let mut harness = page::<LogsView>(state_of(LogsState::default()), WIDE, true);
    harness.run();
    assert!(harness.query_all_by_label("Reading the log").count() > 0);
    assert_eq!(last_choice(&harness), LogsChoice::default());
    let mut harness = shown();
    harness.run();
    harness.run();
    assert_eq!(commands(&harness), []);
}

#[test]
fn rows_say_level_and_message_and_a_click_reads_the_whole_entry() {
    let mut harness = shown();
    harness.get_by_label("1,000,000 entries");
    harness.get_by_label("Critical: the disk is full");
    harness.get_by_label("Error: a file was left out: cannot read report.pdf").click();
    harness.run();
    assert_eq!(commands(&harness), [LogsCommand::Select(Some(LogId(1_000)))]);
}

#[test]
fn only_rows_in_view_are_laid_out_and_missing_ones_are_asked_for() {
    let mut harness = shown();
    let rows = harness.query_all_by_role(egui::Role::ListItem).count();
    assert!((20..40).contains(&rows), "{rows} rows");
    harness.key_press(Key::End);
    harness.run();
    assert!(commands(&harness).contains(&LogsCommand::Need(4_999)), "{:?}", commands(&harness));
    assert!(harness.query_by_label("Critical: the disk is full").is_none());
    harness.key_press(Key::Home);
    harness.run();
    harness.get_by_label("Critical: the disk is full");
}

#[test]
fn arrows_and_enter_choose_and_control_f_goes_to_the_text() {
    let mut harness = shown();
    for key in [Key::ArrowDown, Key::ArrowDown, Key::Enter] {
        harness.key_press(key);
        harness.run();
    }
    assert_eq!(commands(&harness), [LogsCommand::Select(Some(LogId(999)))]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    harness.run();
    harness.get_by_label("Search the log").type_text("disk");
    harness.run();
    assert_eq!(last_choice(&harness).text, "disk");
}

#[test]
fn levels_follow_and_clearing_change_the_choice() {
    let mut harness = shown();
    harness.get_by_label("Warning").click();
    harness.run();
    assert_eq!(last_choice(&harness).levels, [LogLevel::Warn]);
    harness.get_by_role_and_label(egui::Role::Switch, "Follow").click();
    harness.run();
    assert!(!last_choice(&harness).follow);
    let choice = LogsChoice { text: "nowhere".into(), ..LogsChoice::default() };
    let mut state = state_of(LogsState::showing(choice.clone(), vec![], 0));
    state.ui.logs = choice;
    let mut harness = page::<LogsView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("Nothing matches");
    harness.get_by_label("Clear the filters").click();
    harness.run();
    assert_eq!(last_choice(&harness), LogsChoice::default());
}

#[test]
fn new_entries_are_taken_in_at_the_top_only_while_it_follows() {
    let mut harness = shown();
    harness.state_mut().state.pages.logs.arrived = LogId(1_001);
    harness.step();
    assert_eq!(commands(&harness), [LogsCommand::Refresh]);
    let mut harness = shown();
    harness.state_mut().state.ui.logs.follow = false;
    harness.state_mut().state.pages.logs.arrived = LogId(1_001);
    harness.run();
    assert_eq!(commands(&harness), []);
    harness.get_by_label("Show new entries").click();
    harness.run();
    assert_eq!(commands(&harness), [LogsCommand::Refresh]);
}

#[test]
fn nothing_and_errors_say_what_to_do() {
    let mut harness = page::<LogsView>(state_of(LogsState::showing(LogsChoice::default(), vec![], 0)), WIDE, true);
    harness.run();
    harness.get_by_label("Nothing is logged yet");
    let mut logs = LogsState::showing(LogsChoice::default(), vec![], 0);
    logs.shown = None;
    logs.error = Some(ApiError::validation("the log cannot be read", "Wait a moment."));
    let mut harness = page::<LogsView>(state_of(logs), WIDE, false);
    harness.run();
    harness.get_by_label("The log cannot be read");
    harness.get_by_label("Try again").click();
    harness.run();
    assert_eq!(commands(&harness), [LogsCommand::Refresh]);
}

#[test]
fn one_entry_is_shown_whole_and_hostile_text_is_harmless() {
    let mut whole = entry(1_000, LogLevel::Error, "bad\u{1b}[2J \u{202e}name");
    whole.errors = vec!["cannot read report.pdf".into(), "Permission denied (os error 13)".into()];
    whole.fields = vec![("path".into(), "/home/ada/\u{7}report.pdf".into()), ("text".into(), "long ".repeat(3_000))];
    let mut rows = entries();
    rows[0].message = format!("bad\u{1b}[2J \u{202e}name\n{}", "x".repeat(16_000));
    let mut logs = LogsState::showing(LogsChoice::default(), rows, 200);
    logs.select(Some(LogId(1_000)));
    logs.detail = Slot::with(Some(whole));
    let mut harness = page::<LogsView>(state_of(logs), WIDE, true);
    harness.run();
    harness.get_by_label_contains("Error: bad\\u{1b}[2J \\u{202e}name\\nxxx");
    harness.get_by_label("bad\\u{1b}[2J \\u{202e}name");
    harness.get_by_label("Permission denied (os error 13)");
    harness.get_by_label("/home/ada/\\u{7}report.pdf");
    harness.get_by_label("request > index");
    harness.get_by_label("Copy the entry").click();
    harness.run();
    let copied = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let copied = copied.expect("it was copied");
    assert!(copied.contains("index_file():88") && copied.contains("path = /home/ada/\\u{7}report.pdf"), "{copied}");
    harness.key_press(Key::Escape);
    harness.run();
    assert!(commands(&harness).contains(&LogsCommand::Select(None)));
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "logs_dark"), (false, "logs_light")] {
        let mut harness = page::<LogsView>(
            state_of(LogsState::showing(LogsChoice::default(), entries(), 1_000_000)),
            (1000.0, 480.0),
            dark,
        );
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
