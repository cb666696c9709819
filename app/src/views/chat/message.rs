//! One message: a question in a bubble at the right; an answer with its passages, text, state and figures.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Align, Color32, CornerRadius, Id, Layout, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use rspa_core::api::ApiError;
use rspa_core::model::{Author, Message, MessageState};

use super::Deed;
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::AppState;
use crate::text::{number, tr, tr_count, tr_with};
use crate::widgets::markdown::{MarkdownEvent, MarkdownView};
use crate::widgets::passage_card::{self, passage_card};
use crate::widgets::{Button, IconButton, progress_bar};

/// What one part of a message is, from above to below.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Bubble,
    /// "4 passages in 11 ms"; shows or hides more of them.
    Found,
    Cards,
    Preparing,
    Text,
    /// How many sentences no passage supports.
    Unsupported,
    Stopped,
    Failed,
    Figures,
}

pub struct MessageView {
    text: MarkdownView,
    parts: Vec<(Part, f32)>,
    all_passages: bool,
    /// Number of the frame in which it was last near the view.
    pub seen: u64,
}

impl MessageView {
    pub fn new(message: &Message) -> Self {
        let text = match message.author {
            Author::Person => MarkdownView::plain(),
            Author::Model => MarkdownView::default(),
        };
        Self { text, parts: Vec::new(), all_passages: false, seen: 0 }
    }

    /// Holds something that the person did, which forgetting would undo.
    pub fn is_precious(&self) -> bool {
        self.all_passages
    }

    /// Brings all parts up to date and returns the height of the message.
    pub fn measure(&mut self, ui: &Ui, state: &AppState, message: &Message, width: f32) -> f32 {
        let tokens = ui.tokens();
        self.parts.clear();
        match message.author {
            Author::Person => {
                let inner = bubble_width(width) - 2.0 * tokens.space.m;
                let height = self.text.prepare(ui, &message.text, &[], inner);
                self.parts.push((Part::Bubble, height + 2.0 * tokens.space.s));
            }
            Author::Model => self.answer(ui, tokens, state, message, width),
        }
        self.parts.iter().map(|(_, height)| height).sum::<f32>()
            + tokens.space.s * self.parts.len().saturating_sub(1) as f32
    }

    fn answer(&mut self, ui: &Ui, tokens: &Tokens, state: &AppState, message: &Message, width: f32) {
        let line = tokens.line_height(Type::Body);
        if !message.passages.is_empty() {
            self.parts.push((Part::Found, tokens.size.control_small));
            let shown = self.shown(message);
            let rows = shown.div_ceil(columns(tokens, width, shown)) as f32;
            let height = rows * passage_card::height(tokens) + (rows - 1.0).max(0.0) * tokens.space.s;
            self.parts.push((Part::Cards, height));
        }
        if !message.text.is_empty() {
            let height = self.text.prepare(ui, &message.text, &message.sentences, width);
            self.parts.push((Part::Text, height + tokens.space.xs));
        }
        if unsupported(message).is_some() {
            self.parts.push((Part::Unsupported, line));
        }
        match &message.state {
            MessageState::Preparing => {
                let bar = if state.chats.reading.contains_key(&message.id) { tokens.space.m } else { 0.0 };
                self.parts.push((Part::Preparing, line + bar));
            }
            MessageState::Streaming if message.text.is_empty() => self.parts.push((Part::Preparing, line)),
            MessageState::Streaming => {}
            MessageState::Complete => self.parts.push((Part::Figures, tokens.size.control)),
            MessageState::Stopped => {
                self.parts.push((Part::Stopped, line));
                self.parts.push((Part::Figures, tokens.size.control));
            }
            MessageState::Failed(error) => {
                let (title, advice) = failure(ui, tokens, error, width);
                let height = title.size().y + advice.size().y + tokens.space.xs + 2.0 * tokens.space.m;
                self.parts.push((Part::Failed, height));
                self.parts.push((Part::Figures, tokens.size.control));
            }
        }
    }

