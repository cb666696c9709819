//! The messages of a chat as a virtual list: heights are kept, and only what is in view is laid out and drawn.

mod empty;
mod header;

pub use self::header::Around;
use std::collections::HashMap;

use egui::{Rect, ScrollArea, Stroke, StrokeKind, Ui, pos2, vec2};
use rspa_core::model::{Author, ChatId, Message, MessageId};

use super::Deed;
use super::message::MessageView;
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::AppState;
use crate::state::chats::is_running;
use crate::text::tr;
use crate::widgets::IconButton;
use crate::widgets::passage_card::excerpt;

/// Laid-out messages that are kept although they are out of view.
const KEPT: usize = 100;
/// Messages out of view that are laid out in one frame: what is scrolled to is there already, and no frame is long.
const AHEAD: usize = 2;
/// Answers at the end that may still grow while they are out of view.
const ALIVE: usize = 4;
/// Seconds that a message which was searched for stays marked.
const MARKED: f64 = 2.5;

struct Row {
    id: MessageId,
    height: f32,
    /// The height is the true one, not guessed from the length of the text.
    measured: bool,
}

#[derive(Default)]
pub struct Thread {
    chat: Option<ChatId>,
    rows: Vec<Row>,
    /// Top of each row, then the end of the last. Thousands of messages are millions of points: `f32` would be too coarse.
    tops: Vec<f64>,
    /// Which list of messages the rows were made of: its place in memory, length and last message.
    made_of: Option<(usize, usize, MessageId)>,
    width: f32,
    views: HashMap<MessageId, MessageView>,
    /// Of the frame before: what was in view, from the top of the list.
    view: std::ops::Range<f64>,
    frame: u64,
    go_to_end: bool,
    /// A message to show as soon as the chat has it.
    target: Option<(ChatId, MessageId)>,
    /// The message that was shown so, and until when it is marked.
    marked: Option<(MessageId, f64)>,
    renaming: Option<String>,
}

impl Thread {
    /// The next frame shows the end.
    pub fn show_end(&mut self) {
        self.go_to_end = true;
    }

    /// Scrolls to this message once it is there.
    pub fn show_message(&mut self, chat: ChatId, message: MessageId) {
        self.target = Some((chat, message));
    }

