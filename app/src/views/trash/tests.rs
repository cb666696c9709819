//! The trash as a page: its states, the way back, and questions before what cannot be taken back.

use egui_kittest::kittest::Queryable;
use rspa_core::api::ApiError;
use rspa_core::model::TrashId;

use super::*;
use crate::fixtures::{NOW, page};
use crate::state::{AppState, Slot};

const SIZE: (f32, f32) = (1040.0, 700.0);

fn item(n: u128, kind: TrashKind, title: &str, days_ago: i64) -> TrashItem {
    let deleted = Timestamp(NOW.0 - days_ago * DAY);
    TrashItem {
        id: TrashId(uuid::Uuid::from_u128(n)),
        kind,
        title: title.to_owned(),
        detail: if kind == TrashKind::Chat { "12 messages".to_owned() } else { "/home/ada/papers".to_owned() },
        deleted,
        expires: Timestamp(deleted.0 + 30 * DAY),
    }
}

fn state(items: Vec<TrashItem>) -> AppState {
    let mut state = AppState { now: NOW, ..AppState::default() };
    let total = items.len() as u64;
    state.pages.trash.list = Slot::with(ListPage { items, total, offset: 0 });
    state.pages.trash.offset = Some(0);
    state
}

#[test]
fn things_are_restored_at_once_and_deleted_after_a_question() {
    let items = vec![item(2, TrashKind::Source, "papers", 1), item(1, TrashKind::Chat, "", 29)];
    let id = items[0].id;
    let mut harness = page::<TrashView>(state(items), SIZE, true);
    harness.run();
    harness.get_by_label("Source: papers");
    harness.get_by_label("Chat: Untitled");
    harness.get_by_label("Restore papers").click();
    harness.run();
    let restore = UiCommand::Trash(TrashCommand::Restore { id, open: None });
    assert_eq!(harness.state_mut().commands.drain(..).collect::<Vec<_>>(), [restore]);
    for label in ["Delete papers for good", "Empty trash"] {
        harness.get_by_label(label).click();
        harness.run();
        let asked = harness.state_mut().commands.drain(..).collect::<Vec<_>>();
        assert!(matches!(&asked[..], [UiCommand::Confirm(question)] if question.danger), "{asked:?}");
    }
}

#[test]
fn every_state_says_what_it_is() {
    let mut harness = page::<TrashView>(state(Vec::new()), SIZE, false);
    harness.run();
    harness.get_by_label("The trash is empty");
    let mut harness = page::<TrashView>(AppState::default(), SIZE, false);
    harness.run();
    harness.get_by_label("Trash");
    assert!(harness.state().commands.contains(&UiCommand::Trash(TrashCommand::List { offset: 0 })));
    let mut failed = state(Vec::new());
    failed.pages.trash.list = Slot::failed(ApiError::validation("it broke", "try"));
    let mut harness = page::<TrashView>(failed, SIZE, false);
    harness.run();
    harness.get_by_label("Try again").click();
    harness.run();
    assert!(harness.state().commands.contains(&UiCommand::Trash(TrashCommand::Refresh)));
}

#[test]
fn days_that_are_left_are_counted_up() {
    let at = |ms: i64| days_left(Timestamp(NOW.0 + ms), NOW);
    assert_eq!(at(DAY * 29 + 1), ("30 days left".to_owned(), false));
    assert_eq!(at(1), ("1 day left".to_owned(), true));
    assert!(at(0).1);
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "trash_dark"), (false, "trash_light")] {
        let items = vec![item(2, TrashKind::Source, "papers", 1), item(1, TrashKind::Chat, "Digest for Thursday", 29)];
        let mut harness = page::<TrashView>(state(items), (800.0, 240.0), dark);
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
