//! Tests of the knowledge page by accessible label, and pictures of it.

mod documents;
mod nothing;
mod sources;

use egui::{Key, Role};
use egui_kittest::kittest::Queryable;
use rspa_core::api::ApiError;
use rspa_core::model::{ChatId, DocumentKind, MessageId, Origin, SearchMode, SearchResults, StageRank};

use super::KnowledgeView;
use crate::commands::UiCommand;
use crate::commands::pages::chats::ChatsCommand;
use crate::commands::pages::retrieval::RetrievalCommand;
use crate::fixtures::{self, page};
use crate::state::{AppState, Signal, Slot};

const WIDE: (f32, f32) = (1096.0, 774.0);

/// As after a search.
fn searched(results: Slot<SearchResults>) -> AppState {
    let mut state = fixtures::state();
    state.signals.push(Signal::ShowSearch("what happens when a lease expires".into()));
    state.knowledge.results = results;
    state
}

fn shown(results: Slot<SearchResults>, dark: bool) -> egui_kittest::Harness<'static, fixtures::Stage<KnowledgeView>> {
    let mut harness = page::<KnowledgeView>(searched(results), WIDE, dark);
    harness.state_mut().state.signals.clear();
    harness.run();
    harness
}

fn last_search(harness: &egui_kittest::Harness<'_, fixtures::Stage<KnowledgeView>>) -> rspa_core::model::SearchQuery {
    let mut searches = harness.state().commands.iter().filter_map(|command| match command {
        UiCommand::Search(query) => Some(query.clone()),
        _ => None,
    });
    searches.next_back().expect("it was searched")
}

#[test]
fn every_letter_searches_again() {
    let mut harness = page::<KnowledgeView>(fixtures::state(), WIDE, true);
    harness.run();
    harness.get_by_label("Search your sources").focus();
    harness.run();
    for letter in ["l", "e"] {
        harness.get_by_label("Search your sources").type_text(letter);
        harness.run();
    }
    assert_eq!(last_search(&harness).text, "le");
    assert_eq!(harness.state().commands.iter().filter(|c| matches!(c, UiCommand::Search(_))).count(), 2);
}

#[test]
fn what_was_found_is_compared_closely_once_the_typing_rests() {
    let mut harness = page::<KnowledgeView>(fixtures::state(), WIDE, true);
    harness.run();
    harness.get_by_label("Search your sources").focus();
    harness.run();
    harness.get_by_label("Search your sources").type_text("lease");
    harness.step();
    harness.step();
    assert_eq!(last_search(&harness).compare_ms, 0);
    let mut results = SearchResults { query: "lease".into(), ..fixtures::results() };
    results.hits[0].encoder_vector = Some(StageRank { rank: 1, score: 0.8 });
    harness.state_mut().state.knowledge.results = Slot::with(results.clone());
    for _ in 0..8 {
        harness.step();
    }
    let searches = |harness: &egui_kittest::Harness<'_, fixtures::Stage<KnowledgeView>>| {
        harness.state().commands.iter().filter(|command| matches!(command, UiCommand::Search(_))).count()
    };
    assert_eq!((searches(&harness), last_search(&harness).text.as_str()), (2, "lease"));
    assert!(last_search(&harness).compare_ms > 0);

    // The second hit is looked at, and stays so when it becomes the first.
    harness.key_press(Key::ArrowDown);
    harness.step();
    let mut compared = results;
    compared.compared = 2;
    compared.hits.swap(0, 1);
    harness.state_mut().state.knowledge.results = Slot::with(compared);
    for _ in 0..8 {
        harness.step();
    }
    assert_eq!(searches(&harness), 2);
    harness.get_by_label("Token by token");
    // The reasons beside it are still those of that hit.
    harness.get_by_label("Leases.md");
}

