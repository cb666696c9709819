//! What narrows a search: kinds of documents, the time of the last change, one source, and how it is searched.

use egui::{Align, Layout, Ui, vec2};
use rspa_core::model::{DocumentKind, SearchHit, SearchMode, SearchQuery, SourceId, Timestamp};

use crate::design::{Icon, UiExt};
use crate::state::AppState;
use crate::text::{number, short, tr, tr_with};
use crate::widgets::Chip;

const LIMIT: u32 = 50;
/// Hits that are counted of what filters leave out; core gives no more.
const COUNTED: u32 = 200;
/// Letters of a source's name on a chip.
const NAME: usize = 40;
/// What people tell apart: a chip each, with the kinds of documents behind it.
const GROUPS: [(&str, &[DocumentKind]); 6] = [
    ("code", &[DocumentKind::Code, DocumentKind::Commit]),
    ("notes", &[DocumentKind::Markdown]),
    (
        "documents",
        &[
            DocumentKind::Text,
            DocumentKind::Html,
            DocumentKind::Pdf,
            DocumentKind::Docx,
            DocumentKind::Xlsx,
            DocumentKind::Pptx,
            DocumentKind::Epub,
            DocumentKind::Csv,
            DocumentKind::Email,
        ],
    ),
    ("chats", &[DocumentKind::Chat]),
    ("tasks", &[DocumentKind::Task]),
    ("activity", &[DocumentKind::Activity]),
];
/// Days back; none is any time.
const TIMES: [(&str, Option<i64>); 5] =
    [("any", None), ("day", Some(1)), ("week", Some(7)), ("month", Some(31)), ("year", Some(366))];
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const MODES: [SearchMode; 3] = [SearchMode::Hybrid, SearchMode::Keyword, SearchMode::Vector];

/// One of the filters that are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum One {
    Kinds,
    Time,
    Source,
    Mode,
}

#[derive(Default)]
pub struct Filters {
    mode: SearchMode,
    source: Option<SourceId>,
    /// Chosen among [`GROUPS`]; none is all.
    groups: Vec<usize>,
    /// Chosen among [`TIMES`].
    time: usize,
}

impl Filters {
    pub fn source(&self) -> Option<SourceId> {
        self.source
    }

    pub fn choose_source(&mut self, source: Option<SourceId>) {
        self.source = source;
    }

    pub fn query(&self, text: &str, now: Timestamp) -> SearchQuery {
        SearchQuery {
            text: text.trim().to_owned(),
            mode: self.mode,
            limit: LIMIT,
            sources: self.source.into_iter().collect(),
            kinds: self.kinds().collect(),
            after: TIMES[self.time].1.map(|days| Timestamp(now.0 - days * DAY_MS)),
            ..SearchQuery::default()
        }
    }

    /// The same without filters, for counting.
    pub fn query_beyond(text: &str) -> SearchQuery {
        SearchQuery { text: text.trim().to_owned(), limit: COUNTED, ..SearchQuery::default() }
    }

    fn kinds(&self) -> impl Iterator<Item = DocumentKind> {
        self.groups.iter().flat_map(|group| GROUPS[*group].1).copied()
    }

    /// Those that are set, in the order in which they are judged.
    pub fn set(&self) -> Vec<One> {
        let all = [
            (One::Source, self.source.is_some()),
            (One::Kinds, !self.groups.is_empty()),
            (One::Time, self.time > 0),
            (One::Mode, self.mode != SearchMode::Hybrid),
        ];
        all.into_iter().filter(|(_, set)| *set).map(|(one, _)| one).collect()
    }

    pub fn clear(&mut self, one: One) {
        match one {
            One::Kinds => self.groups.clear(),
            One::Time => self.time = 0,
            One::Source => self.source = None,
            One::Mode => self.mode = SearchMode::Hybrid,
        }
    }

    /// What a filter says: `in papers`, `Code, Notes`, `Past week`, `Keyword`.
    pub fn words(&self, state: &AppState, one: One) -> String {
        match one {
            One::Kinds => self.groups.iter().map(|group| group_name(*group)).collect::<Vec<_>>().join(", "),
            One::Time => time_name(self.time).to_owned(),
            One::Source => {
                let name = self.source.and_then(|id| state.source(id)).map_or("", |status| &status.source.name);
                tr_with("knowledge.search.in_source", &[("name", &short(name, NAME))])
            }
            One::Mode => mode_name(self.mode).to_owned(),
        }
    }

