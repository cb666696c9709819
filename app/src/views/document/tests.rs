//! Tests of the document pane: where it opens, what it asks for, and that only lines in view are laid out.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use rspa_core::model::{DocumentKind, DocumentText};

use super::DocumentView;
use crate::commands::UiCommand;
use crate::fixtures::{self, Stage, stage};
use crate::state::{AppState, DocumentTarget, Slot};

fn target(line: u32) -> DocumentTarget {
    DocumentTarget { path: "/home/ada/big.rs".into(), start_line: line, end_line: line + 1, hash: String::new() }
}

fn text(first: u32, count: u32, total: u32) -> DocumentText {
    DocumentText {
        path: "/home/ada/big.rs".into(),
        kind: DocumentKind::Code,
        title: None,
        first_line: first,
        lines: (first..first + count).map(|line| format!("let line_{line} = {line};")).collect(),
        total_lines: total,
        changed: false,
    }
}

fn shown(state: AppState, line: u32) -> Harness<'static, Stage<DocumentView>> {
    stage(DocumentView::default(), state, (600.0, 600.0), true, move |view, ui, cx| view.show(&target(line), ui, cx))
}

fn asked(harness: &Harness<'_, Stage<DocumentView>>) -> Vec<(u32, u32)> {
    let ranges = harness.state().commands.iter().filter_map(|command| match command {
        UiCommand::ReadDocument { start_line, end_line, .. } => Some((*start_line, *end_line)),
        _ => None,
    });
    ranges.collect()
}

#[test]
fn it_asks_for_the_lines_around_the_citation_once() {
    let mut harness = shown(fixtures::state(), 50_000);
    harness.run_steps(4);
    let asked = asked(&harness);
    assert_eq!(asked.len(), 1);
    assert!(asked[0].0 < 50_000 && asked[0].1 > 50_000 && asked[0].1 - asked[0].0 < 2000);
}

#[test]
fn a_large_document_opens_at_its_line_and_lays_out_only_what_is_in_view() {
    let mut state = fixtures::state();
    state.knowledge.texts.insert(target(50_000), Slot::with(text(49_200, 1600, 100_000)));
    let mut harness = shown(state, 50_000);
    harness.run_steps(4);
    harness.get_by_label("let line_50000 = 50000;");
    let lines = harness.query_all_by_label_contains("let line_").count();
    assert!((10..60).contains(&lines), "{lines}");
    assert!(asked(&harness).is_empty(), "all that is near is there");
}

#[test]
fn near_the_end_of_what_is_loaded_more_is_asked_for() {
    let mut state = fixtures::state();
    state.knowledge.texts.insert(target(50_000), Slot::with(text(49_950, 100, 100_000)));
    let mut harness = shown(state, 50_000);
    harness.run_steps(4);
    assert_eq!(asked(&harness).len(), 1);
    // What comes then does not move what the reader looks at.
    let before = harness.get_by_label("let line_50000 = 50000;").rect().top();
    harness.state_mut().state.knowledge.texts.insert(target(50_000), Slot::with(text(49_200, 1600, 100_000)));
    harness.run_steps(3);
    let after = harness.get_by_label("let line_50000 = 50000;").rect().top();
    assert!((before - after).abs() < 1.0, "{before} {after}");
}

#[test]
fn a_changed_document_says_so() {
    let mut state = fixtures::state();
    state.knowledge.texts.insert(target(3), Slot::with(DocumentText { changed: true, ..text(1, 20, 20) }));
    let mut harness = shown(state, 3);
    harness.run_steps(3);
    harness.get_by_label_contains("has changed since it was indexed");
}