#[test]
fn filters_and_mode_narrow_the_search() {
    let mut harness = shown(Slot::with(fixtures::results()), true);
    harness.get_by_label("Chats").click();
    harness.run();
    harness.get_by_label("Any time").click();
    harness.run();
    harness.get_by_label("Past week").click();
    harness.run();
    harness.get_by_label_contains("rspa, 12,406 passages").click();
    harness.run();
    harness.get_by_label("Hybrid").click();
    harness.run();
    harness.get_by_label("Keyword").click();
    harness.run();
    let query = last_search(&harness);
    assert_eq!(query.kinds, [DocumentKind::Chat]);
    assert!(query.after.is_some_and(|after| harness.state().state.now.0 - after.0 == 7 * 24 * 60 * 60 * 1_000));
    assert_eq!(query.sources.len(), 1);
    assert_eq!(query.mode, SearchMode::Keyword);
    assert_eq!(query.text, "what happens when a lease expires");
}

#[test]
fn arrows_choose_and_enter_opens() {
    let mut harness = shown(Slot::with(fixtures::results()), true);
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.get_by_label("Leases.md");
    harness.key_press(Key::Enter);
    harness.run();
    let opened = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::OpenDocument(target) => Some(target.clone()),
        _ => None,
    });
    assert!(opened.expect("a document was opened").path.ends_with("Leases.md"));
    // Escape leaves the search.
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label("Why this passage").is_none());
}

#[test]
fn a_hit_opens_where_it_lives() {
    let (chat, message) = (ChatId(uuid::Uuid::from_u128(5)), MessageId(uuid::Uuid::from_u128(6)));
    let mut results = fixtures::results();
    results.hits[0].passage.origin = Origin::Chat { id: chat, message: Some(message) };
    results.hits[0].passage.kind = DocumentKind::Chat;
    results.hits[0].passage.title = Some("Refactor the scheduler".into());
    let mut harness = shown(Slot::with(results), true);
    harness.get_by_label("Refactor the scheduler, fn lease");
    harness.get_by_label("Open").click();
    harness.run();
    let opens = UiCommand::Chats(ChatsCommand::OpenAt { chat, message: Some(message) });
    assert!(harness.state().commands.contains(&opens));
}

#[test]
fn without_room_the_reasons_come_in_the_place_of_the_hits() {
    let mut harness = page::<KnowledgeView>(searched(Slot::with(fixtures::results())), (620.0, 700.0), true);
    harness.state_mut().state.signals.clear();
    harness.run();
    assert!(harness.query_by_label("rank 3").is_none());
    harness.get_by_label("Why this passage").click();
    harness.run();
    harness.get_by_label("rank 3");
    harness.get_by_label("Back").click();
    harness.run();
    harness.get_by_label("Leases.md, What happens on expiry · lines 4–9");
}

#[test]
fn why_a_passage_was_found_is_shown_and_it_can_be_asked_about() {
    let mut harness = shown(Slot::with(fixtures::results()), true);
    harness.get_by_label("rank 3");
    harness.get_by_label("12.4 · 1.1 ms");
    harness.get_by_label("not among them");
    harness.get_by_label("Ask about it").click();
    harness.run();
    let asked = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Ask(text) => Some(text.clone()),
        _ => None,
    });
    assert_eq!(asked.as_deref(), Some("What does queue.rs say about what happens when a lease expires?"));
}

#[test]
fn nothing_found_and_errors_say_what_to_do() {
    let mut empty = fixtures::results();
    empty.hits.clear();
    let mut harness = shown(Slot::with(empty), true);
    harness.get_by_label("Nothing found");
    harness.get_by_label("Code").click();
    harness.run();
    harness.get_by_label("Clear the filters").click();
    harness.run();
    assert!(last_search(&harness).kinds.is_empty());

    let error = ApiError::validation("The index is being rebuilt", "Wait a moment.");
    let mut harness = shown(Slot::failed(error), true);
    harness.get_by_label("Wait a moment.");
    let before = harness.state().commands.len();
    harness.get_by_label("Try again").click();
    harness.run();
    assert!(harness.state().commands.len() > before);
}

