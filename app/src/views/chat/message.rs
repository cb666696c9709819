//! One message: a question in a bubble at the right; an answer with its model, passages, text, state and figures; or
//! several answers side by side.

mod beside;
mod choice;
mod figures;
mod notes;
mod question;

use egui::{Id, Rect, Ui, UiBuilder, pos2, vec2};
use rspa_core::model::{Author, Message, MessageState};

use self::notes::label;
use super::Deed;
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::AppState;
use crate::text::{number, tr, tr_count, tr_with};
use crate::widgets::Button;
use crate::widgets::markdown::{MarkdownEvent, MarkdownView};
use crate::widgets::passage_card::{self, passage_card};

pub use self::choice::{is_embedded, model_name};
pub use self::figures::milliseconds;
pub use self::question::{icon as attachment_icon, short};

/// What one part of a message is, from above to below.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Bubble,
    /// The question as a field that is typed into.
    Edit,
    Attachments,
    /// "‹ 2/3 ›" below a question.
    Versions,
    /// Which model, and why.
    Chosen,
    /// "4 passages in 11 ms"; shows or hides more of them.
    Found,
    Cards,
    Preparing,
    Text,
    /// How many sentences no passage supports.
    Unsupported,
    /// How many of its sources have changed since.
    Stale,
    Stopped,
    Failed,
    Figures,
    /// Answers of several models, side by side.
    Beside,
    /// "Go on with this one".
    GoOn,
}

pub struct MessageView {
    text: MarkdownView,
    parts: Vec<(Part, f32)>,
    all_passages: bool,
    edit: Option<question::Edit>,
    chips: question::Chips,
    /// One per answer, when several stand side by side.
    columns: Vec<MessageView>,
    /// It stands beside others: what can be done with it waits until one is chosen.
    is_column: bool,
    /// Number of the frame in which it was last near the view.
    pub seen: u64,
}

impl MessageView {
    pub fn new(message: &Message) -> Self {
        let text = match message.author {
            Author::Person => MarkdownView::plain(),
            Author::Model => MarkdownView::default(),
        };
        Self {
            text,
            parts: Vec::new(),
            all_passages: false,
            edit: None,
            chips: question::Chips::default(),
            columns: Vec::new(),
            is_column: false,
            seen: 0,
        }
    }

    /// Holds something that the person did, which forgetting would undo.
    pub fn is_precious(&self) -> bool {
        self.all_passages || self.edit.is_some() || self.columns.iter().any(Self::is_precious)
    }

    /// Brings all parts up to date and returns the height of the message.
    pub fn measure(&mut self, ui: &Ui, state: &AppState, message: &Message, width: f32) -> f32 {
        let tokens = ui.tokens();
        self.parts.clear();
        match message.author {
            Author::Person => self.question(ui, tokens, message, width),
            Author::Model if message.versions.beside.is_empty() || self.is_column => {
                self.columns.clear();
                self.answer(ui, tokens, state, message, width);
            }
            Author::Model => self.side_by_side(ui, tokens, state, message, width),
        }
        self.height(tokens)
    }

    fn height(&self, tokens: &Tokens) -> f32 {
        self.parts.iter().map(|(_, height)| height).sum::<f32>()
            + tokens.space.s * self.parts.len().saturating_sub(1) as f32
    }

    fn answer(&mut self, ui: &Ui, tokens: &Tokens, state: &AppState, message: &Message, width: f32) {
        let line = tokens.line_height(Type::Body);
        if message.choice.is_some() || self.is_column {
            self.parts.push((Part::Chosen, line));
        }
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
        if stale(message).is_some() {
            self.parts.push((Part::Stale, line));
        }
        match &message.state {
            MessageState::Preparing => {
                let reading = state.chats.reading.get(&message.id).is_some_and(|(_, total)| *total > 0);
                self.parts.push((Part::Preparing, line + if reading { tokens.space.m } else { 0.0 }));
            }
            MessageState::Streaming if message.text.is_empty() => self.parts.push((Part::Preparing, line)),
            MessageState::Streaming => {}
            MessageState::Complete => self.parts.push((Part::Figures, tokens.size.control)),
            MessageState::Stopped => {
                self.parts.push((Part::Stopped, tokens.size.control_small));
                self.parts.push((Part::Figures, tokens.size.control));
            }
            MessageState::Failed(error) => {
                let (title, advice) = notes::failure(ui, tokens, error, width);
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
                Part::Edit => self.edit(ui, tokens, id, rect, message, deeds),
                Part::Attachments => self.chips.show(ui, id, rect, message, deeds),
                Part::Versions => {
                    let layout = egui::Layout::right_to_left(egui::Align::Center);
                    let builder = UiBuilder::new().id_salt(id.with("versions")).max_rect(rect).layout(layout);
                    ui.scope_builder(builder, |ui| figures::versions(ui, message, deeds));
                }
                Part::Chosen => choice::line(ui, tokens, id, rect, message, deeds),
                Part::Found => self.found(ui, tokens, id, rect, state, message),
                Part::Cards => self.cards(ui, tokens, rect, message, words, deeds),
                Part::Preparing => notes::preparing(ui, tokens, id, rect, state, message),
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
                    let text = unsupported(message).unwrap_or_default();
                    notes::remark(ui, tokens, id.with("unsupported"), rect, Icon::Warning, &text, tokens.color.warn);
                }
                Part::Stale => {
                    let text = stale(message).unwrap_or_default();
                    let icon = Icon::ArrowsClockwise;
                    notes::remark(ui, tokens, id.with("stale"), rect, icon, &text, tokens.color.text_2);
                }
                Part::Stopped => {
                    let text = tr("chat.stopped");
                    let right = label(ui, tokens, id.with("stopped"), rect, text, tokens.color.text_2).right();
                    let rest = Rect::from_min_max(pos2(right + tokens.space.s, rect.top()), rect.max);
                    let builder = UiBuilder::new().id_salt(id.with("continue")).max_rect(rest);
                    ui.scope_builder(builder, |ui| {
                        let button = Button::new(tr("chat.continue")).icon(Icon::ArrowFatLinesRight).small();
                        if !self.is_column && ui.add(button).clicked() {
                            deeds.push(Deed::Continue(message.id));
                        }
                    });
                }
                Part::Failed => {
                    if let MessageState::Failed(error) = &message.state {
                        notes::failed(ui, tokens, id, rect, error);
                    }
                }
                Part::Figures => figures::show(ui, tokens, id, rect, state, message, self.is_column, deeds),
                Part::Beside => self.show_columns(ui, state, message, rect, words, deeds),
                Part::GoOn => beside::go_on(ui, id, rect, message, deeds),
            }
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

/// In words, how much of what an answer stands on is another thing now.
fn stale(message: &Message) -> Option<String> {
    let all = message.citations.len() as u64;
    match message.citations.iter().filter(|citation| citation.stale.is_some()).count() as u64 {
        0 => None,
        1 => Some(tr("chat.sources.stale_one").to_owned()),
        n => Some(tr_with("chat.sources.stale", &[("n", &number(n)), ("all", &number(all))])),
    }
}

fn columns(tokens: &Tokens, width: f32, cards: usize) -> usize {
    if width >= tokens.size.list * 2.0 && cards > 1 { 2 } else { 1 }
}
