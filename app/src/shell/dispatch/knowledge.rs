//! Commands about sources, documents and search.

use std::path::PathBuf;

use rspa_core::api::request::knowledge::{
    AddPage, AddSampleSource, AddSource, DescribeDocument, ExplainMissing, ListDocuments, ListProblems, PauseSource,
    ReadDocument, RemoveSource, RescanSource, Search,
};
use rspa_core::model::{PageRequest, SearchQuery, SourceId, SourceStatus};

use crate::shell::Shell;
use crate::state::{AppState, DocumentTarget, NoticeKind, Slot};
use crate::text::{path as short, tr, tr_with};

/// Documents whose text is kept.
const KEPT_TEXTS: usize = 24;
/// Documents whose structure is kept.
const KEPT_OUTLINES: usize = 8;

impl Shell {
    pub(super) fn search(&mut self, query: SearchQuery) {
        let knowledge = &mut self.state.knowledge;
        knowledge.query = query.clone();
        knowledge.why_not.clear();
        knowledge.beyond = None;
        if query.text.trim().is_empty() {
            knowledge.results.clear();
        } else if let Some(core) = self.engine.core() {
            knowledge.results.ask(core.call(Search { query }));
        }
    }

    /// The answer stays until another search is asked for.
    pub(super) fn search_beyond(&mut self, query: SearchQuery) {
        let Some(core) = self.engine.core() else { return };
        let mut slot = Slot::default();
        slot.ask(core.call(Search { query: query.clone() }));
        self.state.knowledge.beyond = Some((query, slot));
    }

    pub(super) fn describe_document(&mut self, path: PathBuf) {
        let Some(core) = self.engine.core() else { return };
        let outlines = &mut self.state.knowledge.outlines;
        if outlines.len() >= KEPT_OUTLINES && !outlines.contains_key(&path) {
            outlines.retain(|_, slot| slot.is_waiting());
        }
        outlines.entry(path.clone()).or_default().ask(core.call(DescribeDocument { path }));
    }

    /// The dialog shows how it goes; see `shell::page_dialog`.
    pub(super) fn fetch_page(&mut self, address: String, confirmed_host: String) {
        self.type_page(address.clone());
        let Some(core) = self.engine.core() else { return };
        let page = &mut self.state.knowledge.page;
        page.clear();
        page.ask(core.call(AddPage { address, confirmed_host: Some(confirmed_host) }));
    }

    pub(super) fn explain_missing(&mut self, query: SearchQuery, name: String) {
        if let Some(core) = self.engine.core() {
            self.state.knowledge.why_not.ask(core.call(ExplainMissing { query, path: PathBuf::from(name) }));
        }
    }

    pub(super) fn add_source(&mut self, path: PathBuf) {
        self.engine.send(&mut self.state, AddSource { path }, |state, _, status| {
            let title = tr_with("source.added", &[("path", &short(&status.source.path))]);
            state.notices.push(state.now, NoticeKind::Info, title, tr("source.added_detail"));
            put(state, status);
        });
    }

    pub(super) fn add_sample_source(&mut self) {
        self.engine.send(&mut self.state, AddSampleSource {}, |state, _, status| put(state, status));
    }

    pub(super) fn remove_source(&mut self, id: SourceId) {
        self.engine.send(&mut self.state, RemoveSource { id }, move |state, _, item| {
            super::trash::offer_undo(state, &item, None);
            if let Some(sources) = state.knowledge.sources.get_mut() {
                sources.retain(|status| status.source.id != id);
            }
        });
    }

    pub(super) fn pause_source(&mut self, id: SourceId, paused: bool) {
        self.engine.send(&mut self.state, PauseSource { id, paused }, |state, _, status| put(state, status));
    }

    pub(super) fn rescan_source(&mut self, id: SourceId) {
        self.engine.send(&mut self.state, RescanSource { id }, |state, _, status| put(state, status));
    }

    pub(super) fn rescan_all(&mut self) {
        let ids: Vec<SourceId> =
            self.state.knowledge.sources.get().into_iter().flatten().map(|status| status.source.id).collect();
        for id in ids {
            self.rescan_source(id);
        }
    }

    pub(super) fn list_documents(&mut self, source: SourceId, filter: String, page: PageRequest) {
        if let Some(core) = self.engine.core() {
            let slot = self.state.knowledge.documents.entry(source).or_default();
            slot.ask(core.call(ListDocuments { source, filter, page }));
        }
    }

    pub(super) fn list_problems(&mut self, source: Option<SourceId>, page: PageRequest) {
        if let Some(core) = self.engine.core() {
            let slot = self.state.knowledge.problems.entry(source).or_default();
            slot.ask(core.call(ListProblems { source, page }));
        }
    }

    pub(super) fn read_document(&mut self, target: DocumentTarget, start_line: u32, end_line: u32) {
        let Some(core) = self.engine.core() else { return };
        let texts = &mut self.state.knowledge.texts;
        if texts.len() >= KEPT_TEXTS && !texts.contains_key(&target) {
            let open =
                |known: &DocumentTarget| self.state.ui.layout.is_visible(&crate::layout::Pane::Document(known.clone()));
            texts.retain(|known, slot| slot.is_waiting() || open(known));
        }
        let request = ReadDocument { path: target.path.clone(), start_line, end_line };
        texts.entry(target).or_default().ask(core.call(request));
    }
}

/// Puts a source into the list, over its older self.
pub(in crate::shell) fn put(state: &mut AppState, status: SourceStatus) {
    let Some(sources) = state.knowledge.sources.get_mut() else { return };
    match sources.iter_mut().find(|known| known.source.id == status.source.id) {
        Some(known) => *known = status,
        None => sources.push(status),
    }
}
