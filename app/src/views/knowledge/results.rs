//! Search as you type: the field, filters, and the rows of what was found. Old rows stay while new ones are on their way.

use egui::{Align2, Id, Key, Rect, Role, ScrollArea, Sense, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use rspa_core::ml::weights::ModelKind;
use rspa_core::model::{DocumentKind, PassageId, SearchHit, SearchQuery, SearchResults, SourceId};

use super::filters::Filters;
use super::nothing;
use super::why_not::WhyNotField;
use crate::commands::{UiCommand, open};
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::AppState;
use crate::text::{number, tr};
use crate::views::Cx;
use crate::widgets::citation::{kind_icon, kind_name, near_place, place};
use crate::widgets::column::padded;
use crate::widgets::passage_card::{append, marked};
use crate::widgets::{IconButton, TextField, Tone, states};

/// Seconds without a key after which what was found is compared closely.
const REST: f64 = 0.4;
/// What that may take, in milliseconds.
const COMPARE_MS: u32 = 400;

/// What the person did with the hits.
#[derive(Clone, Copy, PartialEq)]
pub enum Deed {
    /// Another hit is looked at.
    Chosen,
    /// Wants to know why the chosen one was found: asked for where the reasons have no column of their own.
    Why,
}

#[derive(Default)]
pub struct Search {
    text: String,
    filters: Filters,
    why_not: WhyNotField,
    selected: usize,
    wants_focus: bool,
    /// The keyboard moved the selection: it must come into view.
    reveal: bool,
    /// When the last search was asked for, in seconds of the window, while it was not compared closely.
    asked: Option<f64>,
    /// The hit that is looked at, to stay so when the hits come in a new order; none while it is the first.
    kept: Option<PassageId>,
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

    /// Leaves the search. True if there was one.
    pub fn leave(&mut self) -> bool {
        let left = !self.text.is_empty();
        self.text.clear();
        self.wants_focus |= left;
        left
    }

    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub fn source(&self) -> Option<SourceId> {
        self.filters.source()
    }

    pub fn choose_source(&mut self, source: Option<SourceId>) {
        self.filters.choose_source(source);
    }

    /// Searches for what stands in the field, with the filters.
    pub fn ask(&mut self, cx: &mut Cx<'_>) {
        self.selected = 0;
        self.reveal = true;
        (self.asked, self.kept) = (None, None);
        cx.commands.push(UiCommand::Search(self.filters.query(&self.text, cx.state.now)));
    }

    /// The hit that is looked at.
    pub fn selected<'a>(&self, state: &'a AppState) -> Option<(&'a SearchResults, &'a SearchHit)> {
        let slot = &state.knowledge.results;
        let results = slot.get().filter(|_| !self.is_empty() && slot.error().is_none())?;
        let index = self.selected.min(results.hits.len().checked_sub(1)?);
        Some((results, &results.hits[index]))
    }

    /// The field and the filters below it. True when another search began.
    pub fn field(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) -> bool {
        let tokens = ui.tokens();
        let mut asked = false;
        padded(ui, tokens.space.l, tokens.space.m, |ui| {
            let before = self.text.clone();
            let field = TextField::new(&mut self.text, tr("knowledge.search.name")).hint(tr("knowledge.search.hint"));
            let response = field.icon(Icon::MagnifyingGlass).large().id(Self::id()).show(ui);
            if std::mem::take(&mut self.wants_focus) {
                response.request_focus();
            }
            if self.text.trim() != before.trim() {
                self.ask(cx);
                asked = true;
            }
            if let Some(results) = cx.state.knowledge.results.get().filter(|_| !self.is_empty()) {
                let ms = format!("{} ms", milliseconds(results.ms));
                let at = pos2(response.rect.right() - tokens.space.m, response.rect.center().y);
                let color = tokens.color.text_3;
                ui.painter().text(at, Align2::RIGHT_CENTER, ms, tokens.font(Type::Secondary), color);
            }
            ui.add_space(tokens.space.s);
            if self.filters.ui(ui, cx.state) && !self.is_empty() {
                self.ask(cx);
                asked = true;
            }
        });
        let free = ui.available_rect_before_wrap();
        ui.painter().hline(free.x_range(), free.top() - 0.5, Stroke::new(1.0, tokens.color.line));
        let now = ui.input(|i| i.time);
        if asked {
            self.asked = Some(now);
        } else {
            self.compare(ui, cx, now);
        }
        asked
    }

    /// Once the typing rests, the best hits are compared closely, where a model is there that can.
    fn compare(&mut self, ui: &Ui, cx: &mut Cx<'_>, now: f64) {
        let Some(results) = cx.state.knowledge.results.get() else { return };
        if results.compared == 0 {
            self.kept = results.hits.get(self.selected).filter(|_| self.selected > 0).map(|hit| hit.passage.id);
        } else if let Some(kept) = self.kept.take() {
            let at = results.hits.iter().position(|hit| hit.passage.id == kept);
            self.selected = at.unwrap_or(self.selected);
        }
        let Some(asked) = self.asked else { return };
        let rest = asked + REST - now;
        if rest > 0.0 {
            ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64(rest));
            return;
        }
        let query = self.filters.query(&self.text, cx.state.now);
        // Of the text that stands there, not of an earlier one.
        if results.query != query.text {
            return;
        }
        self.asked = None;
        let models = cx.state.models.list.get();
        let judges = models.is_some_and(|list| list.models.iter().any(|model| model.info.kind == ModelKind::Reranker));
        if judges || results.hits.iter().any(|hit| hit.encoder_vector.is_some()) {
            cx.commands.push(UiCommand::Search(SearchQuery { compare_ms: COMPARE_MS, ..query }));
        }
    }

    /// The rows. `beside`: the reasons stand in a column of their own.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, beside: bool) -> Option<Deed> {
        let slot = &cx.state.knowledge.results;
        if let Some(error) = slot.error() {
            if states::error(ui, error) {
                self.ask(cx);
            }
            return None;
        }
        let Some(results) = slot.get() else {
            states::loading(ui, tr("knowledge.search.searching"));
            return None;
        };
        if results.hits.is_empty() {
            self.nothing(ui, cx);
            return None;
        }
        let mut deed = self.keys(ui, cx, results);
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
                let selected = index == self.selected;
                let asks = selected && !beside;
                let response = row(ui, cx.state, tokens, hit, (selected, asks), height);
                if asks {
                    let side = tokens.size.control_small;
                    let at = response.rect.right_bottom() - vec2(tokens.space.l, tokens.space.s) - vec2(side, side);
                    let place = Rect::from_min_size(at, vec2(side, side));
                    // A child of its own: what is put down moves the rows below.
                    let mut corner = ui.new_child(UiBuilder::new().id_salt("why").max_rect(place));
                    if corner.add(IconButton::new(Icon::Info, tr("knowledge.why.title")).small()).clicked() {
                        deed = Some(Deed::Why);
                    }
                }
                if response.clicked() {
                    deed = Some(Deed::Chosen);
                    self.selected = index;
                }
                if response.double_clicked() {
                    cx.commands.push(open::hit(hit));
                }
            }
        });
        let offset = output.state.clamped_offset().y;
        ui.data_mut(|data| data.insert_temp(Self::id().with("offset"), offset));
        deed
    }

    /// Up and down choose, Enter opens; while the field or nothing has the keyboard.
    fn keys(&mut self, ui: &Ui, cx: &mut Cx<'_>, results: &SearchResults) -> Option<Deed> {
        let mine = ui.memory(|memory| memory.focused().is_none_or(|id| id == Self::id()));
        if !cx.focused || !mine {
            return None;
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
            cx.commands.push(open::hit(hit));
            self.wants_focus = true;
        }
        (self.selected != before).then_some(Deed::Chosen)
    }

    fn nothing(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        match nothing::ui(ui, cx, &self.filters, &self.text, &mut self.why_not) {
            None => return,
            Some(nothing::Wish::Clear(one)) => self.filters.clear(one),
            Some(nothing::Wish::ClearAll) => self.filters = Filters::default(),
        }
        self.ask(cx);
    }
}

