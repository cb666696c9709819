//! The column of sources: what can be added, pages of the web, and what each is.

use egui_kittest::kittest::Queryable;
use rspa_core::model::SourceKind;

use super::*;
use crate::commands::Action;
use crate::fixtures::NOW;

fn with_page(problems: u64) -> AppState {
    let mut state = fixtures::state();
    let mut page = fixtures::source(20, "docs.example/ovens", 12);
    page.source.kind = SourceKind::Web;
    page.source.address = Some("https://docs.example/ovens".into());
    page.problems = problems;
    page.completed = Some(rspa_core::model::Timestamp(NOW.0 - 3 * 60 * 60 * 1_000));
    state.knowledge.sources.get_mut().unwrap().push(page);
    state
}

#[test]
fn the_menu_says_what_each_takes() {
    let mut harness = page::<KnowledgeView>(fixtures::state(), WIDE, true);
    harness.run();
    harness.get_by_label("Add a source").click();
    harness.run();
    harness.get_by_label("Add a folder");
    harness.get_by_label("Add a file");
    harness.get_by_label("Add a page of the web").click();
    harness.run();
    assert!(harness.state().commands.contains(&UiCommand::Run(Action::AddPage)));
}

#[test]
fn a_page_says_when_it_was_fetched_and_is_fetched_again_with_leave() {
    let mut harness = page::<KnowledgeView>(with_page(0), WIDE, true);
    harness.run();
    harness.get_by_label_contains("Fetched 3 h ago");
    harness.get_by_label("More about docs.example/ovens").click();
    harness.run();
    harness.get_by_label("Fetch again…").click();
    harness.run();
    let asked = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Confirm(question) => Some(question.clone()),
        _ => None,
    });
    let question = asked.expect("the host is confirmed first");
    assert!(question.title.contains("docs.example") && question.consequence.contains("https://docs.example/ovens"));
    assert!(matches!(*question.then, UiCommand::AddPage { .. }));

    let mut harness = page::<KnowledgeView>(with_page(1), WIDE, true);
    harness.run();
    harness.get_by_label_contains("Not fetched again · kept from 3 h ago");
}