    /// How many of these hits, found without filters, each filter leaves out: the first that does is told.
    pub fn hidden(&self, hits: &[SearchHit], one: One) -> usize {
        let by = |hit: &SearchHit| {
            let passage = &hit.passage;
            if self.source.is_some_and(|source| passage.source != source) {
                return One::Source;
            }
            if !self.groups.is_empty() && !self.kinds().any(|kind| kind == passage.kind) {
                return One::Kinds;
            }
            // A hit does not say when it was changed; whatever is left was left out by time, else by the way of searching.
            if self.time > 0 { One::Time } else { One::Mode }
        };
        hits.iter().filter(|hit| by(hit) == one).count()
    }

    /// True when something changed.
    pub fn ui(&mut self, ui: &mut Ui, state: &AppState) -> bool {
        let tokens = ui.tokens();
        let mut changed = false;
        let mode_width = tokens.size.row_two_lines * 2.0;
        ui.horizontal_top(|ui| {
            let chips = vec2(ui.available_width() - mode_width, tokens.size.chip);
            ui.allocate_ui_with_layout(chips, Layout::left_to_right(Align::Min).with_main_wrap(true), |ui| {
                ui.spacing_mut().item_spacing = vec2(tokens.space.xs, tokens.space.xs);
                let passages: u64 = match self.source.and_then(|id| state.source(id)) {
                    Some(status) => status.passages,
                    None => state.knowledge.sources.get().into_iter().flatten().map(|status| status.passages).sum(),
                };
                let all = tr_with("knowledge.search.all", &[("n", &number(passages))]);
                if ui.add(Chip::new(all).selectable(self.groups.is_empty())).clicked() && !self.groups.is_empty() {
                    self.groups.clear();
                    changed = true;
                }
                for at in 0..GROUPS.len() {
                    let on = self.groups.contains(&at);
                    if ui.add(Chip::new(group_name(at)).selectable(on)).clicked() {
                        self.groups.retain(|one| *one != at);
                        if !on {
                            self.groups.push(at);
                        }
                        changed = true;
                    }
                }
                let chip = Chip::new(time_name(self.time)).icon(Icon::CaretDown).selectable(self.time > 0);
                let chip = ui.add(chip).on_hover_text(tr("knowledge.search.time_tip"));
                crate::widgets::menu(&chip).show(|ui| {
                    for at in 0..TIMES.len() {
                        if ui.radio(self.time == at, time_name(at)).clicked() {
                            self.time = at;
                            changed = true;
                            ui.close();
                        }
                    }
                });
                if self.source.is_some_and(|id| state.source(id).is_some()) {
                    let chip = Chip::new(self.words(state, One::Source)).icon(Icon::X).selectable(true);
                    if ui.add(chip).on_hover_text(tr("knowledge.search.all_sources")).clicked() {
                        self.source = None;
                        changed = true;
                    }
                }
            });
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                let mode = ui.add(Chip::new(mode_name(self.mode)).icon(Icon::CaretDown).selectable(false));
                let mode = mode.on_hover_text(tr("knowledge.search.mode_tip"));
                crate::widgets::menu(&mode).show(|ui| {
                    for one in MODES {
                        if ui.radio(self.mode == one, mode_name(one)).on_hover_text(mode_tip(one)).clicked() {
                            self.mode = one;
                            changed = true;
                            ui.close();
                        }
                    }
                });
            });
        });
        changed
    }
}

fn group_name(at: usize) -> &'static str {
    tr(&format!("knowledge.group.{}", GROUPS[at].0))
}

fn time_name(at: usize) -> &'static str {
    tr(&format!("knowledge.time.{}", TIMES[at].0))
}

fn mode_name(mode: SearchMode) -> &'static str {
    match mode {
        SearchMode::Hybrid => tr("knowledge.mode.hybrid"),
        SearchMode::Keyword => tr("knowledge.mode.keyword"),
        SearchMode::Vector => tr("knowledge.mode.vector"),
    }
}

fn mode_tip(mode: SearchMode) -> &'static str {
    match mode {
        SearchMode::Hybrid => tr("knowledge.mode.hybrid_tip"),
        SearchMode::Keyword => tr("knowledge.mode.keyword_tip"),
        SearchMode::Vector => tr("knowledge.mode.vector_tip"),
    }
}
