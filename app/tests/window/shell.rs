//! Rail, status bar, zoom, panes, notices, error screen.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use rspa_app::state::{AppState, CoreStatus, NoticeKind, Page};
use rspa_core::api::{ApiError, ErrorCategory};

use crate::support::{NOW, on, sized, window, worked};

#[test]
fn the_rail_opens_pages_and_the_keyboard_does_too() {
    let mut window = window(worked());
    window.run();
    window.get_by_label("Models").click();
    window.run();
    assert_eq!(window.state().state.ui.layout.page(), Some(Page::Models));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num8);
    window.run();
    assert_eq!(window.state().state.ui.layout.page(), Some(Page::Settings));
}

#[test]
fn the_status_bar_says_first_that_nothing_leaves() {
    let mut window = window(worked());
    window.run();
    let words = window.get_by_label("Offline · nothing leaves this computer").rect();
    for other in ["9,014 passages: 9,014 passages", "SmolLM2 135M Instruct: Open models"] {
        assert!(words.left() < window.get_by_label(other).rect().left());
    }
}

#[test]
fn zoom_goes_from_50_to_300_percent_and_everything_stays_in_view() {
    let mut window = window(on(Page::Dashboard));
    window.run();
    for (key, wanted) in [(Key::Plus, 3.0), (Key::Minus, 0.5)] {
        for _ in 0..30 {
            window.key_press_modifiers(Modifiers::COMMAND, key);
            window.run();
        }
        assert_eq!(window.state().state.ui.zoom, wanted);
        let status = window.get_by_label("Offline · nothing leaves this computer").rect();
        assert!(status.left() >= 0.0 && status.bottom() <= 800.0 / wanted + 1.0, "{status:?}");
    }
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    window.run();
    assert_eq!(window.state().state.ui.zoom, 1.0);
}

#[test]
fn every_control_can_be_reached_with_tab() {
    let mut window = window(worked());
    window.run();
    let mut reached = std::collections::HashSet::new();
    for _ in 0..40 {
        window.key_press(Key::Tab);
        window.run();
        for label in ["Dashboard", "Chat", "Knowledge", "Models", "Settings"] {
            if window.query_all_by_label(label).any(|node| node.is_focused()) {
                reached.insert(label);
            }
        }
    }
    assert_eq!(reached.len(), 5, "{reached:?}");
}

#[test]
fn an_engine_that_cannot_start_is_told_with_advice() {
    let error = ApiError::new(ErrorCategory::Storage, "The data folder is read-only.", "Choose another folder.");
    let state = AppState { core: CoreStatus::Failed(error), ..AppState::default() };
    let mut window = window(state);
    window.run();
    for words in ["The program cannot open its data", "The data folder is read-only.", "Choose another folder."] {
        window.get_by_label(words);
    }
    window.get_by_label("Try again").click();
    window.run();
    assert!(matches!(window.state().state.core, CoreStatus::Starting));
}

#[test]
fn notices_are_shown_kept_and_cleared() {
    let mut state = worked();
    state.notices.push(NOW, NoticeKind::Warning, "The disk is nearly full", "Free some space.");
    let mut window = window(state);
    window.run_ok();
    window.get_by_label("The disk is nearly full");
    window.get_by_label("Dismiss").click();
    window.run_ok();
    assert!(window.query_by_label("The disk is nearly full").is_none());
    window.get_by_label_contains("Notices, 1 unread").click();
    window.run_ok();
    window.get_by_label("The disk is nearly full");
    window.get_by_label("Clear all").click();
    window.run_ok();
    window.get_by_label("No notices");
}

#[test]
fn nothing_is_drawn_again_while_nothing_happens() {
    for page in [Page::Dashboard, Page::Models, Page::Settings] {
        let mut window = window(on(page));
        window.run();
        let output = window.output();
        let delay = output.viewport_output.values().map(|viewport| viewport.repaint_delay).min();
        assert_eq!(delay, Some(std::time::Duration::MAX), "{page:?}");
    }
}

#[test]
fn a_small_window_still_shows_every_page() {
    for page in [Page::Dashboard, Page::Chat, Page::Knowledge, Page::Models, Page::Settings, Page::Gallery] {
        let mut window = sized(on(page), [480.0, 320.0]);
        window.run();
    }
}
