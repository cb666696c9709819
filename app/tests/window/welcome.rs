//! The first start: nothing is typed, and it ends in the chat.

use egui_kittest::kittest::Queryable;
use rspa_app::state::{Page, Slot};

use crate::support::{listing, window, worked};

fn first_start() -> rspa_app::state::AppState {
    let mut state = worked();
    state.ui.welcomed = false;
    state.knowledge.sources = Slot::with(vec![]);
    state.chats.list = Slot::with(vec![]);
    state.jobs.clear();
    state
}

#[test]
fn a_folder_is_chosen_without_typing_and_the_chat_opens() {
    let mut window = window(first_start());
    window.run_ok();
    window.get_by_label("Welcome to RS Personal Agent");
    window.get_by_label("demonstration");
    window.get_by_label_contains("Better answers on this computer: Qwen3 4B, 2.5 GB to download, needs 4.1 GB");
    assert!(window.get_by_label("Choose a folder").is_focused());
    window.key_press(egui::Key::Enter);
    window.run_ok();
    window.state_mut().picker_mut().unwrap().give(Ok(listing("/home/ada", &[("papers", true)])));
    window.run_ok();
    window.get_by_label("Choose “ada”").click();
    window.run_ok();
    let ui = &window.state().state.ui;
    assert!(ui.welcomed);
    assert_eq!(ui.layout.page(), Some(Page::Chat));
}

#[test]
fn it_does_not_come_when_there_is_something_already() {
    let mut state = first_start();
    state.knowledge.sources = worked().knowledge.sources;
    let mut window = window(state);
    window.run_ok();
    assert!(window.query_by_label("Welcome to RS Personal Agent").is_none());
}
