//! The command palette by keyboard alone.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use rspa_app::state::Page;

use crate::support::{Window, window, worked};

#[test]
fn a_few_letters_and_enter_run_an_action() {
    let mut window = window(worked());
    window.run_ok();
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.run_ok();
    window.event(egui::Event::Text("open sett".into()));
    window.run_ok();
    window.key_press(Key::Enter);
    window.run_ok();
    assert_eq!(window.state().state.ui.layout.page(), Some(Page::Settings));
    assert!(window.query_by_label("Command palette").is_none());
}

#[test]
fn arrows_move_and_escape_leaves() {
    let mut window = window(worked());
    window.run_ok();
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    window.run_ok();
    let selected = |window: &Window| {
        window.query_all(egui_kittest::kittest::By::new().role(egui::Role::ListBoxOption)).position(|node| {
            egui_kittest::kittest::NodeT::accesskit_node(&node).toggled() == Some(egui::accesskit::Toggled::True)
        })
    };
    assert_eq!(selected(&window), Some(0));
    window.key_press(Key::ArrowDown);
    window.run_ok();
    assert_eq!(selected(&window), Some(1));
    window.key_press(Key::Escape);
    window.run_ok();
    assert!(window.query_by_label("Command palette").is_none());
}

#[test]
fn chats_are_found_by_their_title() {
    let mut window = window(worked());
    window.run_ok();
    window.key_press_modifiers(Modifiers::COMMAND, Key::P);
    window.run_ok();
    window.event(egui::Event::Text("pbkdf".into()));
    window.run_ok();
    window.key_press(Key::Enter);
    window.run_ok();
    let state = &window.state().state;
    let wanted = state.chats.list.get().unwrap()[0].chat.id;
    assert_eq!(state.chats.open, Some(wanted));
}