    pub fn ui(&mut self, ui: &mut Ui, state: &AppState, deeds: &mut Vec<Deed>) {
        let tokens = ui.tokens();
        if self.chat != state.chats.open {
            let target = self.target.take();
            *self = Self { chat: state.chats.open, go_to_end: true, target, ..Self::default() };
        }
        let messages = state.open_messages();
        if messages.is_empty() {
            empty::ui(ui, state, deeds);
            return;
        }
        self.frame += 1;
        let all = ui.available_rect_before_wrap();
        let width = (all.width() - 2.0 * tokens.space.l).min(tokens.size.text_column).max(tokens.size.list / 2.0);
        let left = all.left() + ((all.width() - width) / 2.0).max(tokens.space.l);
        // Answers side by side take all the room there is.
        let wide = (all.width() - 2.0 * tokens.space.l).min(2.0 * tokens.size.text_column).max(width);
        let wide_left = all.left() + ((all.width() - wide) / 2.0).max(tokens.space.l);
        self.sync(tokens, messages, width);
        let aimed = self.aim(ui, all.height());
        let moved = self.measure(ui, state, messages, (width, wide), all.height());
        let gap = f64::from(tokens.space.l);
        let total = self.tops.last().copied().unwrap_or_default();

        let mut scroll = ScrollArea::vertical().id_salt(("thread", self.chat.map(|id| id.0))).auto_shrink(false);
        // A new scroll area would go to its end by itself.
        scroll = scroll.stick_to_bottom(aimed.is_none());
        if let Some(row) = aimed {
            let top = (self.tops[row] - f64::from(all.height()) / 4.0).max(0.0);
            scroll = scroll.vertical_scroll_offset(top as f32);
            self.go_to_end = false;
        } else if std::mem::take(&mut self.go_to_end) {
            scroll = scroll.vertical_scroll_offset(total as f32);
        } else if moved != 0.0 {
            scroll = scroll.vertical_scroll_offset((self.view.start + moved) as f32);
        }
        let output = scroll.show_viewport(ui, |ui, viewport| {
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), total as f32), egui::Sense::hover());
            let (start, end) = (f64::from(viewport.top()), f64::from(viewport.bottom()));
            // Where the view begins on the screen: small figures, so that nothing trembles far down.
            let screen = rect.top() + viewport.top();
            let mut index = self.visible(start, end).start;
            while index < self.rows.len() && self.tops[index] < end {
                let message = &messages[index];
                let (left, width) = if message.versions.beside.is_empty() { (left, width) } else { (wide_left, wide) };
                if !self.rows[index].measured || !self.views.contains_key(&message.id) {
                    // After a leap: it is laid out where it is seen first, and the rest settles in the next frame.
                    let view = self.views.entry(message.id).or_insert_with(|| MessageView::new(message));
                    let height = view.measure(ui, state, message, width);
                    view.seen = self.frame;
                    self.rows[index] = Row { id: message.id, height, measured: true };
                    self.stack(tokens);
                    ui.ctx().request_repaint();
                }
                let (top, bottom) = (self.tops[index], self.tops[index + 1] - gap);
                let place = Rect::from_min_max(
                    pos2(left, screen + (top - start) as f32),
                    pos2(left + width, screen + (bottom - start) as f32),
                );
                self.mark(ui, tokens, message.id, place);
                let words = question_words(messages, index);
                if let Some(view) = self.views.get_mut(&message.id) {
                    view.show(ui, state, message, place, &words, deeds);
                }
                index += 1;
            }
            viewport
        });
        let viewport = output.inner;
        self.view = f64::from(viewport.top())..f64::from(viewport.bottom());
        if total - self.view.end > f64::from(viewport.height()) {
            let side = tokens.size.control;
            let at = pos2(all.center().x - side / 2.0, all.bottom() - side - tokens.space.s);
            let place = Rect::from_min_size(at, vec2(side, side));
            ui.painter().rect_filled(place, tokens.radius.control, tokens.color.bg3);
            let button = IconButton::new(Icon::ArrowDown, tr("chat.to_end"));
            if ui.put(place, button).clicked() {
                self.go_to_end = true;
            }
        }
        self.forget();
    }

    /// Rows that some part of is between these.
    fn visible(&self, start: f64, end: f64) -> std::ops::Range<usize> {
        let first = self.tops.partition_point(|top| *top <= start).saturating_sub(1);
        let last = self.tops.partition_point(|top| *top < end).min(self.rows.len());
        first.min(last)..last
    }

    /// Makes the rows those of the messages; guesses the height of new ones.
    fn sync(&mut self, tokens: &Tokens, messages: &[Message], width: f32) {
        let resized = self.width != width;
        if resized {
            self.width = width;
            self.rows.iter_mut().for_each(|row| row.measured = false);
        }
        // Messages come and go at the end, or the whole list is another one: ten thousand need not be looked at.
        let made_of = messages.last().map(|last| (messages.as_ptr() as usize, messages.len(), last.id));
        if self.made_of == made_of && !resized {
            return;
        }
        self.made_of = made_of;
        let same = self.rows.iter().zip(messages).take_while(|(row, message)| row.id == message.id).count();
        self.rows.truncate(same);
        for message in &messages[same..] {
            self.rows.push(Row { id: message.id, height: guess(tokens, message, width), measured: false });
        }
        self.stack(tokens);
    }

    /// Where each row begins.
    fn stack(&mut self, tokens: &Tokens) {
        let gap = f64::from(tokens.space.l);
        self.tops.clear();
        let mut top = gap;
        for row in &self.rows {
            self.tops.push(top);
            top += f64::from(row.height) + gap;
        }
        self.tops.push(top);
    }

    /// The row of the message that is waited for, in the frame in which it is there.
    fn aim(&mut self, ui: &Ui, height: f32) -> Option<usize> {
        let (chat, message) = self.target?;
        if Some(chat) != self.chat {
            self.target = None;
            return None;
        }
        let row = self.rows.iter().position(|row| row.id == message)?;
        self.target = None;
        self.marked = Some((message, ui.input(|i| i.time) + MARKED));
        self.view = (self.tops[row] - f64::from(height) / 4.0).max(0.0)..self.tops[row] + f64::from(height);
        Some(row)
    }

    /// A frame around the message that was searched for, for a moment.
    fn mark(&mut self, ui: &Ui, tokens: &Tokens, message: MessageId, place: Rect) {
        let Some((marked, until)) = self.marked else { return };
        let left = until - ui.input(|i| i.time);
        if left <= 0.0 {
            self.marked = None;
        } else if marked == message {
            let stroke = Stroke::new(1.0, tokens.color.accent);
            ui.painter().rect_stroke(place.expand(tokens.space.s), tokens.radius.card, stroke, StrokeKind::Inside);
            ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64(left));
        }
    }

    /// Measures what is in view, what still grows, and a little of what is close. Returns by how much things above the
    /// view grew.
    fn measure(
        &mut self,
        ui: &Ui,
        state: &AppState,
        messages: &[Message],
        (width, wide): (f32, f32),
        screen: f32,
    ) -> f64 {
        let height = f64::from(screen).max(self.view.end - self.view.start);
        let total = self.tops.last().copied().unwrap_or_default();
        let view = if self.go_to_end { total - 1.5 * height..total } else { self.view.start..self.view.start + height };
        // What came into view since is laid out when it is drawn.
        let seen = self.visible(view.start, view.end);
        let count = self.rows.len();
        let alive = count.saturating_sub(ALIVE).max(seen.end)..count;
        let alive = alive.filter(|&index| self.rows[index].measured && is_alive(&messages[index]));
        let near = self.visible(view.start - height, view.end + height);
        let unknown = |index: &usize| !self.rows[*index].measured;
        let above = (near.start..seen.start).rev().filter(unknown);
        let below = (seen.end..near.end).filter(unknown);
        let ahead = below.take(AHEAD).chain(above.take(AHEAD)).take(AHEAD);
        let due: Vec<usize> = seen.clone().chain(alive).chain(ahead).collect();
        let (mut moved, mut changed) = (0.0, false);
        for index in due {
            let message = &messages[index];
            let width = if message.versions.beside.is_empty() { width } else { wide };
            let view_of = self.views.entry(message.id).or_insert_with(|| MessageView::new(message));
            view_of.seen = self.frame;
            let measured = view_of.measure(ui, state, message, width);
            let row = &mut self.rows[index];
            let grown = f64::from(measured) - f64::from(row.height);
            if grown != 0.0 {
                // What stays where it is: all that is below something that ends above the view, and, of something
                // that was only guessed, its lower end.
                let top = self.tops[index];
                let ends_above = top + f64::from(row.height) < view.start;
                let guessed = !row.measured && top < view.start;
                if !self.go_to_end && (ends_above || guessed) {
                    moved += grown;
                }
                row.height = measured;
                changed = true;
            }
            row.measured = true;
        }
        if changed {
            self.stack(ui.tokens());
        }
        moved
    }

    /// Drops layouts that were long out of view.
    fn forget(&mut self) {
        if self.views.len() > KEPT {
            let frame = self.frame;
            self.views.retain(|_, view| view.seen + 2 > frame || view.is_precious());
        }
    }

    /// How many messages have a layout now.
    #[cfg(test)]
    pub fn laid_out(&self) -> usize {
        self.views.len()
    }
}

