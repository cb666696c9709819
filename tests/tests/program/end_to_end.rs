//! The main job in the real window: pick a folder, ask, read the answer as it comes, open what it cites.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use rspa_tests::documents;
use rspa_tests::window::{Element, Window, picture};
use rspa_tests::world::World;

const QUESTION: &str = "Who is the harbour master of Port Ellery?";
const QUOTED: &str = "The harbour master of Port Ellery is Ingrid Solberg.";

#[test]
fn a_first_time_user_reaches_a_cited_answer_about_a_folder_of_their_own() {
    let world = World::with_models();
    let folder = world.home().join("harbour papers");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(
        folder.join("people.md"),
        format!("# Port Ellery\n\n{QUOTED}\n\n# Crew\n\nTwo pilots serve the port.\n"),
    )
    .unwrap();
    std::fs::write(
        folder.join("fees.docx"),
        documents::docx(&["Mooring fees", "A night at the pier costs twelve crowns."]),
    )
    .unwrap();
    std::fs::write(folder.join("tide.pdf"), documents::pdf(&["The spring tide rises three metres."])).unwrap();

    let mut window = Window::open(&world);
    window.named("Choose a folder");
    window.screenshot(&picture("01-welcome.png"));
    window.click("Choose a folder");
    let entry = window.wait_for("the folder in the picker", |element| {
        element.role == Role::ListItem && element.name.starts_with("harbour papers") && element.centre.is_some()
    });
    window.screenshot(&picture("02-picker.png"));
    window.click_element(&entry);
    let choose = window.wait_for("the button that chooses the folder", |element| {
        element.role == Role::Button && element.name.starts_with("Choose") && element.name.contains("harbour papers")
    });
    window.screenshot(&picture("03-folder-chosen.png"));
    window.click_element(&choose);

    let question = window.wait_for("the question field", |element| {
        matches!(element.role, Role::TextInput | Role::MultilineTextInput)
            && element.name == "Question"
            && element.centre.is_some()
    });
    window.click_element(&question);
    window.type_text(QUESTION);
    window.wait_for("the typed question", |element| element.value == QUESTION);
    window.screenshot(&picture("04-question.png"));
    window.press(Key::Enter, Modifiers::NONE);
    window.wait_for("the beginning of the answer", |element| {
        element.role == Role::Label && element.value.contains("Solberg")
    });
    window.screenshot(&picture("05-answer.png"));
    let citation = window.wait_for("a citation chip", |element| {
        element.role == Role::Button && element.name == "Source 1" && element.centre.is_some()
    });
    window.screenshot(&picture("06-cited.png"));
    window.click_element(&citation);
    window.named("Open document");
    window.wait_for("the passage", |element| shows(element, "# Port Ellery"));
    window.wait_for("the quoted line in the passage", quoted);
    window.screenshot(&picture("07-passage.png"));
    window.click("Open document");
    window.named("Copy the path");
    window.wait_for("the whole document", |element| shows(element, "Two pilots serve the port."));
    window.wait_for("the quoted line in the document", quoted);
    window.screenshot(&picture("08-document.png"));
}

fn shows(element: &Element, line: &str) -> bool {
    element.role == Role::Label && element.value.trim() == line
}

/// A row of the quoted line, which may be wrapped. The answer itself has its citation behind it, so it is none.
fn quoted(element: &Element) -> bool {
    element.role == Role::Label && element.value.trim().len() >= 20 && QUOTED.contains(element.value.trim())
}
