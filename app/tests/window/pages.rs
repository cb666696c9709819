//! Dashboard, models and settings by their names.

use egui::Key;
use egui_kittest::kittest::Queryable;
use rspa_app::state::Page;

use crate::support::{on, window};

#[test]
fn the_dashboard_shows_the_figures_as_they_are() {
    let mut window = window(on(Page::Dashboard));
    window.run();
    for words in ["0 bytes", "policy: nothing", "10", "214 in all", "9,014", "Blocked: a download without consent"] {
        window.get_by_label(words);
    }
}

#[test]
fn a_download_is_asked_for_with_host_and_size_first() {
    let mut window = window(on(Page::Models));
    window.run_ok();
    window.get_by_label("Download 2.5 GB").click();
    window.run_ok();
    window.get_by_label("Download from models.example?");
    window.get_by_label_contains("your texts, questions and file names are not sent");
    window.get_by_label("Cancel").click();
    window.run_ok();
    assert!(window.query_by_label("Download from models.example?").is_none());
}

#[test]
fn deleting_a_model_says_what_is_lost_and_starts_on_cancel() {
    let mut window = window(on(Page::Models));
    window.run_ok();
    window.get_by_label("Delete Granite 1B").click();
    window.run_ok();
    window.get_by_label_contains("98 MB are freed");
    assert!(window.get_by_label("Cancel").is_focused());
    window.key_press(Key::Escape);
    window.run_ok();
    assert!(window.query_by_label_contains("98 MB are freed").is_none());
}

#[test]
fn settings_tell_origin_and_problem_and_refuse_what_cannot_be() {
    let mut window = window(on(Page::Settings));
    window.run();
    window.get_by_label("from config.toml line 3");
    window.get_by_label("from the variable RSPA_MODELS_THREADS");
    window.get_by_label_contains("is above 2048; 256 is used");
    let field = window.get_by_role_and_label(egui::Role::TextInput, "Passage length");
    field.focus();
    window.run_ok();
    window.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    window.get_by_role_and_label(egui::Role::TextInput, "Passage length").type_text("99999");
    window.run_ok();
    window.get_by_label("A whole number from 64 to 2048.");
}

#[test]
fn settings_are_found_by_a_word() {
    let mut window = window(on(Page::Settings));
    window.run();
    window.get_by_role_and_label(egui::Role::TextInput, "Search settings").focus();
    window.run_ok();
    window.get_by_role_and_label(egui::Role::TextInput, "Search settings").type_text("log");
    window.run_ok();
    window.get_by_role_and_label(egui::Role::ComboBox, "Log level");
    assert!(window.query_by_label("Passage length").is_none());
}