/// `asks`: a button stands at the end of its second line.
fn row(
    ui: &mut Ui,
    state: &AppState,
    tokens: &Tokens,
    hit: &SearchHit,
    (selected, asks): (bool, bool),
    height: f32,
) -> egui::Response {
    let passage = &hit.passage;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let response = ui.interact(rect, Id::unique(("hit", passage.id)), Sense::click());
    let name = super::passage_name(state, passage);
    let place = place(passage);
    let label = if place.is_empty() { name.clone() } else { format!("{name}, {place}") };
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

    let icon = Icon::font(tokens.size.icon);
    let at = pos2(inner.left(), first);
    ui.painter().text(at, Align2::LEFT_CENTER, kind_icon(passage.kind).code(), icon, tokens.color.text_2);
    let left = inner.left() + tokens.size.icon + tokens.space.s;
    let mut title = egui::text::LayoutJob::default();
    append(tokens, &mut title, &name, Type::Strong, tokens.color.text);
    append(tokens, &mut title, &format!("   {}", near_place(passage)), Type::Body, tokens.color.text_3);
    title.wrap = egui::text::TextWrapping::truncate_at_width((right - tokens.space.s - left).max(0.0));
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(title));
    let at = pos2(left, first - galley.size().y / 2.0);
    ui.painter().galley(at, galley, tokens.color.text);

    let (snippet, marks) = one_line(&hit.snippet, &hit.marks);
    let mut job = marked(tokens, &snippet, &marks, tokens.color.text_2);
    let button = if asks { tokens.size.control_small + tokens.space.s } else { 0.0 };
    job.wrap = egui::text::TextWrapping::truncate_at_width((inner.right() - left - button).max(0.0));
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let at = pos2(left, inner.bottom() - galley.size().y);
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