#[test]
fn a_source_says_how_far_it_is_and_what_is_wrong() {
    let mut harness = page::<KnowledgeView>(fixtures::state(), WIDE, true);
    harness.run();
    assert!(harness.query_all_by_label_contains("81 % · 41 files/s · 2 m 00 s left").count() >= 1);
    harness.get_by_label_contains("2 files could not be read");
    harness.get_by_label_contains("Folder is missing");
    harness.get_by_label("More about drive").click();
    harness.run();
    harness.get_by_label("Remove…").click();
    harness.run();
    let asked = harness.state().commands.iter().any(
        |command| matches!(command, UiCommand::Confirm(c) if c.danger && matches!(*c.then, UiCommand::RemoveSource(_))),
    );
    assert!(asked);
}

#[test]
fn the_documents_of_a_source_are_asked_for_once() {
    let mut harness = page::<KnowledgeView>(fixtures::state(), WIDE, true);
    harness.run_steps(5);
    let asked = harness.state().commands.iter().filter(|c| matches!(c, UiCommand::ListDocuments { .. })).count();
    assert_eq!(asked, 1);
    harness.get_by_label("Problems 2").click();
    harness.run_steps(5);
    let asked = harness.state().commands.iter().filter(|c| matches!(c, UiCommand::ListProblems { .. })).count();
    assert_eq!(asked, 1);
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "knowledge_dark"), (false, "knowledge_light")] {
        let mut harness = shown(Slot::with(fixtures::results()), dark);
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}

#[test]
fn why_another_document_is_missing_is_asked_and_told() {
    let mut harness = shown(Slot::with(fixtures::results()), true);
    harness.get_by_label("Why not another…").click();
    harness.run();
    harness.get_by_label("Name of a document").click();
    harness.run();
    harness.get_by_label("Name of a document").type_text("Missing.md");
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let asked = harness
        .state()
        .commands
        .iter()
        .any(|command| matches!(command, UiCommand::ExplainMissing { name, .. } if name == "Missing.md"));
    assert!(asked);
    harness.state_mut().state.knowledge.why_not = Slot::with(rspa_core::model::WhyNot {
        reason: rspa_core::model::MissingReason::LeftOut,
        document: None,
        missing_words: vec!["lease".to_owned()],
        best: None,
        needed: None,
        ms: 1.0,
    });
    harness.run();
    harness.get_by_label_contains("It was left out when its source was read");
    harness.get_by_label("It holds nowhere: lease");
}

fn tested() -> AppState {
    let mut state = fixtures::state();
    state.pages.retrieval.list = Slot::with(fixtures::retrieval_tests());
    state
}

