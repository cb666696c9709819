//! Pictures of the pages at a fixed size and theme, compared with the stored ones.

use egui::{Key, Modifiers};
use egui_kittest::SnapshotResults;
use rspa_app::state::persisted::ThemeChoice;
use rspa_app::state::{NoticeKind, Page, Slot};

use crate::support::{NOW, Window, listing, on, window, worked};

fn picture(results: &mut SnapshotResults, name: &str, mut window: Window) {
    window.run_ok();
    window.snapshot(name);
    results.extend_harness(&mut window);
}

#[test]
fn pages_look_as_they_did() {
    let mut results = SnapshotResults::new();
    for (page, theme, name) in [
        (Page::Dashboard, ThemeChoice::Dark, "dashboard-dark"),
        (Page::Dashboard, ThemeChoice::Light, "dashboard-light"),
        (Page::Models, ThemeChoice::Dark, "models-dark"),
        (Page::Settings, ThemeChoice::Light, "settings-light"),
        (Page::Settings, ThemeChoice::Dark, "settings-dark"),
        (Page::Gallery, ThemeChoice::Dark, "gallery-dark"),
        (Page::Gallery, ThemeChoice::Light, "gallery-light"),
    ] {
        let mut state = on(page);
        state.ui.theme = theme;
        picture(&mut results, name, window(state));
    }
    let mut state = on(Page::Settings);
    state.ui.high_contrast = true;
    state.ui.rail_narrow = true;
    picture(&mut results, "settings-contrast", window(state));
}

#[test]
fn what_stands_over_the_pages_looks_as_it_did() {
    let mut results = SnapshotResults::new();

    let mut palette = window(on(Page::Dashboard));
    palette.run_ok();
    palette.key_press_modifiers(Modifiers::COMMAND, Key::K);
    palette.run_ok();
    palette.event(egui::Event::Text("op".into()));
    picture(&mut results, "palette-dark", palette);

    let mut picker = window(on(Page::Dashboard));
    picker.run_ok();
    picker.key_press_modifiers(Modifiers::COMMAND, Key::O);
    picker.run_ok();
    let names = [("Documents", true), ("Music", true), ("papers", true), ("notes.md", false), ("report.pdf", false)];
    picker.state_mut().picker_mut().unwrap().give(Ok(listing("/home/ada", &names)));
    picker.run_ok();
    picker.event(egui::Event::Text("p".into()));
    picture(&mut results, "picker-dark", picker);

    let mut state = worked();
    state.ui.welcomed = false;
    state.ui.theme = ThemeChoice::Light;
    state.knowledge.sources = Slot::with(vec![]);
    state.chats.list = Slot::with(vec![]);
    state.jobs.clear();
    picture(&mut results, "welcome-light", window(state));

    let mut state = on(Page::Models);
    state.ui.theme = ThemeChoice::Light;
    state.notices.push(NOW, NoticeKind::Done, "Imported Granite 1B", "");
    state.notices.push(
        NOW,
        NoticeKind::Error,
        "Download failed: the connection was cut",
        "Start it again; it goes on where it stopped.",
    );
    state.ui.layout.split_page(Page::Dashboard, egui_tiles::LinearDir::Horizontal);
    picture(&mut results, "split-light", window(state));

    let mut question = window(on(Page::Models));
    question.run_ok();
    egui_kittest::kittest::Queryable::get_by_label(&question, "Delete Granite 1B").click();
    picture(&mut results, "question-dark", question);
}
