//! The page of activities: rows by day, the filter as it is asked for, details, long lists, and the states without rows.

use egui_kittest::kittest::Queryable;
use rspa_core::api::ApiError;
use rspa_core::model::{ActivityFilter, Timestamp};

use super::*;
use crate::fixtures::{NOW, page};
use crate::state::{AppState, Signal, Slot};

const SIZE: (f32, f32) = (1096.0, 700.0);

fn activity(n: u64, kind: &str, title: &str, minutes: i64) -> Activity {
    Activity {
        id: ActivityId(uuid::Uuid::from_u128(u128::from(n))),
        at: Timestamp(NOW.0 - minutes * 60_000),
        kind: kind.to_owned(),
        title: title.to_owned(),
        description: "Something more about it".to_owned(),
        agent: None,
        metadata: [("bytes".to_owned(), "12".to_owned())].into(),
    }
}

fn state(items: Vec<Activity>, total: u64, offset: u64) -> AppState {
    let mut state = AppState { now: NOW, ..AppState::default() };
    state.pages.activity.kinds =
        Slot::with(vec!["network.blocked".into(), "source.added".into(), "source.indexed".into()]);
    state.pages.activity.agents = Slot::with(Vec::new());
    state.pages.activity.list = Slot::with(ListPage { items, total, offset });
    state.pages.activity.wanted = Some((ActivityFilter::default(), offset));
    state
}

fn few() -> AppState {
    let items = vec![
        activity(3, "source.indexed", "papers: 3 files read", 2),
        activity(2, "network.blocked", "https://example.org: a download", 60),
        activity(1, "program.cut_off", "The program did not end properly last time", 60 * 30),
    ];
    state(items, 3, 0)
}

#[test]
fn a_row_opens_its_details() {
    let mut harness = page::<ActivityView>(few(), SIZE, true);
    harness.run();
    harness.get_by_label("3 activities");
    harness.get_by_label("Request blocked: https://example.org: a download").click();
    harness.run();
    harness.get_by_label("Something more about it");
    harness.get_by_label("bytes");
    harness.get_by_label("Close").click();
    harness.run();
    assert!(harness.query_by_label("Something more about it").is_none());
    assert!(harness.state().commands.is_empty(), "{:?}", harness.state().commands);
}

#[test]
fn the_filter_is_asked_for_as_it_is_chosen() {
    let mut harness = page::<ActivityView>(few(), SIZE, false);
    harness.run();
    harness.get_by_label("Kind").click();
    harness.run();
    harness.get_by_label("Sources").click();
    harness.run();
    harness.get_by_label("Search activities").click();
    harness.run();
    harness.query_all_by_label("Search activities").last().unwrap().type_text("paper");
    harness.run();
    let asked = harness.state().commands.iter().rev().find_map(|command| match command {
        UiCommand::Activity(ActivityCommand::List { filter, offset }) => Some((filter.clone(), *offset)),
        _ => None,
    });
    let filter = ActivityFilter { kind: "source".to_owned(), text: "paper".to_owned(), ..ActivityFilter::default() };
    assert_eq!(asked, Some((filter, 0)));
}

#[test]
fn a_hundred_thousand_rows_draw_what_is_in_view_and_ask_for_what_is_not_there() {
    let items = (0..400).map(|n| activity(n, "source.indexed", &format!("row {n}"), n as i64)).collect();
    let mut harness = page::<ActivityView>(state(items, 100_000, 0), SIZE, true);
    harness.run();
    assert!(harness.query_all_by_label_contains("row ").count() < 40);
    // Rows from elsewhere: what is in view is missing.
    let items = (0..400).map(|n| activity(n, "source.indexed", &format!("row {n}"), n as i64)).collect();
    let mut harness = page::<ActivityView>(state(items, 100_000, 50_000), SIZE, true);
    harness.run();
    let back = |command: &UiCommand| matches!(command, UiCommand::Activity(ActivityCommand::List { offset: 0, .. }));
    assert!(harness.state().commands.iter().any(back));
}

#[test]
fn a_day_is_shown_with_the_row_that_was_found_even_far_down() {
    let mut shown = few();
    shown.signals.push(Signal::ShowDay("2025-10-09".to_owned(), Some("08:51 a thing: row 7".to_owned())));
    let mut harness = page::<ActivityView>(shown, SIZE, true);
    harness.run_steps(2);
    harness.state_mut().state.signals.clear();
    let asked = |harness: &egui_kittest::Harness<'_, crate::fixtures::Stage<ActivityView>>| {
        harness.state().commands.iter().rev().find_map(|command| match command {
            UiCommand::Activity(ActivityCommand::List { filter, offset }) => Some((filter.clone(), *offset)),
            _ => None,
        })
    };
    let (filter, offset) = asked(&harness).expect("the day is asked for");
    let (from, until) = (filter.from.unwrap(), filter.until.unwrap());
    assert!(from < until && until.0 - from.0 <= 25 * 60 * 60 * 1_000 && offset == 0);
    // It is not in the first part: the next one is asked for.
    let give = |state: &mut AppState, items: Vec<Activity>, offset: u64| {
        state.pages.activity.wanted = Some((filter.clone(), offset));
        state.pages.activity.list = Slot::with(ListPage { items, total: 900, offset });
    };
    let first = (0..400).map(|n| activity(n, "a.thing", &format!("other {n}"), 0)).collect();
    give(&mut harness.state_mut().state, first, 0);
    harness.run_steps(3);
    assert_eq!(asked(&harness).unwrap().1, 400);
    let found = activity(5_000, "a.thing", "row 7", 2);
    let line = format!("{} a thing: row 7", clock(found.at));
    harness.state_mut().view.line = Some(line);
    let mut second: Vec<Activity> = (400..800).map(|n| activity(n, "a.thing", &format!("other {n}"), 0)).collect();
    second[300] = found;
    give(&mut harness.state_mut().state, second, 400);
    harness.run_steps(4);
    harness.get_by_label("Something more about it");
    harness.get_by_label("9 Oct 2025").click();
    harness.run_steps(2);
    assert!(asked(&harness).unwrap().0.from.is_none());
}

#[test]
fn every_state_says_what_it_is() {
    let mut harness = page::<ActivityView>(state(Vec::new(), 0, 0), SIZE, true);
    harness.run();
    harness.get_by_label("Nothing has happened yet");
    harness.get_by_label("Search activities").click();
    harness.run();
    harness.query_all_by_label("Search activities").last().unwrap().type_text("x");
    harness.run();
    harness.get_by_label("Nothing fits this filter");
    let mut failed = state(Vec::new(), 0, 0);
    failed.pages.activity.list = Slot::failed(ApiError::validation("it broke", "try"));
    let mut harness = page::<ActivityView>(failed, SIZE, true);
    harness.run();
    harness.get_by_label("It broke");
    let waiting = AppState { now: NOW, ..AppState::default() };
    let mut harness = page::<ActivityView>(waiting, SIZE, true);
    harness.run();
    harness.get_by_label("Activity");
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "activity_dark"), (false, "activity_light")] {
        let mut harness = page::<ActivityView>(few(), (900.0, 360.0), dark);
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
