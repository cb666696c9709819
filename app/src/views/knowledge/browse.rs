//! What the sources hold while nothing is searched for: documents of a source, and files that could not be read.

use egui::{Align2, Color32, Id, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{Document, DocumentProblem, PageRequest, SourceId, SourceState};

use super::retrieval_tests::Tests;
use crate::commands::UiCommand;
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::{AppState, DocumentTarget};
use crate::text::{ago, bytes, number, tr, tr_count};
use crate::views::Cx;
use crate::widgets::citation::{kind_icon, rule};
use crate::widgets::column::padded;
use crate::widgets::{Button, TextField, list, states};

/// Rows that are asked for at once.
const PAGE: u32 = 400;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Tab {
    #[default]
    Documents,
    Problems,
    Tests,
}

#[derive(Default)]
pub struct Browse {
    tab: Tab,
    filter: String,
    tests: Tests,
    /// What was asked for last, so that it is asked for once.
    asked: Option<Asked>,
}

#[derive(Clone, Debug, PartialEq)]
struct Asked {
    tab: Tab,
    source: Option<SourceId>,
    filter: String,
    offset: u64,
    /// Figures of the sources: when these change the list is asked for again.
    version: u64,
}

impl Browse {
    pub fn documents(&mut self, _source: Option<SourceId>) {
        self.tab = Tab::Documents;
    }

    pub fn problems(&mut self) {
        self.tab = Tab::Problems;
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, source: Option<SourceId>) {
        let tokens = ui.tokens();
        let Some(sources) = cx.state.knowledge.sources.get() else { return };
        if sources.is_empty() {
            states::empty(ui, Icon::Books, tr("knowledge.browse.empty"), tr("knowledge.browse.empty_detail"), |_| {});
            return;
        }
        let problems: u64 =
            sources.iter().filter(|one| source.is_none_or(|id| one.source.id == id)).map(|one| one.problems).sum();
        padded(ui, tokens.space.l, tokens.space.s, |ui| {
            ui.horizontal(|ui| {
                let documents = Button::new(tr("knowledge.browse.documents")).quiet().small();
                if ui.add(documents.selected(self.tab == Tab::Documents)).clicked() {
                    self.tab = Tab::Documents;
                }
                let name = match problems {
                    0 => tr("knowledge.browse.problems").to_owned(),
                    n => format!("{} {}", tr("knowledge.browse.problems"), number(n)),
                };
                if ui.add(Button::new(name).quiet().small().selected(self.tab == Tab::Problems)).clicked() {
                    self.tab = Tab::Problems;
                }
                let tests = cx.state.pages.retrieval.list.get().map_or(0, |all| all.tests.len() as u64);
                let name = match tests {
                    0 => tr("knowledge.tests.tab").to_owned(),
                    n => format!("{} {}", tr("knowledge.tests.tab"), number(n)),
                };
                if ui.add(Button::new(name).quiet().small().selected(self.tab == Tab::Tests)).clicked() {
                    self.tab = Tab::Tests;
                }
                if self.tab == Tab::Documents {
                    let width = tokens.size.list.min(ui.available_width());
                    let field = TextField::new(&mut self.filter, tr("knowledge.browse.filter"));
                    field.hint(tr("knowledge.browse.filter")).icon(Icon::Funnel).width(width).show(ui);
                }
            });
        });
        let free = ui.available_rect_before_wrap();
        ui.painter().hline(free.x_range(), free.top() - 0.5, Stroke::new(1.0, tokens.color.line));
        match self.tab {
            Tab::Documents => self.document_list(ui, cx, source.unwrap_or(sources[0].source.id)),
            Tab::Problems => self.problem_list(ui, cx, source),
            Tab::Tests => self.tests.ui(ui, cx),
        }
    }

    fn document_list(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, source: SourceId) {
        let slot = cx.state.knowledge.documents.get(&source);
        let page = slot.and_then(|slot| slot.get());
        let total = page.map_or(0, |page| page.total);
        let offset = page.map_or(0, |page| page.offset);
        let mut wanted = self.asked.as_ref().map_or(0, |asked| asked.offset);
        match page {
            Some(_) if total == 0 && self.filter.is_empty() && is_busy(cx.state, source) => {
                states::loading(ui, tr("knowledge.browse.reading"));
            }
            Some(page) if total == 0 && page.items.is_empty() => {
                let words = if self.filter.is_empty() {
                    tr("knowledge.browse.no_documents")
                } else {
                    tr("knowledge.browse.filter_nothing")
                };
                states::empty(ui, Icon::FileText, words, tr("knowledge.browse.no_documents_detail"), |_| {});
            }
            Some(page) => {
                let range = rows(ui, "documents", total, |ui, tokens, index| {
                    let document = index.checked_sub(offset).and_then(|at| page.items.get(at as usize));
                    document_row(ui, cx, tokens, index, document);
                });
                wanted = next_page(range, offset, page.items.len() as u64, total, wanted);
            }
            None => match slot.and_then(|slot| slot.error()) {
                Some(error) => {
                    if states::error(ui, error) {
                        self.asked = None;
                    }
                }
                None => states::loading(ui, tr("knowledge.browse.loading")),
            },
        }
        let asked = Asked {
            tab: Tab::Documents,
            source: Some(source),
            filter: self.filter.trim().to_owned(),
            offset: wanted,
            version: version(cx.state),
        };
        if self.is_new(&asked) {
            let filter = asked.filter.clone();
            let page = PageRequest { offset: self.begin(asked), limit: PAGE };
            cx.commands.push(UiCommand::ListDocuments { source, filter, page });
        }
    }

    fn problem_list(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, source: Option<SourceId>) {
        let slot = cx.state.knowledge.problems.get(&source);
        let mut wanted = self.asked.as_ref().map_or(0, |asked| asked.offset);
        match slot.and_then(|slot| slot.get()) {
            Some(page) if page.total == 0 => {
                let (title, detail) = (tr("knowledge.browse.no_problems"), tr("knowledge.browse.no_problems_detail"));
                states::empty(ui, Icon::CheckCircle, title, detail, |_| {});
            }
            Some(page) => {
                let range = rows(ui, "problems", page.total, |ui, tokens, index| {
                    let problem = index.checked_sub(page.offset).and_then(|at| page.items.get(at as usize));
                    problem_row(ui, cx.state, tokens, index, problem);
                });
                wanted = next_page(range, page.offset, page.items.len() as u64, page.total, wanted);
            }
            None => match slot.and_then(|slot| slot.error()) {
                Some(error) => {
                    if states::error(ui, error) {
                        self.asked = None;
                    }
                }
                None => states::loading(ui, tr("knowledge.browse.loading")),
            },
        }
        let asked =
            Asked { tab: Tab::Problems, source, filter: String::new(), offset: wanted, version: version(cx.state) };
        if self.is_new(&asked) {
            let page = PageRequest { offset: self.begin(asked), limit: PAGE };
            cx.commands.push(UiCommand::ListProblems { source, page });
        }
    }

    fn is_new(&self, wanted: &Asked) -> bool {
        self.asked.as_ref() != Some(wanted)
    }

    /// Remembers what is asked for. Another list or filter begins at its top.
    fn begin(&mut self, mut wanted: Asked) -> u64 {
        let same = self.asked.as_ref().is_some_and(|before| {
            (before.tab, before.source, &before.filter) == (wanted.tab, wanted.source, &wanted.filter)
        });
        if !same {
            wanted.offset = 0;
        }
        let offset = wanted.offset;
        self.asked = Some(wanted);
        offset
    }
}

fn is_busy(state: &AppState, source: SourceId) -> bool {
    let waits = |state| matches!(state, SourceState::Queued | SourceState::Scanning | SourceState::Indexing);
    state.source(source).is_some_and(|status| waits(status.state))
}

/// Changes when a list of documents may have changed, but not with every file while a source is read.
fn version(state: &AppState) -> u64 {
    let sources = state.knowledge.sources.get().map_or(&[][..], Vec::as_slice);
    sources.iter().fold(0, |sum, status| {
        let busy = matches!(status.state, SourceState::Scanning | SourceState::Indexing);
        let (documents, problems) = if busy {
            // While reading, now and then is enough.
            (status.documents.div_ceil(50), status.problems.div_ceil(20))
        } else {
            (status.documents, status.problems)
        };
        sum.wrapping_mul(31).wrapping_add(documents).wrapping_mul(31).wrapping_add(problems * 2 + u64::from(busy))
    })
}

/// Draws the rows in view of a list of `total`. Returns which they were.
fn rows(ui: &mut Ui, name: &str, total: u64, mut add: impl FnMut(&mut Ui, &Tokens, u64)) -> std::ops::Range<u64> {
    let tokens = ui.tokens();
    let scroll = ScrollArea::vertical().id_salt(name).auto_shrink(false);
    let shown = scroll.show_rows(ui, tokens.size.row, total as usize, |ui, range| {
        for index in range.clone() {
            add(ui, tokens, index as u64);
        }
        range
    });
    shown.inner.start as u64..shown.inner.end as u64
}

/// Where the page that holds these rows should begin, if the present one does not hold them.
fn next_page(rows: std::ops::Range<u64>, offset: u64, loaded: u64, total: u64, before: u64) -> u64 {
    let there = rows.start >= offset && rows.end.min(total) <= offset + loaded;
    if there { before } else { rows.start.saturating_sub(u64::from(PAGE) / 2) }
}

fn document_row(ui: &mut Ui, cx: &mut Cx<'_>, tokens: &Tokens, index: u64, document: Option<&Document>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.row), Sense::hover());
    rule(ui, rect);
    let Some(document) = document else { return };
    let name = super::inside(cx.state, document.source, &document.path);
    let response = ui.interact(rect, Id::unique(("document", index)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
    ground(ui, tokens, rect, &response);
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let figures = format!(
        "{}   {}",
        tr_count("knowledge.browse.passages", u64::from(document.passages)),
        bytes(document.size_bytes)
    );
    let middle = rect.center().y;
    let at = pos2(inner.right(), middle);
    let font = tokens.font(Type::Label);
    let mut right = ui.painter().text(at, Align2::RIGHT_CENTER, figures, font, tokens.color.text_3).left();
    let poor = document.confidence < 0.995;
    if poor {
        let font = Icon::font(tokens.size.icon);
        let at = pos2(right - tokens.space.s, middle);
        right = ui.painter().text(at, Align2::RIGHT_CENTER, Icon::Warning.code(), font, tokens.color.warn).left();
    }
    let font = Icon::font(tokens.size.icon);
    let at = pos2(inner.left(), middle);
    let icon = kind_icon(document.kind).code();
    ui.painter().text(at, Align2::LEFT_CENTER, icon, font, tokens.color.text_2);
    let left = inner.left() + tokens.size.icon + tokens.space.s;
    list::line(ui, left, right - tokens.space.m, middle, &name, Type::Body, tokens.color.text);
    let response = match document.note.as_deref().filter(|_| poor) {
        Some(note) => response.on_hover_text(note),
        None => response,
    };
    if response.clicked() {
        cx.commands.push(UiCommand::OpenDocument(DocumentTarget {
            path: document.path.clone(),
            start_line: 0,
            end_line: 0,
            hash: document.hash.clone(),
        }));
    }
}

fn problem_row(ui: &mut Ui, state: &AppState, tokens: &Tokens, index: u64, problem: Option<&DocumentProblem>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.row), Sense::hover());
    rule(ui, rect);
    let Some(problem) = problem else { return };
    let name = super::inside(state, problem.source, &problem.path);
    let label = format!("{name}: {}", problem.reason);
    let response = ui.interact(rect, Id::unique(("problem", index)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &label));
    ground(ui, tokens, rect, &response);
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let middle = rect.center().y;
    let font = Icon::font(tokens.size.icon);
    ui.painter().text(inner.left_center(), Align2::LEFT_CENTER, Icon::Warning.code(), font, tokens.color.warn);
    let left = inner.left() + tokens.size.icon + tokens.space.s;
    let half = left + (inner.right() - left) * 0.42;
    list::line(ui, left, half - tokens.space.s, middle, &name, Type::Body, tokens.color.text);
    let at = pos2(inner.right(), middle);
    let font = tokens.font(Type::Label);
    let time = ago(problem.at, state.now);
    let right = ui.painter().text(at, Align2::RIGHT_CENTER, time, font, tokens.color.text_3).left();
    let ink = tokens.color.text_2;
    list::line(ui, half, right - tokens.space.s, middle, &problem.reason, Type::Secondary, ink);
    response.on_hover_text(format!("{}\n{}", crate::text::path(&problem.path), problem.reason));
}

fn ground(ui: &Ui, tokens: &Tokens, rect: egui::Rect, response: &egui::Response) {
    let fill = if response.hovered() { tokens.color.bg3 } else { Color32::TRANSPARENT };
    ui.painter().rect_filled(rect, 0.0, fill);
    rule(ui, rect);
    if response.has_focus() {
        let stroke = Stroke::new(2.0, tokens.color.accent);
        ui.painter().rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, egui::StrokeKind::Inside);
    }
}