    /// How many passages have a card.
    fn shown(&self, message: &Message) -> usize {
        message.passages.len().min(if self.all_passages { usize::MAX } else { 2 })
    }

    pub fn show(
        &mut self,
        ui: &mut Ui,
        state: &AppState,
        message: &Message,
        place: Rect,
        words: &[String],
        deeds: &mut Vec<Deed>,
    ) {
        let tokens = ui.tokens();
        let id = Id::unique(("message", message.id.0));
        let mut top = place.top();
        for (part, height) in self.parts.clone() {
            let rect = Rect::from_min_size(pos2(place.left(), top), vec2(place.width(), height));
            top += height + tokens.space.s;
            if !ui.is_rect_visible(rect) {
                continue;
            }
            match part {
                Part::Bubble => self.bubble(ui, tokens, id, rect, message, deeds),
                Part::Found => self.found(ui, tokens, id, rect, state, message),
                Part::Cards => self.cards(ui, tokens, rect, message, words, deeds),
                Part::Preparing => preparing(ui, tokens, id, rect, state, message),
                Part::Text => {
                    for event in self.text.show(ui, id.with("text"), rect) {
                        deeds.push(match event {
                            MarkdownEvent::Citation(index) => Deed::Citation(message.id, index as usize),
                            MarkdownEvent::Link(address) => Deed::Link(address),
                            MarkdownEvent::Copy(text) => Deed::Copy(text),
                        });
                    }
                }
                Part::Unsupported => {
                    let icon = Icon::font(tokens.size.icon);
                    let at = pos2(rect.left(), rect.center().y);
                    let ink = tokens.color.warn;
                    let left = ui.painter().text(at, egui::Align2::LEFT_CENTER, Icon::Warning.code(), icon, ink);
                    let rest = Rect::from_min_max(pos2(left.right() + tokens.space.xs, rect.top()), rect.max);
                    let text = unsupported(message).unwrap_or_default();
                    label(ui, tokens, id.with("unsupported"), rest, &text, ink);
                }
                Part::Stopped => {
                    let text = tr("chat.stopped");
                    label(ui, tokens, id.with("stopped"), rect, text, tokens.color.text_2);
                }
                Part::Failed => {
                    if let MessageState::Failed(error) = &message.state {
                        failed(ui, tokens, id, rect, error);
                    }
                }
                Part::Figures => figures(ui, tokens, id, rect, message, deeds),
            }
        }
    }

    fn bubble(&mut self, ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, message: &Message, deeds: &mut Vec<Deed>) {
        let width = self.text.width().min(bubble_width(rect.width()) - 2.0 * tokens.space.m) + 2.0 * tokens.space.m;
        let bubble = Rect::from_min_max(pos2(rect.right() - width, rect.top()), rect.max);
        let radius = CornerRadius::same(tokens.radius.bubble);
        ui.painter().rect_filled(bubble, radius, tokens.color.bg3);
        let inner = bubble.shrink2(vec2(tokens.space.m, tokens.space.s));
        self.text.show(ui, id.with("text"), inner);
        let copy = Rect::from_min_size(
            pos2(bubble.left() - tokens.size.control_small - tokens.space.xs, rect.top()),
            vec2(tokens.size.control_small, tokens.size.control_small),
        );
        let near = Rect::from_min_max(copy.min, bubble.max);
        // It is always there for the keyboard and for screen readers, and shows when the pointer is near.
        let mut corner = ui.new_child(UiBuilder::new().id_salt(id.with("copy")).max_rect(copy));
        let button_id = corner.next_auto_id();
        let near = corner.rect_contains_pointer(near) || corner.memory(|memory| memory.has_focus(button_id));
        corner.set_opacity(if near { 1.0 } else { 0.0 });
        if corner.add(IconButton::new(Icon::Copy, tr("chat.copy_question")).small()).clicked() {
            deeds.push(Deed::Copy(message.text.clone()));
        }
    }

