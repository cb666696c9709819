//! Knowledge: the sources, the search over them with its reasons, and lists of documents and problems.

mod browse;
mod results;
mod retrieval_tests;
mod sources;
mod why;

use std::path::Path;

use egui::Ui;
use rspa_core::model::{Passage, SourceId};

use super::{Cx, View};
use crate::commands::UiCommand;
use crate::design::UiExt;
use crate::state::{AppState, DocumentTarget, Signal};
use crate::widgets::column::{Columns, column};

#[derive(Default)]
pub struct KnowledgeView {
    search: results::Search,
    browse: browse::Browse,
    why: why::Why,
}

impl View for KnowledgeView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        for signal in &cx.state.signals {
            match signal {
                Signal::FocusSearch => self.search.focus(),
                Signal::ShowSearch(text) => {
                    self.search.set(text.clone());
                    self.search.ask(cx);
                }
                _ => {}
            }
        }
        let found = self.search.selected(cx.state).is_some();
        let columns = Columns::new(ui.max_rect(), tokens, true, found);
        if let Some(rect) = columns.list {
            column(ui, "sources", rect, true, |ui| {
                match sources::ui(ui, cx, self.search.source()) {
                    Some(sources::Deed::Choose(source)) => {
                        self.search.choose_source(source);
                        self.search.ask(cx);
                        self.browse.documents(source);
                    }
                    Some(sources::Deed::Problems(source)) => {
                        self.search.set(String::new());
                        self.search.choose_source(Some(source));
                        self.search.ask(cx);
                        self.browse.problems();
                    }
                    None => {}
                };
            });
        }
        column(ui, "results", columns.centre, columns.inspector.is_some(), |ui| {
            self.search.field(ui, cx);
            if self.search.is_empty() {
                self.browse.ui(ui, cx, self.search.source());
            } else {
                self.search.ui(ui, cx);
            }
        });
        if let (Some(rect), Some((results, hit))) = (columns.inspector, self.search.selected(cx.state)) {
            column(ui, "why", rect, false, |ui| self.why.ui(ui, cx, results, hit));
        }
    }
}

/// Opens a passage in a pane beside.
fn open(passage: &Passage) -> UiCommand {
    UiCommand::OpenDocument(DocumentTarget {
        path: passage.path.clone(),
        start_line: passage.start_line,
        end_line: passage.end_line,
        hash: passage.document_hash.clone(),
    })
}

/// A path as it is called inside its source.
fn inside(state: &AppState, source: SourceId, path: &Path) -> String {
    let root = state.source(source).map(|status| status.source.path.as_path());
    match root.and_then(|root| path.strip_prefix(root).ok()) {
        Some(rest) if !rest.as_os_str().is_empty() => rest.display().to_string(),
        _ => crate::widgets::citation::file_name(path),
    }
}

#[cfg(test)]
mod tests;