/// It, or an answer beside it, still grows.
fn is_alive(message: &Message) -> bool {
    is_running(message) || message.versions.beside.iter().any(is_running)
}

/// The words of the question that a message answers.
fn question_words(messages: &[Message], index: usize) -> Vec<String> {
    if messages[index].passages.is_empty() && messages[index].versions.beside.is_empty() {
        return Vec::new();
    }
    let question = messages[..index].iter().rev().find(|message| message.author == Author::Person);
    match (messages[index].author, question) {
        (Author::Model, Some(question)) => excerpt::words(&question.text),
        _ => Vec::new(),
    }
}

/// Close enough for a scroll bar until the message is measured.
fn guess(tokens: &Tokens, message: &Message, width: f32) -> f32 {
    let (line, character) = (tokens.line_height(Type::Body), tokens.font(Type::Body).size / 2.0);
    let lines = (message.text.len() as f32 * character / width).ceil() + 1.0;
    lines * line + if message.author == Author::Model { 6.0 * line } else { line }
}

/// The first words of a model's name, as many as a chip holds.
pub fn short_model(name: &str) -> String {
    let mut short = String::new();
    for word in name.split(' ') {
        if !short.is_empty() && short.len() + word.len() > 18 {
            break;
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short.extend(word.chars().take(28));
    }
    short
}
