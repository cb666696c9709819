//! Nothing was found: what was searched, what filters leave out, and why a document is missing.

use egui_kittest::kittest::Queryable;
use rspa_core::model::{MissingReason, SearchFilter, SourceState, WhyNot};

use super::*;

fn empty() -> SearchResults {
    SearchResults { hits: Vec::new(), ..fixtures::results() }
}

#[test]
fn it_says_what_was_searched_and_what_is_not_there() {
    let mut state = searched(Slot::with(empty()));
    let sources = state.knowledge.sources.get_mut().unwrap();
    sources[0].state = SourceState::Paused;
    let mut harness = page::<KnowledgeView>(state, WIDE, true);
    harness.state_mut().state.signals.clear();
    harness.run();
    harness.get_by_label("Nothing found");
    harness.get_by_label("Searched: 16,901 passages in 4 sources.");
    harness.get_by_label("rspa is paused.");
    harness.get_by_label("papers has not been read to the end yet.");
    harness.get_by_label("drive is not there now; what was read of it is searched.");
    harness.get_by_label("2 files could not be read in full.");
}

#[test]
fn each_filter_says_what_it_leaves_out_and_goes_alone() {
    let mut harness = shown(Slot::with(empty()), true);
    harness.get_by_label("Notes").click();
    harness.run();
    harness.get_by_label("Any time").click();
    harness.run();
    harness.get_by_label("Past week").click();
    harness.run();
    let wanted = harness.state().commands.iter().rev().find_map(|command| match command {
        UiCommand::SearchBeyond(query) => Some(query.clone()),
        _ => None,
    });
    let wanted = wanted.expect("it is counted without filters");
    assert!(wanted.kinds.is_empty() && wanted.after.is_none() && wanted.text.contains("lease"));
    // One is code; the two notes must be too old.
    harness.state_mut().state.knowledge.beyond = Some((wanted, Slot::with(fixtures::results())));
    harness.run();
    harness.get_by_label("Without these filters: 3 passages");
    harness.get_by_label("leaves out 1");
    harness.get_by_label("leaves out 2");
    harness.get_by_label("Remove the filter Notes").click();
    harness.run();
    let query = last_search(&harness);
    assert!(query.kinds.is_empty() && query.after.is_some());
}

#[test]
fn why_a_document_is_missing_is_asked_here_too() {
    let mut harness = shown(Slot::with(empty()), true);
    harness.get_by_label("Why is a document missing?").click();
    harness.run();
    // The field has the keyboard at once.
    harness.get_by_label("Name of a document").type_text("Leases.md");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let asked = |harness: &egui_kittest::Harness<'_, fixtures::Stage<KnowledgeView>>| {
        harness
            .state()
            .commands
            .iter()
            .any(|command| matches!(command, UiCommand::ExplainMissing { name, .. } if name == "Leases.md"))
    };
    assert!(asked(&harness));
    harness.state_mut().state.knowledge.why_not = Slot::with(WhyNot {
        reason: MissingReason::Filtered { by: SearchFilter::Time },
        document: Some(fixtures::document(50, "Leases.md")),
        missing_words: Vec::new(),
        best: None,
        needed: None,
        ms: 1.0,
    });
    harness.run();
    harness.get_by_label("A filter of this search leaves Leases.md out. It was last changed at another time.");
    harness.get_by_label("Structure").click();
    harness.run();
    let shown = |command: &UiCommand| matches!(command, UiCommand::ShowDocument(path) if path.ends_with("Leases.md"));
    assert!(harness.state().commands.iter().any(shown));
    let error = ApiError::validation("the index is being rebuilt", "Wait a moment.");
    harness.state_mut().state.knowledge.why_not = Slot::failed(error);
    harness.run();
    harness.get_by_label("The index is being rebuilt. Wait a moment.");
}

#[test]
fn an_error_takes_the_place_of_older_hits() {
    let mut slot = Slot::with(fixtures::results());
    slot.fail(ApiError::validation("the question is too long", "Ask with fewer words."));
    let mut harness = shown(slot, true);
    harness.get_by_label("Ask with fewer words.");
    assert!(harness.query_by_label("rank 3").is_none(), "reasons of hits that are not shown");
    harness.run();
}
