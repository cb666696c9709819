//! What the sources hold while nothing is searched for: documents of a source, and files that could not be read.

use std::path::{Path, PathBuf};

use egui::{Align2, Color32, Id, Key, Response, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{Document, DocumentProblem, PageRequest, SourceId, SourceState};

use super::detail::FULL;
use super::retrieval_tests::Tests;
use crate::commands::{UiCommand, open};
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::AppState;
use crate::text::{ago, bytes, number, short, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::citation::{kind_icon, rule};
use crate::widgets::column::padded;
use crate::widgets::{Button, TextField, list, states};

/// Rows that are asked for at once.
const PAGE: u32 = 400;
/// Points of the columns at the right.
const SIZES: f32 = 60.0;
const PASSAGES: f32 = 84.0;
/// Letters of a title that are shown.
const SHOWN: usize = 200;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Tab {
    #[default]
    Documents,
    Problems,
    Tests,
}

/// What the person did with the list.
pub enum Deed {
    /// Looks at a document.
    Look(PathBuf),
    /// Looks at none any more.
    Leave,
}

#[derive(Default)]
pub struct Browse {
    tab: Tab,
    filter: String,
    /// The row that was chosen last, for the arrows.
    at: Option<u64>,
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
    /// The documents of another source.
    pub fn documents(&mut self) {
        self.tab = Tab::Documents;
        self.filter.clear();
        self.at = None;
    }

    pub fn problems(&mut self) {
        self.tab = Tab::Problems;
    }

    pub fn ui(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        source: Option<SourceId>,
        looked_at: Option<&Path>,
    ) -> Option<Deed> {
        let tokens = ui.tokens();
        let sources = cx.state.knowledge.sources.get()?;
        if sources.is_empty() {
            states::empty(ui, Icon::Books, tr("knowledge.browse.empty"), tr("knowledge.browse.empty_detail"), |_| {});
            return None;
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
                    // Of one source at a time: which, where none was chosen.
                    if source.is_none() {
                        let words =
                            tr_with("knowledge.search.in_source", &[("name", &short(&sources[0].source.name, 60))]);
                        ui.add(egui::Label::new(tokens.rich(Type::Secondary, words)).truncate());
                    }
                }
            });
        });
        let free = ui.available_rect_before_wrap();
        ui.painter().hline(free.x_range(), free.top() - 0.5, Stroke::new(1.0, tokens.color.line));
        match self.tab {
            Tab::Documents => self.document_list(ui, cx, source.unwrap_or(sources[0].source.id), looked_at),
            Tab::Problems => {
                self.problem_list(ui, cx, source);
                None
            }
            Tab::Tests => {
                self.tests.ui(ui, cx);
                None
            }
        }
    }

    fn document_list(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        source: SourceId,
        looked_at: Option<&Path>,
    ) -> Option<Deed> {
        let mut deed = None;
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
                if self.filter.is_empty() {
                    let (title, detail) =
                        (tr("knowledge.browse.no_documents"), tr("knowledge.browse.no_documents_detail"));
                    states::empty(ui, Icon::FileText, title, detail, |_| {});
                } else {
                    let detail = tr_with("knowledge.browse.filter_detail", &[("text", &short(self.filter.trim(), 80))]);
                    states::empty(ui, Icon::Funnel, tr("knowledge.browse.filter_nothing"), &detail, |ui| {
                        if ui.add(Button::new(tr("knowledge.browse.filter_clear"))).clicked() {
                            self.filter.clear();
                        }
                    });
                }
            }
            Some(page) => {
                let moved = self.keys(ui, cx, total, looked_at.is_some());
                let reached =
                    moved.and_then(|index| index.checked_sub(offset)).and_then(|at| page.items.get(at as usize));
                deed = reached.map(|document| Deed::Look(document.path.clone()));
                let range = rows(ui, "documents", total, moved, |ui, tokens, index| {
                    let document = index.checked_sub(offset).and_then(|at| page.items.get(at as usize));
                    let selected = document.is_some_and(|document| looked_at == Some(document.path.as_path()));
                    let Some(response) = document_row(ui, cx.state, tokens, index, document, selected) else { return };
                    let Some(document) = document else { return };
                    let enter = response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
                    if response.double_clicked() || (selected && enter) {
                        cx.commands.push(open::document(document));
                    } else if response.clicked() || (response.gained_focus() && looked_at.is_some()) {
                        self.at = Some(index);
                        // Pressed again it is left, but not by the second press of two.
                        deed = Some(match selected && response.clicked() && !response.double_clicked() {
                            true => Deed::Leave,
                            false => Deed::Look(document.path.clone()),
                        });
                    }
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
        deed
    }

    /// Up and down choose while nothing has the keyboard. The row that is chosen now.
    fn keys(&mut self, ui: &Ui, cx: &Cx<'_>, total: u64, looking: bool) -> Option<u64> {
        if !cx.focused || ui.memory(|memory| memory.focused().is_some()) {
            return None;
        }
        let (down, up) = ui.input(|input| (input.key_pressed(Key::ArrowDown), input.key_pressed(Key::ArrowUp)));
        let last = total.checked_sub(1)?;
        let before = self.at.filter(|_| looking);
        self.at = match (down, up, before) {
            (true, _, None) => Some(0),
            (true, _, Some(at)) => Some((at + 1).min(last)),
            (_, true, Some(at)) => Some(at.saturating_sub(1)),
            _ => return None,
        };
        self.at
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
                let range = rows(ui, "problems", page.total, None, |ui, tokens, index| {
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

/// Draws the rows in view of a list of `total`, with this one among them. Returns which they were.
fn rows(
    ui: &mut Ui,
    name: &str,
    total: u64,
    reveal: Option<u64>,
    mut add: impl FnMut(&mut Ui, &Tokens, u64),
) -> std::ops::Range<u64> {
    let tokens = ui.tokens();
    let height = tokens.size.row;
    let known = Id::unique(("knowledge-rows", name));
    let mut scroll = ScrollArea::vertical().id_salt(name).auto_shrink(false);
    if let Some(row) = reveal {
        let top = row as f32 * height;
        let before = ui.data(|data| data.get_temp::<f32>(known)).unwrap_or_default();
        scroll = scroll.vertical_scroll_offset(before.clamp((top + height - ui.available_height()).max(0.0), top));
    }
    let shown = scroll.show_rows(ui, height, total as usize, |ui, range| {
        for index in range.clone() {
            add(ui, tokens, index as u64);
        }
        range
    });
    let offset = shown.state.clamped_offset().y;
    ui.data_mut(|data| data.insert_temp(known, offset));
    shown.inner.start as u64..shown.inner.end as u64
}

/// Where the page that holds these rows should begin, if the present one does not hold them.
fn next_page(rows: std::ops::Range<u64>, offset: u64, loaded: u64, total: u64, before: u64) -> u64 {
    let there = rows.start >= offset && rows.end.min(total) <= offset + loaded;
    if there { before } else { rows.start.saturating_sub(u64::from(PAGE) / 2) }
}

/// None for a row that has not come yet.
fn document_row(
    ui: &mut Ui,
    state: &AppState,
    tokens: &Tokens,
    index: u64,
    document: Option<&Document>,
    selected: bool,
) -> Option<Response> {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.row), Sense::hover());
    rule(ui, rect);
    let document = document?;
    let name = super::listed_name(state, document);
    let response = ui.interact(rect, Id::unique(("document", index)), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, &name));
    ground(ui, tokens, rect, &response, selected);
    let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
    let passages = tr_count("knowledge.browse.passages", u64::from(document.passages));
    let middle = rect.center().y;
    let figure = |at: f32, words: String| {
        let font = tokens.font(Type::Label);
        ui.painter().text(pos2(at, middle), Align2::RIGHT_CENTER, words, font, tokens.color.text_3).left()
    };
    // In columns: what is no file has no size, and leaves its place free.
    let mut right = inner.right() - SIZES;
    if document.size_bytes > 0 {
        right = figure(inner.right(), bytes(document.size_bytes)).min(right);
    }
    right = figure(right, passages).min(right - PASSAGES);
    let poor = document.confidence < FULL;
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
    let drawn = list::line(ui, left, right - tokens.space.m, middle, &name, Type::Body, tokens.color.text);
    // As the document calls itself, where its file is called otherwise and there is room.
    if let Some(title) = document.title.as_deref().map(|title| short(title, SHOWN)).filter(|title| *title != name) {
        let left = drawn.right() + tokens.space.m;
        if right - left > tokens.size.list / 2.0 {
            list::line(ui, left, right - tokens.space.m, middle, &title, Type::Secondary, tokens.color.text_3);
        }
    }
    Some(match document.note.as_deref().filter(|_| poor) {
        Some(note) => response.on_hover_text(short(note, 1_000)),
        None => response,
    })
}

fn problem_row(ui: &mut Ui, state: &AppState, tokens: &Tokens, index: u64, problem: Option<&DocumentProblem>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.row), Sense::hover());
    rule(ui, rect);
    let Some(problem) = problem else { return };
    let name = super::inside(state, problem.source, &problem.path);
    let reason = short(&problem.reason, 1_000);
    let label = format!("{name}: {reason}");
    let response = ui.interact(rect, Id::unique(("problem", index)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &label));
    ground(ui, tokens, rect, &response, false);
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
    list::line(ui, half, right - tokens.space.s, middle, &reason, Type::Secondary, ink);
    response.on_hover_text(format!("{}\n{reason}", short(&crate::text::path(&problem.path), 1_000)));
}

fn ground(ui: &Ui, tokens: &Tokens, rect: egui::Rect, response: &Response, selected: bool) {
    let fill = match (selected, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, 0.0, fill);
    rule(ui, rect);
    if response.has_focus() {
        let stroke = Stroke::new(2.0, tokens.color.accent);
        ui.painter().rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, egui::StrokeKind::Inside);
    }
}
