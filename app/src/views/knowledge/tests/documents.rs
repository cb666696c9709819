//! One document beside the list: what it is, how well it was read, and how it is built.

use egui::Key;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use rspa_core::api::ApiError;
use rspa_core::model::{Document, DocumentKind, DocumentOutline, Page};

use super::*;
use crate::fixtures::{Stage, document, outline, outline_heading};

const NARROW: (f32, f32) = (620.0, 700.0);

type Window = Harness<'static, Stage<KnowledgeView>>;

/// A list of these documents, with the source chosen.
fn listing(documents: Vec<Document>, size: (f32, f32)) -> Window {
    let mut state = fixtures::state();
    let source = documents[0].source;
    let page = Page { total: documents.len() as u64, offset: 0, items: documents };
    state.knowledge.documents.insert(source, Slot::with(page));
    let mut harness = page_of(state, size);
    harness.run();
    harness
}

fn page_of(state: AppState, size: (f32, f32)) -> Window {
    fixtures::page::<KnowledgeView>(state, size, true)
}

fn report() -> Document {
    let mut report = document(30, "reports/annual.pdf");
    report.kind = DocumentKind::Pdf;
    report.title = Some("Annual report".into());
    report.confidence = 0.87;
    report.note = Some("3 of 24 pages hold pictures of text.".into());
    report.metadata = vec![("author".into(), "Ada Lovelace".into()), ("date".into(), "2026-03-04".into())];
    report
}

fn built() -> DocumentOutline {
    DocumentOutline {
        headings: vec![
            outline_heading(3, 1, "Summary"),
            outline_heading(9, 2, "Figures"),
            outline_heading(60, 1, "Outlook"),
        ],
        tables: vec![(12, 18)],
        pages: vec![1, 40, 80],
        ..outline(report())
    }
}

fn described(harness: &Window) -> usize {
    harness.state().commands.iter().filter(|command| matches!(command, UiCommand::DescribeDocument(_))).count()
}

fn opened(harness: &Window) -> Option<(u32, u32)> {
    harness.state().commands.iter().rev().find_map(|command| match command {
        UiCommand::OpenDocument(target) => Some((target.start_line, target.end_line)),
        _ => None,
    })
}

#[test]
fn a_document_shows_its_facts_at_once_and_its_structure_when_it_comes() {
    let mut harness = listing(vec![report(), document(31, "notes.md")], WIDE);
    harness.get_by_label("reports/annual.pdf").click();
    harness.run();
    assert!(described(&harness) >= 1);
    // The list knows all but the structure.
    harness.get_by_label("Annual report");
    harness.get_by_label("87 % read");
    harness.get_by_label("3 of 24 pages hold pictures of text.");
    harness.get_by_label("Author");
    harness.get_by_label("Ada Lovelace");
    harness.get_by_label("34 ms");
    assert!(harness.query_all_by_label("Reading the document…").count() > 0);
    let path = report().path;
    harness.state_mut().state.knowledge.outlines.insert(path, Slot::with(built()));
    harness.run();
    harness.get_by_label_contains("3 pages · 120 lines");
    harness.get_by_label("Headings · 3");
    harness.get_by_label("Figures, page 1").click();
    harness.run();
    assert_eq!(opened(&harness), Some((9, 9)));
    harness.get_by_label("Table 1, page 1").click();
    harness.run();
    assert_eq!(opened(&harness), Some((12, 18)));
    harness.get_by_label("Page 2, line 40").click();
    harness.run();
    assert_eq!(opened(&harness), Some((40, 40)));
    // A branch is folded and unfolded.
    harness.get_by_label("Fold Summary").click();
    harness.run();
    assert!(harness.query_by_label("Figures, page 1").is_none());
    harness.get_by_label("Unfold Summary").click();
    harness.run();
    harness.get_by_label("Figures, page 1");
    harness.get_by_label("Close").click();
    harness.run();
    assert!(harness.query_by_label("Annual report").is_none() && harness.query_by_label("87 % read").is_none());
}

#[test]
fn the_arrows_choose_and_enter_on_the_chosen_one_opens() {
    let mut harness = listing(vec![report(), document(31, "notes.md")], WIDE);
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.get_by_label("87 % read");
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.get_by_label("Read in full");
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label("Read in full").is_none());
    harness.get_by_label("notes.md").click();
    harness.run();
    harness.get_by_role_and_label(egui::Role::ListItem, "notes.md").focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(opened(&harness), Some((0, 0)));
}

