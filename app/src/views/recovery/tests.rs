//! The recovery page by accessible label: what it says, and what its buttons choose.

use egui_kittest::kittest::Queryable;
use rspa_core::api::{ApiError, ErrorCategory};
use rspa_core::recovery::{Exported, Readable};

use super::*;
use crate::fixtures::{self, NOW};

fn recovery(backup: Option<NewestBackup>) -> Recovery {
    Recovery {
        file: PathBuf::from("/home/ada/data/main.redb"),
        bytes: 143_360,
        detail: "some of its pages do not fit their checksums".to_owned(),
        readable: Readable {
            chats: 12,
            messages: 87,
            sources: 3,
            missing: (1..=9).map(|n| format!("rows of table {n}")).collect(),
        },
        differences: backup.iter().map(|_| "Chats: 14 in the backup".to_owned()).collect(),
        backup,
        backup_problem: None,
    }
}

struct Drawn {
    view: RecoveryView,
    chosen: Vec<Choice>,
}

fn drawn(recovery: Recovery, work: RescueWork, dark: bool) -> egui_kittest::Harness<'static, fixtures::Stage<Drawn>> {
    let state = fixtures::state();
    let view = Drawn { view: RecoveryView::default(), chosen: Vec::new() };
    fixtures::stage(view, state, (1000.0, 1200.0), dark, move |drawn, ui, _cx| {
        let target = Path::new("/home/ada/saved");
        drawn.chosen.extend(drawn.view.ui(ui, &recovery, target, &work, NOW));
    })
}

fn newest() -> NewestBackup {
    NewestBackup {
        name: "2025-10-09 daily".to_owned(),
        at: Timestamp(NOW.0 - 3_600_000),
        chats: 14,
        messages: 90,
        sources: 3,
    }
}

#[test]
fn every_way_on_can_be_chosen() {
    let mut harness = drawn(recovery(Some(newest())), RescueWork::Idle, true);
    harness.run();
    harness.get_by_label("Chats: 14 in the backup");
    for label in ["Restore it", "Save", "Try again", "Start with an empty database", "Yes, start with nothing"] {
        harness.get_by_label(label).click();
        harness.run();
    }
    let chosen = &harness.state().view.chosen;
    let save = Choice::Save(PathBuf::from("/home/ada/saved"));
    assert_eq!(chosen, &[Choice::Restore, save, Choice::TryAgain, Choice::StartAnew]);
}

#[test]
fn without_a_backup_that_is_said_and_work_blocks_the_buttons() {
    let mut harness = drawn(recovery(None), RescueWork::Running, false);
    harness.run();
    assert!(harness.query_by_label("Restore it").is_none());
    harness.get_by_label("Save").click();
    harness.run();
    assert!(harness.state().view.chosen.is_empty());
}

#[test]
fn what_was_done_is_said() {
    let exported = Exported { folder: "/home/ada/saved".into(), files: 14, readable: Readable::default() };
    let mut harness = drawn(recovery(None), RescueWork::Saved(exported), true);
    harness.run();
    harness.get_by_label_contains("14 files");
    let error = ApiError::new(ErrorCategory::Storage, "the disk is full", "Free some space.");
    let mut harness = drawn(recovery(None), RescueWork::Failed(error), true);
    harness.run();
    harness.get_by_label_contains("The disk is full");
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    let mut harness = drawn(recovery(Some(newest())), RescueWork::Idle, false);
    harness.set_size(egui::vec2(800.0, 760.0));
    harness.remove_cursor();
    harness.run();
    harness.snapshot("recovery_light");
    results.extend_harness(&mut harness);
}
