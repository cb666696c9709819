//! Knowledge: the sources, the search over them with its reasons, documents with their structure, and problems.

mod browse;
mod detail;
mod filters;
mod nothing;
mod outline;
mod results;
mod retrieval_tests;
mod sources;
mod why;
mod why_not;

use std::path::{Path, PathBuf};

use egui::{Key, Popup, Ui};
use rspa_core::model::{Document, Origin, Passage, SourceId, SourceKind};

use super::{Cx, View};
use crate::design::{Icon, UiExt};
use crate::state::{AppState, Signal};
use crate::text::{short, tr};
use crate::widgets::citation::{document_name, file_name, name};
use crate::widgets::column::{Columns, column};
use crate::widgets::{Button, IconButton, column_header};

/// Letters of a path that are shown in a row.
const SHOWN: usize = 300;

#[derive(Default)]
pub struct KnowledgeView {
    search: results::Search,
    browse: browse::Browse,
    why: why::Why,
    detail: detail::Detail,
    /// The document that is looked at; else, of a search, the hit.
    looked_at: Option<PathBuf>,
    /// Where there is no room beside the list: the hit or the document is shown in its place.
    in_place: bool,
}

/// What the inspector shows.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    Nothing,
    Why,
    Document,
}

impl View for KnowledgeView {
    fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        self.hear(cx);
        self.escape(ui, cx);
        let found = self.search.selected(cx.state).is_some();
        let shown = match (&self.looked_at, found) {
            (Some(_), _) => Shown::Document,
            (None, true) => Shown::Why,
            (None, false) => Shown::Nothing,
        };
        let columns = Columns::new(ui.max_rect(), tokens, true, shown != Shown::Nothing);
        if let Some(rect) = columns.list {
            column(ui, "sources", rect, true, |ui| self.sources(ui, cx));
        }
        let beside = columns.inspector.is_some();
        self.in_place &= !beside && shown != Shown::Nothing;
        column(ui, "results", columns.centre, beside, |ui| {
            if self.in_place {
                self.inspector(ui, cx, shown, true);
                return;
            }
            if self.search.field(ui, cx) {
                self.looked_at = None;
            }
            if self.search.is_empty() {
                let source = self.search.source();
                match self.browse.ui(ui, cx, source, self.looked_at.as_deref()) {
                    Some(browse::Deed::Look(path)) => {
                        self.in_place = !beside;
                        self.looked_at = Some(path);
                    }
                    Some(browse::Deed::Leave) => self.looked_at = None,
                    None => {}
                }
            } else {
                match self.search.ui(ui, cx, beside) {
                    Some(results::Deed::Chosen) => self.looked_at = None,
                    Some(results::Deed::Why) => {
                        self.looked_at = None;
                        self.in_place = true;
                    }
                    None => {}
                }
            }
        });
        if let Some(rect) = columns.inspector {
            column(ui, "why", rect, false, |ui| self.inspector(ui, cx, shown, false));
        }
    }
}

impl KnowledgeView {
    fn hear(&mut self, cx: &mut Cx<'_>) {
        for signal in &cx.state.signals {
            match signal {
                Signal::FocusSearch => self.search.focus(),
                Signal::ShowSearch(text) => {
                    self.search.set(text.clone());
                    self.search.ask(cx);
                    self.looked_at = None;
                }
                Signal::ShowDocument(path) => {
                    self.looked_at = Some(path.clone());
                    self.in_place = true;
                }
                _ => {}
            }
        }
    }

    /// Escape goes back one step: from what is shown in place, from the document, from the search.
    fn escape(&mut self, ui: &Ui, cx: &mut Cx<'_>) {
        let pressed = cx.focused && ui.input(|input| input.key_pressed(Key::Escape));
        if !pressed || Popup::is_any_open(ui.ctx()) || ui.memory(|memory| memory.top_modal_layer().is_some()) {
            return;
        }
        if std::mem::take(&mut self.in_place) {
            // Of a search the reasons are left, of a list the document.
            if self.search.is_empty() {
                self.looked_at = None;
            }
        } else if self.looked_at.take().is_none() {
            self.search.leave();
        }
    }

    fn sources(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        match sources::ui(ui, cx, self.search.source()) {
            Some(sources::Deed::Choose(source)) => {
                self.search.choose_source(source);
                self.search.ask(cx);
                self.browse.documents();
                self.looked_at = None;
            }
            Some(sources::Deed::Problems(source)) => {
                self.search.set(String::new());
                self.search.choose_source(Some(source));
                self.search.ask(cx);
                self.browse.problems();
                self.looked_at = None;
            }
            None => {}
        }
    }

    /// Why a hit was found, or a document; `alone` in the place of the list.
    fn inspector(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, shown: Shown, alone: bool) {
        let hit = self.search.selected(cx.state);
        let mut close = false;
        let mut why_not = self.why.why_not.is_open();
        let title = if shown == Shown::Why { tr("knowledge.why.title") } else { tr("knowledge.detail.title") };
        column_header(ui, title, |ui| {
            let searching = hit.is_some() && shown == Shown::Document;
            if alone {
                close = ui.add(IconButton::new(Icon::ArrowLeft, tr("common.back"))).clicked();
            } else if shown == Shown::Document && !searching {
                close = ui.add(IconButton::new(Icon::X, tr("common.close"))).clicked();
            }
            if searching {
                let back = Button::new(tr("knowledge.detail.back")).icon(Icon::ArrowLeft).quiet().small();
                if ui.add(back).clicked() {
                    self.looked_at = None;
                }
            }
            if shown == Shown::Why {
                let other = Button::new(tr("knowledge.why.why_not")).icon(Icon::Question).quiet().small();
                if ui.add(other.selected(why_not)).clicked() {
                    why_not = !why_not;
                }
            }
        });
        if why_not != self.why.why_not.is_open() {
            self.why.why_not.toggle();
        }
        match (shown, hit, self.looked_at.clone()) {
            // The pane that opens may take the room: the structure stays, to go on with.
            (Shown::Document, _, Some(path)) => self.in_place |= self.detail.ui(ui, cx, &path),
            (Shown::Why, Some((results, hit)), _) => {
                let whole = self.why.ui(ui, cx, results, hit);
                self.looked_at = whole.then(|| hit.passage.path.clone());
            }
            _ => {}
        }
        if close {
            self.in_place = false;
            self.looked_at = None;
        }
    }
}

/// What a passage is a piece of: a file by its path in its source, everything else as it calls itself.
fn passage_name(state: &AppState, passage: &Passage) -> String {
    match passage.origin {
        Origin::File => inside(state, passage.source, &passage.path),
        _ => name(passage),
    }
}

/// As [`passage_name`], of a document of a list.
fn listed_name(state: &AppState, document: &Document) -> String {
    let is_page = state.source(document.source).is_some_and(|status| status.source.kind == SourceKind::Web);
    if let Some(title) = document.title.as_deref().map(str::trim).filter(|title| is_page && !title.is_empty()) {
        return short(title, SHOWN);
    }
    let name = document_name(document);
    match name == file_name(&document.path) {
        true => inside(state, document.source, &document.path),
        false => name,
    }
}

/// A path as it is called inside its source.
fn inside(state: &AppState, source: SourceId, path: &Path) -> String {
    let root = state.source(source).map(|status| status.source.path.as_path());
    match root.and_then(|root| path.strip_prefix(root).ok()) {
        Some(rest) if !rest.as_os_str().is_empty() => short(&rest.to_string_lossy(), SHOWN),
        _ => file_name(path),
    }
}

#[cfg(test)]
mod tests;
