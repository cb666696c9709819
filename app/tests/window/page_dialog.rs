//! A page of the web is added: its address, the question about its host, why it could not be fetched, and its end.

use egui::Key;
use egui_kittest::kittest::Queryable;
use rspa_app::state::{Page, Slot};
use rspa_core::api::{ApiError, ErrorCategory};
use rspa_core::model::{SourceKind, SourceState};

use crate::support::{Window, on, source, window};

fn opened() -> Window {
    let mut window = window(on(Page::Knowledge));
    window.run_ok();
    window.get_by_label("Add a source").click();
    window.run_ok();
    window.get_by_label("Add a page of the web").click();
    window.run_ok();
    window
}

fn typed(window: &mut Window, text: &str) {
    window.get_by_label("Address of the page").type_text(text);
    window.run_ok();
}

#[test]
fn the_host_is_confirmed_and_a_refusal_is_told_where_the_address_stands() {
    let mut window = opened();
    assert!(window.get_by_label("Address of the page").is_focused());
    typed(&mut window, "docs.example");
    window.get_by_label("An address begins with https:// and names a host.");
    window.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    typed(&mut window, "https://docs.example/ovens");
    window.get_by_label("One request goes to docs.example. You are asked before it is made.");
    window.get_by_label("Continue").click();
    window.run_ok();
    window.get_by_label("Fetch a page from docs.example?");
    window.get_by_label("Cancel").click();
    window.run_ok();
    // Nothing was asked; the address is still there.
    assert!(!window.state().state.knowledge.page.is_waiting());
    window.get_by_label("Continue").click();
    window.run_ok();
    window.get_by_label("Fetch the page").click();
    window.run_ok();
    let refused = ApiError::new(
        ErrorCategory::Authorisation,
        "the request to https://docs.example:443 was refused (the profile \"Work\" forbids every call to the cloud)",
        "Allow it under Profiles & network.",
    );
    window.state_mut().state.knowledge.page = Slot::failed(refused);
    window.run_ok();
    window.get_by_label_contains("Allow it under Profiles & network.");
    let mut page = source(77, "/pages/77", SourceState::Ready, 3, None);
    page.source.kind = SourceKind::Web;
    page.source.name = "docs.example/ovens".to_owned();
    page.source.address = Some("https://docs.example/ovens".to_owned());
    window.state_mut().state.knowledge.page = Slot::with(page);
    window.run_ok();
    assert!(window.query_by_label("Address of the page").is_none());
    window.get_by_label_contains("docs.example/ovens, 3 passages");
}

#[test]
fn a_profile_without_the_cloud_says_so_and_escape_leaves() {
    let mut state = on(Page::Knowledge);
    state.network.as_mut().unwrap().forbid_cloud = true;
    let mut window = window(state);
    window.run_ok();
    window.get_by_label("Add a source").click();
    window.run_ok();
    window.get_by_label("Add a page of the web").click();
    window.run_ok();
    typed(&mut window, "https://docs.example/ovens");
    window.get_by_label_contains("forbids every call to the cloud");
    window.key_press(Key::Escape);
    window.run_ok();
    assert!(window.query_by_label("Address of the page").is_none());
}