    fn found(&mut self, ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, state: &AppState, message: &Message) {
        let count = tr_count("chat.passages", message.passages.len() as u64);
        let known = message.stats.as_ref().map(|stats| stats.search_ms).filter(|ms| *ms > 0.0);
        let text = match known.or_else(|| state.chats.search_ms.get(&message.id).copied()) {
            Some(ms) => tr_with("chat.passages_in", &[("passages", &count), ("ms", &milliseconds(ms))]),
            None => count,
        };
        let at = pos2(rect.left(), rect.center().y);
        let ink = tokens.color.text_2;
        let icon = Icon::font(tokens.size.icon);
        let left = ui.painter().text(at, egui::Align2::LEFT_CENTER, Icon::Books.code(), icon, ink).right();
        let at = Rect::from_min_max(pos2(left + tokens.space.xs, rect.top()), rect.max);
        let right = label(ui, tokens, id.with("found"), at, &text, ink).right();
        if message.passages.len() > 2 {
            let rest = Rect::from_min_max(pos2(right + tokens.space.s, rect.top()), rect.max);
            let builder = UiBuilder::new().id_salt(id.with("more")).max_rect(rest);
            ui.scope_builder(builder, |ui| {
                let name = if self.all_passages { tr("chat.passages_fewer") } else { tr("chat.passages_all") };
                let icon = if self.all_passages { Icon::CaretUp } else { Icon::CaretDown };
                if ui.add(Button::new(name).icon(icon).quiet().small()).clicked() {
                    self.all_passages = !self.all_passages;
                }
            });
        }
    }

    fn cards(
        &self,
        ui: &mut Ui,
        tokens: &Tokens,
        rect: Rect,
        message: &Message,
        words: &[String],
        deeds: &mut Vec<Deed>,
    ) {
        let columns = columns(tokens, rect.width(), self.shown(message));
        let (gap, height) = (tokens.space.s, passage_card::height(tokens));
        let width = (rect.width() - gap * (columns - 1) as f32) / columns as f32;
        for (index, passage) in message.passages.iter().take(self.shown(message)).enumerate() {
            let (row, column) = (index / columns, index % columns);
            let at = rect.min + vec2(column as f32 * (width + gap), row as f32 * (height + gap));
            let place = Rect::from_min_size(at, vec2(width, height));
            if ui.push_id(message.id.0, |ui| passage_card(ui, place, index + 1, passage, words)).inner.clicked() {
                deeds.push(Deed::Passage(message.id, index));
            }
        }
    }
}

/// In words, how much of a finished answer stands on nothing that was found.
fn unsupported(message: &Message) -> Option<String> {
    let claims = message.sentences.iter().filter(|sentence| sentence.claims);
    let (all, without) = claims
        .fold((0u64, 0u64), |(all, without), sentence| (all + 1, without + u64::from(sentence.citations.is_empty())));
    match without {
        0 => None,
        _ if without == all => Some(tr("chat.unsupported.all").to_owned()),
        _ => Some(tr_with("chat.unsupported.some", &[("n", &number(without)), ("all", &number(all))])),
    }
}

fn bubble_width(width: f32) -> f32 {
    width * 0.78
}

fn columns(tokens: &Tokens, width: f32, cards: usize) -> usize {
    if width >= tokens.size.list * 2.0 && cards > 1 { 2 } else { 1 }
}

/// A line of text that a screen reader finds.
fn label(ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, text: &str, color: Color32) -> Rect {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), tokens.font(Type::Secondary), color);
    let place = Rect::from_min_size(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley.size());
    let response = ui.interact(place, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter().galley(place.min, galley, color);
    place
}

fn preparing(ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, state: &AppState, message: &Message) {
    let reading = state.chats.reading.get(&message.id);
    let text = match reading {
        Some((done, total)) => {
            tr_with("chat.reading", &[("done", &number(u64::from(*done))), ("total", &number(u64::from(*total)))])
        }
        None if message.passages.is_empty() => tr("chat.preparing").to_owned(),
        None => tr("chat.starting_model").to_owned(),
    };
    let line = Rect::from_min_size(rect.min, vec2(rect.width(), tokens.line_height(Type::Body)));
    label(ui, tokens, id.with("preparing"), line, &text, tokens.color.text_2);
    if let Some((done, total)) = reading {
        let below = Rect::from_min_max(pos2(rect.left(), line.bottom() + tokens.space.xs), rect.max);
        ui.scope_builder(UiBuilder::new().id_salt(id.with("bar")).max_rect(below), |ui| {
            let fraction = (*total > 0).then(|| *done as f32 / *total as f32);
            progress_bar(ui, &text, fraction, tokens.size.list.min(rect.width()));
        });
    }
}

