//! The list behind the bell, by accessible label.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use rspa_core::model::{NotificationId, TaskId};
use uuid::Uuid;

use super::*;
use crate::design::{self, Look};
use crate::fixtures::NOW;
use crate::state::NoticeKind;

fn told(number: u128, title: &str, days: i64, read: bool) -> Notification {
    Notification {
        id: NotificationId(Uuid::from_u128(number)),
        at: Timestamp(NOW.0 - days * 86_400_000),
        kind: NotificationKind::Done,
        title: title.to_owned(),
        detail: "Analyst: all is well".to_owned(),
        read,
        task: Some(TaskId(Uuid::from_u128(number))),
        agent: None,
        approval: None,
    }
}

fn shown() -> Harness<'static, Vec<Wish>> {
    let kept = vec![told(1, "“Sum up” is done", 0, false), told(2, "“Clean” is done", 1, true)];
    let mut notices = Notices::default();
    notices.push(NOW, NoticeKind::Warning, "The disk is nearly full", "");
    let mut harness = Harness::builder()
        .with_size(egui::vec2(900.0, 700.0))
        .with_context_setup(|ctx| {
            design::install(ctx);
            design::apply(ctx, Look { theme: egui::ThemePreference::Dark, high_contrast: false, reduce_motion: true });
        })
        .build_ui_state(
            move |panel: &mut Ui, wishes: &mut Vec<Wish>| match ui(panel.ctx(), &notices, &kept, NOW) {
                Wish::Stay => {}
                wish => wishes.push(wish),
            },
            Vec::new(),
        );
    harness.run();
    harness
}

#[test]
fn what_is_kept_and_what_was_told_stand_by_day() {
    let harness = shown();
    for words in ["Today", "Yesterday", "“Sum up” is done, unread", "“Clean” is done", "The disk is nearly full"]
    {
        assert!(harness.query_all_by_label(words).count() >= 1, "{words}");
    }
}

#[test]
fn one_is_opened_cleared_and_all_are_read() {
    let mut harness = shown();
    harness.get_by_label("“Sum up” is done, unread").click();
    harness.run();
    harness.get_by_label("Clear ““Clean” is done”").click();
    harness.run();
    harness.get_by_label("Mark all read").click();
    harness.run();
    let id = |number| NotificationId(Uuid::from_u128(number));
    assert_eq!(
        *harness.state(),
        [
            Wish::Do(NotificationsCommand::Open(id(1))),
            Wish::Do(NotificationsCommand::Clear(Some(id(2)))),
            Wish::Do(NotificationsCommand::Read(None)),
        ]
    );
}
