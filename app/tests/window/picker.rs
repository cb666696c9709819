//! The picker by keyboard: arrows, Enter, Backspace, letters, a typed path, errors in words.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use rspa_core::api::{ApiError, ErrorCategory};

use crate::support::{Window, listing, window, worked};

fn opened() -> Window {
    let mut window = window(worked());
    window.run_ok();
    window.key_press_modifiers(Modifiers::COMMAND, Key::O);
    window.run_ok();
    let home = listing("/home/ada", &[("Documents", true), ("Music", true), ("papers", true), ("todo.md", false)]);
    window.state_mut().picker_mut().unwrap().give(Ok(home));
    window.run_ok();
    window
}

fn wanted(window: &mut Window) -> String {
    window.state_mut().picker_mut().unwrap().wants().unwrap().clone().unwrap().display().to_string()
}

#[test]
fn letters_jump_enter_opens_and_backspace_goes_up() {
    let mut window = opened();
    window.event(egui::Event::Text("p".into()));
    window.run_ok();
    window.get_by_label("Choose “papers”");
    window.key_press(Key::Enter);
    window.run_ok();
    assert_eq!(wanted(&mut window), "/home/ada/papers");
    window.state_mut().picker_mut().unwrap().give(Ok(listing("/home/ada/papers", &[("a.pdf", false)])));
    window.run_ok();
    window.get_by_label("Choose “papers”");
    window.key_press(Key::Backspace);
    window.run_ok();
    assert_eq!(wanted(&mut window), "/home/ada");
    window.state_mut().picker_mut().unwrap().give(Ok(listing("/home/ada", &[("Music", true), ("papers", true)])));
    window.run_ok();
    // Where one comes from is selected again.
    window.get_by_label("Choose “papers”");
}

#[test]
fn places_and_typed_paths_lead_elsewhere() {
    let mut window = opened();
    window.get_by_label("Computer").click();
    window.run_ok();
    assert_eq!(wanted(&mut window), "/");
    let field = window.get_by_label("Path");
    field.focus();
    window.run_ok();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_label("Path").type_text("/srv/data");
    window.run_ok();
    window.key_press(Key::Enter);
    window.run_ok();
    assert_eq!(wanted(&mut window), "/srv/data");
}

#[test]
fn a_folder_that_cannot_be_read_is_told_and_left_again() {
    let mut window = opened();
    let error = ApiError::new(ErrorCategory::Storage, "This folder may not be read.", "Choose another one.");
    window.state_mut().picker_mut().unwrap().give(Err(error));
    window.run_ok();
    window.get_by_label("This folder may not be read.");
    window.key_press(Key::Escape);
    window.run_ok();
    assert!(window.state_mut().picker_mut().is_none());
}

#[test]
fn ten_thousand_entries_are_drawn_as_a_few() {
    let mut window = opened();
    let names: Vec<String> = (0..10_000).map(|i| format!("file-{i:05}")).collect();
    let names: Vec<(&str, bool)> = names.iter().map(|name| (name.as_str(), true)).collect();
    window.state_mut().picker_mut().unwrap().give(Ok(listing("/big", &names)));
    window.run_ok();
    assert!(window.query_all_by_label_contains("file-").count() < 60);
    window.key_press(Key::End);
    window.run_ok();
    window.get_by_label("file-09999");
}