type Galley = std::sync::Arc<egui::Galley>;

fn failure(ui: &Ui, tokens: &Tokens, error: &ApiError, width: f32) -> (Galley, Galley) {
    let width = width - 2.0 * tokens.space.m - tokens.size.icon - tokens.space.s;
    let galley = |text: &str, kind, color| {
        let mut job = LayoutJob::simple(text.to_owned(), tokens.font(kind), color, width);
        job.wrap = TextWrapping { max_width: width, max_rows: 12, ..TextWrapping::default() };
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    };
    (
        galley(&error.message, Type::Strong, tokens.color.bad),
        galley(&error.advice, Type::Secondary, tokens.color.text_2),
    )
}

fn failed(ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, error: &ApiError) {
    let (title, advice) = failure(ui, tokens, error, rect.width());
    let response = ui.interact(rect, id.with("failed"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, format!("{} {}", error.message, error.advice)));
    ui.painter().rect_filled(rect, CornerRadius::same(tokens.radius.card), tokens.color.bad_soft);
    let at = rect.min + vec2(tokens.space.m, tokens.space.m);
    let icon = Icon::font(tokens.size.icon);
    ui.painter().text(at, egui::Align2::LEFT_TOP, Icon::WarningCircle.code(), icon, tokens.color.bad);
    let at = at + vec2(tokens.size.icon + tokens.space.s, 0.0);
    let below = at + vec2(0.0, title.size().y + tokens.space.xs);
    ui.painter().galley(at, title, tokens.color.bad);
    ui.painter().galley(below, advice, tokens.color.text_2);
}

fn figures(ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, message: &Message, deeds: &mut Vec<Deed>) {
    if let Some(stats) = &message.stats {
        let mut pieces = vec![tr_count("chat.tokens", u64::from(stats.answer_tokens))];
        if stats.tok_s > 0.0 {
            let decimals = usize::from(stats.tok_s < 9.95);
            pieces.push(tr_with("chat.tok_s", &[("n", &format!("{:.decimals$}", stats.tok_s))]));
        }
        if stats.ttft_ms > 0.0 {
            pieces.push(tr_with("chat.first_token", &[("time", &seconds(stats.ttft_ms))]));
        }
        let text = pieces.join("    ");
        let place = label(ui, tokens, id.with("figures"), rect, &text, tokens.color.text_3);
        let response = ui.interact(place, id.with("figures-tip"), Sense::hover());
        response.on_hover_text(tr_with("chat.answered_by", &[("model", &stats.model)]));
    }
    let right = Layout::right_to_left(Align::Center);
    ui.scope_builder(UiBuilder::new().id_salt(id.with("actions")).max_rect(rect).layout(right), |ui| {
        if ui.add(IconButton::new(Icon::ArrowClockwise, tr("chat.retry"))).clicked() {
            deeds.push(Deed::Retry(message.id));
        }
        if !message.text.is_empty() && ui.add(IconButton::new(Icon::Copy, tr("chat.copy_answer"))).clicked() {
            deeds.push(Deed::Copy(message.text.clone()));
        }
    });
}

/// `0.21 s`, `12 s`.
fn seconds(ms: f64) -> String {
    let seconds = ms / 1000.0;
    if seconds < 9.995 { format!("{seconds:.2} s") } else { crate::text::duration(seconds) }
}

/// `0.4`, `11`.
pub fn milliseconds(ms: f64) -> String {
    if ms < 9.95 { format!("{ms:.1}") } else { number(ms.round().max(0.0) as u64) }
}