fn retrieval(harness: &egui_kittest::Harness<'_, fixtures::Stage<KnowledgeView>>) -> Vec<RetrievalCommand> {
    let commands = harness.state().commands.iter();
    commands
        .filter_map(|command| match command {
            UiCommand::Retrieval(command) => Some(command.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_hit_is_saved_as_a_test_once() {
    let mut harness = shown(Slot::with(fixtures::results()), true);
    harness.get_by_label("Save as test").click();
    harness.run();
    let results = fixtures::results();
    let question = "what happens when a lease expires".to_owned();
    assert_eq!(retrieval(&harness), [RetrievalCommand::Save { question, passage: results.hits[0].passage.id }]);
    // The same question with the same passage is among the tests.
    let mut all = fixtures::retrieval_tests();
    let passage = &results.hits[0].passage;
    let wanted = &mut all.tests[0].wanted;
    wanted.path.clone_from(&passage.path);
    (wanted.start_line, wanted.end_line) = (passage.start_line, passage.end_line);
    harness.state_mut().state.pages.retrieval.list = Slot::with(all);
    harness.run();
    harness.get_by_label("Saved as test");
    assert!(harness.query_by_label("Save as test").is_none());
}

#[test]
fn retrieval_tests_are_listed_run_and_removed() {
    let mut harness = page::<KnowledgeView>(tested(), WIDE, true);
    harness.run();
    harness.get_by_label("Tests 3").click();
    harness.run();
    harness.get_by_label_contains("what happens when a lease expires, wanted queue.rs");
    harness.get_by_label_contains("place 4 → 1");
    harness.get_by_label_contains("document is gone");
    harness.get_by_label("Run").click();
    harness.run();
    harness.get_by_label("Remove the test “how are backups verified”").click();
    harness.run();
    let id = fixtures::retrieval_tests().tests[1].id;
    assert_eq!(retrieval(&harness), [RetrievalCommand::Run, RetrievalCommand::Remove(id)]);
}

#[test]
fn other_settings_are_tried_compared_and_taken_over() {
    let mut harness = page::<KnowledgeView>(tested(), WIDE, true);
    harness.run();
    harness.get_by_label("Tests 3").click();
    harness.run();
    // Per stage, beside those of the index in use.
    harness.get_by_label("Ranking, 0.625, 1.000, 1.000, 1.000");
    harness.get_by_label("Use these settings").click();
    harness.run();
    let tried = fixtures::retrieval_tests().trial.unwrap().new.settings;
    assert_eq!(retrieval(&harness), [RetrievalCommand::Adopt(tried.clone())]);
    harness.get_by_label("Try other settings…").click();
    harness.run();
    harness.get_by_label("These settings are in force already.");
    harness.get_by_role_and_label(Role::TextInput, "Passage size in characters").focus();
    harness.run();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Passage size in characters").type_text("99");
    harness.run();
    harness.get_by_label("A passage may have 200 to 4,000 characters.");
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Passage size in characters").type_text("600");
    harness.run();
    harness.get_by_label("Try").click();
    harness.run();
    let wanted = rspa_core::model::RetrievalSettings { chunk_size: 600, ..fixtures::retrieval_tests().settings };
    assert_eq!(retrieval(&harness)[1..], [RetrievalCommand::Try(wanted)]);
    // In force by now: nothing is left to take over.
    harness.state_mut().state.pages.retrieval.list.get_mut().unwrap().settings = tried;
    harness.run();
    harness.get_by_label("In force now");
    assert!(harness.query_by_label("Use these settings").is_none());
}

#[test]
fn a_trial_shows_how_far_it_is_and_can_be_cancelled() {
    let mut state = tested();
    let job = fixtures::measuring();
    state.jobs.push(job.clone());
    let mut harness = page::<KnowledgeView>(state, WIDE, true);
    harness.run();
    harness.get_by_label("Tests 3").click();
    harness.run();
    harness.get_by_label_contains("40 %");
    harness.get_by_label("Cancel Try other search settings").click();
    harness.run();
    assert!(harness.state().commands.iter().any(|c| matches!(c, UiCommand::CancelJob(id) if *id == job.id)));
    harness.get_by_label("Run").click();
    harness.run();
    assert!(retrieval(&harness).is_empty(), "one at a time");
}

#[test]
fn without_tests_loading_and_failing_the_part_says_what_to_do() {
    let mut harness = page::<KnowledgeView>(fixtures::state(), WIDE, true);
    harness.run();
    harness.get_by_label("Tests").click();
    harness.run();
    assert!(harness.query_all_by_label("Reading the retrieval tests…").count() >= 1);
    let mut none = fixtures::retrieval_tests();
    none.tests.clear();
    harness.state_mut().state.pages.retrieval.list = Slot::with(none);
    harness.run();
    harness.get_by_label("No retrieval tests");
    harness.state_mut().state.pages.retrieval.list = Slot::failed(ApiError::validation("It is damaged", "Look."));
    harness.run();
    harness.get_by_label("Try again").click();
    harness.run();
    assert_eq!(retrieval(&harness), [RetrievalCommand::Refresh]);
}