#[test]
fn without_room_the_document_stands_in_the_place_of_the_list() {
    let mut harness = listing(vec![report()], NARROW);
    harness.get_by_label("reports/annual.pdf").click();
    harness.run();
    harness.get_by_label("87 % read");
    assert!(harness.query_by_label("Search your sources").is_none());
    harness.get_by_label("Back").click();
    harness.run();
    harness.get_by_label("Search your sources");
}

#[test]
fn a_document_that_cannot_be_read_again_says_why() {
    let mut harness = listing(vec![report()], WIDE);
    harness.get_by_label("reports/annual.pdf").click();
    let error = ApiError::validation("the file is not there any more", "Look for changes in its source.");
    harness.state_mut().state.knowledge.outlines.insert(report().path, Slot::failed(error));
    harness.run();
    harness.get_by_label_contains("Look for changes in its source.");
    let before = described(&harness);
    harness.get_by_label("Try again").click();
    harness.run();
    assert!(described(&harness) > before);
    // Nothing but its place is known: the error stands alone.
    let mut state = fixtures::state();
    state.signals.push(Signal::ShowDocument(report().path));
    let error = ApiError::validation("no source holds it", "Add its folder.");
    state.knowledge.outlines.insert(report().path, Slot::failed(error));
    let mut harness = page_of(state, WIDE);
    harness.run();
    harness.get_by_label("No source holds it");
    harness.get_by_label("Add its folder.");
}

#[test]
fn a_document_without_structure_says_so() {
    let mut harness = listing(vec![report()], WIDE);
    harness.get_by_label("reports/annual.pdf").click();
    harness.state_mut().state.knowledge.outlines.insert(report().path, Slot::with(outline(report())));
    harness.run();
    harness.get_by_label("It has no headings, symbols, tables or pages.");
}

#[test]
fn of_ten_thousand_headings_only_those_in_view_are_drawn() {
    let mut harness = listing(vec![report()], WIDE);
    harness.get_by_label("reports/annual.pdf").click();
    let headings = (0..10_000).map(|n| outline_heading(n + 1, 1 + (n % 3) as u8, &format!("Chapter {n}"))).collect();
    let long = DocumentOutline { headings, ..outline(report()) };
    harness.state_mut().state.knowledge.outlines.insert(report().path, Slot::with(long));
    harness.run();
    let drawn = harness.query_all_by_label_contains("Chapter ").count();
    assert!((5..80).contains(&drawn), "{drawn}");
}

#[test]
fn a_hit_leads_to_its_document_and_back() {
    let mut harness = shown(Slot::with(fixtures::results()), true);
    harness.get_by_label("Structure").click();
    harness.run();
    let asked = harness.state().commands.iter().any(
        |command| matches!(command, UiCommand::DescribeDocument(path) if path.ends_with("core/src/tasks/queue.rs")),
    );
    assert!(asked);
    let file = document(40, "core/src/tasks/queue.rs");
    harness.state_mut().state.knowledge.outlines.insert(file.path.clone(), Slot::with(outline(file)));
    harness.run();
    harness.get_by_label("Read in full");
    harness.get_by_label("Why this passage").click();
    harness.run();
    harness.get_by_label("rank 3");
}

#[test]
fn hostile_words_are_cut_and_harmless() {
    let evil = format!("a\u{202e}gnp\u{1b}[31m\r\n\t\u{0}{}", "x".repeat(100_000));
    let mut hostile = report();
    hostile.title = Some(evil.clone());
    hostile.note = Some(evil.clone());
    hostile.metadata = vec![(evil.clone(), evil.clone()); 500];
    let mut harness = listing(vec![hostile.clone()], WIDE);
    harness.get_by_label("reports/annual.pdf").click();
    let headings = (1..50).map(|line| outline_heading(line, 200, &evil)).collect();
    let whole = DocumentOutline { headings, ..outline(hostile.clone()) };
    harness.state_mut().state.knowledge.outlines.insert(hostile.path, Slot::with(whole));
    harness.run();
    let mut seen = 0;
    for node in harness.query_all_by(|_| true) {
        let node = node.accesskit_node();
        for text in [node.label(), node.value()].into_iter().flatten() {
            assert!(text.chars().count() < 1_500, "{} letters", text.chars().count());
            assert!(!text.chars().any(|letter| letter == '\u{202e}' || letter == '\u{1b}' || letter == '\0'));
            seen += 1;
        }
    }
    assert!(seen > 20);
}
