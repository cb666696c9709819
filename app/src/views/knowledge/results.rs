//! Search as you type: the field, filters, and the rows of what was found. Old rows stay while new ones are on their way.

use egui::{Align, Align2, Id, Key, Layout, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::{DocumentKind, SearchHit, SearchMode, SearchQuery, SearchResults, SourceId, Timestamp};

use crate::commands::{Action, UiCommand};
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::AppState;
use crate::text::{number, tr, tr_with};
use crate::views::Cx;
use crate::widgets::citation::{heading, kind_name, lines, place};
use crate::widgets::column::padded;
use crate::widgets::passage_card::{append, marked};
use crate::widgets::{Button, Chip, TextField, Tone, states};

const LIMIT: u32 = 50;
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

#[derive(Default)]
pub struct Search {
    text: String,
    mode: SearchMode,
    source: Option<SourceId>,
    /// Chosen among [`GROUPS`]; none is all.
    groups: Vec<usize>,
    /// Chosen among [`TIMES`].
    time: usize,
    selected: usize,
    wants_focus: bool,
    /// The keyboard moved the selection: it must come into view.
    reveal: bool,
}

impl Search {
    fn id() -> Id {
        Id::unique("knowledge-search")
    }

    pub fn focus(&mut self) {
        self.wants_focus = true;
    }

    pub fn set(&mut self, text: String) {
        self.text = text;
        self.wants_focus = true;
    }

    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub fn source(&self) -> Option<SourceId> {
        self.source
    }

    pub fn choose_source(&mut self, source: Option<SourceId>) {
        self.source = source;
    }

    /// Searches for what stands in the field, with the filters.
    pub fn ask(&mut self, cx: &mut Cx<'_>) {
        self.selected = 0;
        self.reveal = true;
        cx.commands.push(UiCommand::Search(SearchQuery {
            text: self.text.trim().to_owned(),
            mode: self.mode,
            limit: LIMIT,
            sources: self.source.into_iter().collect(),
            kinds: self.groups.iter().flat_map(|group| GROUPS[*group].1).copied().collect(),
            after: TIMES[self.time].1.map(|days| Timestamp(cx.state.now.0 - days * DAY_MS)),
            ..SearchQuery::default()
        }));
    }

    /// The hit that is looked at.
    pub fn selected<'a>(&self, state: &'a AppState) -> Option<(&'a SearchResults, &'a SearchHit)> {
        let results = state.knowledge.results.get().filter(|_| !self.is_empty())?;
        let index = self.selected.min(results.hits.len().checked_sub(1)?);
        Some((results, &results.hits[index]))
    }

    /// The field and the filters below it.
    pub fn field(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        padded(ui, tokens.space.l, tokens.space.m, |ui| {
            let before = self.text.clone();
            let field = TextField::new(&mut self.text, tr("knowledge.search.name")).hint(tr("knowledge.search.hint"));
            let response = field.icon(Icon::MagnifyingGlass).large().id(Self::id()).show(ui);
            if std::mem::take(&mut self.wants_focus) {
                response.request_focus();
            }
            if self.text.trim() != before.trim() {
                self.ask(cx);
            }
            if let Some(results) = cx.state.knowledge.results.get().filter(|_| !self.is_empty()) {
                let ms = format!("{} ms", milliseconds(results.ms));
                let at = pos2(response.rect.right() - tokens.space.m, response.rect.center().y);
                let color = tokens.color.text_3;
                ui.painter().text(at, Align2::RIGHT_CENTER, ms, tokens.font(Type::Secondary), color);
            }
            ui.add_space(tokens.space.s);
            self.filters(ui, cx);
        });
        let free = ui.available_rect_before_wrap();
        ui.painter().hline(free.x_range(), free.top() - 0.5, Stroke::new(1.0, tokens.color.line));
    }

    fn filters(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let mut changed = false;
        let mode_width = tokens.size.row_two_lines * 2.0;
        ui.horizontal_top(|ui| {
            let chips = vec2(ui.available_width() - mode_width, tokens.size.chip);
            ui.allocate_ui_with_layout(chips, Layout::left_to_right(Align::Min).with_main_wrap(true), |ui| {
                ui.spacing_mut().item_spacing = vec2(tokens.space.xs, tokens.space.xs);
                let passages: u64 = match self.source.and_then(|id| cx.state.source(id)) {
                    Some(status) => status.passages,
                    None => cx.state.knowledge.sources.get().into_iter().flatten().map(|status| status.passages).sum(),
                };
                let all = tr_with("knowledge.search.all", &[("n", &number(passages))]);
                if ui.add(Chip::new(all).selectable(self.groups.is_empty())).clicked() && !self.groups.is_empty() {
                    self.groups.clear();
                    changed = true;
                }
                for (at, (name, _)) in GROUPS.iter().enumerate() {
                    let on = self.groups.contains(&at);
                    if ui.add(Chip::new(tr(&format!("knowledge.group.{name}"))).selectable(on)).clicked() {
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
                if let Some(status) = self.source.and_then(|id| cx.state.source(id)) {
                    let name = tr_with("knowledge.search.in_source", &[("name", &status.source.name)]);
                    let chip = ui.add(Chip::new(name).icon(Icon::X).selectable(true));
                    if chip.on_hover_text(tr("knowledge.search.all_sources")).clicked() {
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
        if changed && !self.is_empty() {
            self.ask(cx);
        }
    }

    /// The rows.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let slot = &cx.state.knowledge.results;
        let Some(results) = slot.get() else {
            match slot.error() {
                Some(error) => {
                    if states::error(ui, error) {
                        self.ask(cx);
                    }
                }
                None => states::loading(ui, tr("knowledge.search.searching")),
            }
            return;
        };
        if results.hits.is_empty() {
            self.nothing(ui, cx);
            return;
        }
        self.keys(ui, cx, results);
        let tokens = ui.tokens();
        let height = tokens.size.row_two_lines + tokens.space.s;
        let mut scroll = ScrollArea::vertical().id_salt("hits").auto_shrink(false);
        if std::mem::take(&mut self.reveal) {
            let view = ui.available_height();
            let top = self.selected as f32 * height;
            let before = ui.data(|data| data.get_temp::<f32>(Self::id().with("offset"))).unwrap_or_default();
            let offset = before.clamp((top + height - view).max(0.0), top);
            scroll = scroll.vertical_scroll_offset(offset);
        }
        let output = scroll.show_rows(ui, height, results.hits.len(), |ui, range| {
            for index in range {
                let hit = &results.hits[index];
                let response = row(ui, cx.state, tokens, hit, index == self.selected, height);
                if response.clicked() {
                    self.selected = index;
                }
                if response.double_clicked() {
                    cx.commands.push(super::open(&hit.passage));
                }
            }
        });
        let offset = output.state.clamped_offset().y;
        ui.data_mut(|data| data.insert_temp(Self::id().with("offset"), offset));
    }

    /// Up and down choose, Enter opens; while the field or nothing has the keyboard.
    fn keys(&mut self, ui: &Ui, cx: &mut Cx<'_>, results: &SearchResults) {
        let mine = ui.memory(|memory| memory.focused().is_none_or(|id| id == Self::id()));
        if !cx.focused || !mine {
            return;
        }
        let last = results.hits.len() - 1;
        let (down, up, enter) =
            ui.input(|i| (i.key_pressed(Key::ArrowDown), i.key_pressed(Key::ArrowUp), i.key_pressed(Key::Enter)));
        let before = self.selected.min(last);
        self.selected = if down {
            (before + 1).min(last)
        } else if up {
            before.saturating_sub(1)
        } else {
            before
        };
        self.reveal |= self.selected != before;
        if enter && let Some(hit) = results.hits.get(self.selected) {
            cx.commands.push(super::open(&hit.passage));
            self.wants_focus = true;
        }
    }

    fn nothing(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let filtered =
            !self.groups.is_empty() || self.time > 0 || self.source.is_some() || self.mode != SearchMode::Hybrid;
        let nowhere = cx.state.has_no_sources();
        let detail = match (nowhere, filtered) {
            (true, _) => tr("knowledge.search.no_sources"),
            (false, true) => tr("knowledge.search.nothing_filtered"),
            (false, false) => tr("knowledge.search.nothing_detail"),
        };
        let mut reset = false;
        states::empty(ui, Icon::MagnifyingGlass, tr("knowledge.search.nothing"), detail, |ui| {
            if nowhere {
                if ui.add(Button::new(Action::AddFolder.name()).primary().icon(Icon::FolderPlus)).clicked() {
                    cx.commands.run(Action::AddFolder);
                }
            } else if filtered {
                reset = ui.add(Button::new(tr("knowledge.search.clear_filters"))).clicked();
            }
        });
        if reset {
            self.groups.clear();
            self.time = 0;
            self.source = None;
            self.mode = SearchMode::Hybrid;
            self.ask(cx);
        }
    }
}

fn row(ui: &mut Ui, state: &AppState, tokens: &Tokens, hit: &SearchHit, selected: bool, height: f32) -> egui::Response {
    let passage = &hit.passage;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let response = ui.interact(rect, Id::unique(("hit", passage.id)), Sense::click());
    let path = super::inside(state, passage.source, &passage.path);
    let place = place(passage);
    let label = format!("{path}, {place}");
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, &label));
    let fill = match (selected, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, 0.0, fill);
    crate::widgets::citation::rule(ui, rect);
    if response.has_focus() {
        let stroke = Stroke::new(2.0, tokens.color.accent);
        ui.painter().rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, egui::StrokeKind::Inside);
    }
    let inner = rect.shrink2(vec2(tokens.space.l, tokens.space.s));
    let line = tokens.line_height(Type::Body);
    let first = inner.top() + line / 2.0;
    let score = format!("{:.2}", hit.score);
    let at = pos2(inner.right(), first);
    let font = tokens.font(Type::Secondary);
    let right = ui.painter().text(at, Align2::RIGHT_CENTER, score, font, tokens.color.text_3).left();
    let right = kind_chip(ui, tokens, passage.kind, right - tokens.space.m, first);

    let mut title = egui::text::LayoutJob::default();
    append(tokens, &mut title, &path, Type::Strong, tokens.color.text);
    let place = match heading(passage) {
        Some(heading) => format!("{heading} · {}", lines(passage)),
        None => lines(passage),
    };
    append(tokens, &mut title, &format!("   {place}"), Type::Body, tokens.color.text_3);
    title.wrap = egui::text::TextWrapping::truncate_at_width((right - tokens.space.s - inner.left()).max(0.0));
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(title));
    let at = pos2(inner.left(), first - galley.size().y / 2.0);
    ui.painter().galley(at, galley, tokens.color.text);

    let (snippet, marks) = one_line(&hit.snippet, &hit.marks);
    let mut job = marked(tokens, &snippet, &marks, tokens.color.text_2);
    job.wrap = egui::text::TextWrapping::truncate_at_width(inner.width());
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let at = pos2(inner.left(), inner.bottom() - galley.size().y);
    ui.painter().galley(at, galley, tokens.color.text_2);
    response
}

/// A still chip, drawn so that it ends at `right`. Returns its left edge.
fn kind_chip(ui: &Ui, tokens: &Tokens, kind: DocumentKind, right: f32, middle: f32) -> f32 {
    let ink = Tone::Neutral.ink(tokens);
    let galley = ui.painter().layout_no_wrap(kind_name(kind).to_owned(), tokens.font(Type::Label), ink);
    let size = vec2(galley.size().x + 2.0 * tokens.space.s, tokens.size.chip);
    let rect = Rect::from_center_size(pos2(right - size.x / 2.0, middle), size);
    ui.painter().rect_filled(rect, size.y / 2.0, Tone::Neutral.ground(tokens));
    let at = rect.center() - galley.size() / 2.0;
    ui.painter().galley(at, galley, ink);
    rect.left()
}

/// One line without the signs of a heading. Line breaks become spaces, one byte each, so that marks stay right.
fn one_line(snippet: &str, marks: &[(u32, u32)]) -> (String, Vec<std::ops::Range<usize>>) {
    let blank = |c: char| c.is_ascii_whitespace();
    let text = snippet.trim_start_matches(blank);
    let bare = text.trim_start_matches('#');
    let text = if bare.starts_with(' ') { bare.trim_start_matches(blank) } else { text };
    let cut = snippet.len() - text.len();
    let marks = marks.iter().filter(|(start, _)| *start as usize >= cut);
    let marks = marks.map(|(start, end)| *start as usize - cut..(*end as usize).saturating_sub(cut)).collect();
    (text.replace(['\n', '\r', '\t'], " "), marks)
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

/// `0.4`, `11`.
pub fn milliseconds(ms: f64) -> String {
    if ms < 9.95 { format!("{ms:.1}") } else { number(ms.round().max(0.0) as u64) }
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn the_signs_of_a_heading_go_but_not_those_of_code() {
        let (text, marks) = one_line("## Evening\nrest", &[(11, 15)]);
        assert_eq!((text.as_str(), marks.first()), ("Evening rest", Some(&(8..12))));
        let (text, marks) = one_line(" #[test]\nfn a", &[(9, 11)]);
        assert_eq!((text.as_str(), marks.first()), ("#[test] fn a", Some(&(8..10))));
    }
}
