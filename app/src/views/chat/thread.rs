//! The messages of a chat as a virtual list: heights are kept, and only what is in view is laid out and drawn.

use std::collections::HashMap;

use egui::{Align, Color32, Id, Layout, Rect, ScrollArea, Sense, Ui, pos2, vec2};
use rspa_core::model::{Author, ChatId, Message, MessageId, MessageState};

use super::message::MessageView;
use super::{Deed, list};
use crate::commands::{Action, UiCommand};
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::state::{AppState, Page};
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::widgets::passage_card::excerpt;
use crate::widgets::{Button, Chip, IconButton, TextField, Tone, speak_as, states};

/// Laid-out messages that are kept although they are out of view.
const KEPT: usize = 100;

#[derive(Clone, Copy)]
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
    width: f32,
    views: HashMap<MessageId, MessageView>,
    /// Of the frame before: what was in view, from the top of the list.
    view: std::ops::Range<f32>,
    frame: u64,
    go_to_end: bool,
    renaming: Option<String>,
}

impl Thread {
    /// The next frame shows the end.
    pub fn show_end(&mut self) {
        self.go_to_end = true;
    }

    pub fn header(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        narrow: bool,
        inspector: bool,
        room: bool,
        deeds: &mut Vec<Deed>,
    ) {
        let tokens = ui.tokens();
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.header), Sense::hover());
        crate::widgets::citation::rule(ui, rect);
        let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
        let open = cx.state.chats.open;
        let chats = cx.state.chats.list.get().map_or(&[][..], Vec::as_slice);
        let chat = open.and_then(|id| chats.iter().find(|one| one.chat.id == id)).map(|one| &one.chat);
        let builder =
            egui::UiBuilder::new().id_salt("header").max_rect(inner).layout(Layout::right_to_left(Align::Center));
        ui.scope_builder(builder, |ui| {
            ui.spacing_mut().item_spacing.x = tokens.space.xs;
            if room {
                let name = if inspector { tr("chat.inspector.hide") } else { tr("chat.inspector.show") };
                if ui.add(IconButton::new(Icon::SidebarSimple, name)).clicked() {
                    deeds.push(Deed::ToggleInspector);
                }
            }
            if let Some(chat) = chat {
                let more = ui.add(IconButton::new(Icon::DotsThree, tr("chat.more")));
                crate::widgets::menu(&more).show(|ui| {
                    if ui.button(tr("chat.rename")).clicked() {
                        self.renaming = Some(chat.title.clone());
                    }
                    if ui.button(tr("chat.delete")).clicked() {
                        list::delete(cx.commands, chat.id);
                    }
                });
            }
            if narrow {
                let other = ui.add(IconButton::new(Icon::List, tr("chat.list.title")));
                crate::widgets::menu(&other).width(tokens.size.list).show(|ui| {
                    ScrollArea::vertical().max_height(tokens.size.list * 1.5).show(ui, |ui| {
                        for one in chats.iter().take(50) {
                            if ui.selectable_label(Some(one.chat.id) == open, list::title(&one.chat.title)).clicked() {
                                cx.commands.push(UiCommand::OpenChat(one.chat.id));
                                ui.close();
                            }
                        }
                    });
                });
                if ui.add(IconButton::new(Icon::Plus, Action::NewChat.name())).clicked() {
                    cx.commands.push(UiCommand::NewChat);
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = tokens.space.s;
                if let (Some(chat), Some(name)) = (chat, &mut self.renaming) {
                    let id = Id::unique("rename-open-chat");
                    let response = TextField::new(name, tr("chat.rename")).id(id).show(ui);
                    if response.lost_focus() {
                        let kept = ui.input(|i| i.key_pressed(egui::Key::Escape)) || name.trim().is_empty();
                        if !kept && name.trim() != chat.title {
                            let title = name.trim().to_owned();
                            cx.commands.push(UiCommand::RenameChat { chat: chat.id, title });
                        }
                        self.renaming = None;
                    } else if !response.has_focus() {
                        response.request_focus();
                    }
                    return;
                }
                let title = chat.map_or(tr("chat.new"), |chat| list::title(&chat.title));
                let model = cx.state.chat_model().map(|model| short_model(&model.info.name));
                let has_model = model.is_some();
                let badge =
                    model.map_or(tr("chat.no_model").to_owned(), |name| tr_with("chat.local", &[("model", &name)]));
                // The chip says where the answer is made: before the title gives way, it leaves out the model's name.
                let chip_width = |badge: &str, ui: &Ui| {
                    let text = ui.painter().layout_no_wrap(badge.to_owned(), tokens.font(Type::Label), Color32::WHITE);
                    text.size().x + tokens.size.icon + 3.0 * tokens.space.s
                };
                let natural =
                    ui.painter().layout_no_wrap(title.to_owned(), tokens.font(Type::Title), tokens.color.text);
                let free = ui.available_width();
                let short = has_model && natural.size().x + chip_width(&badge, ui) > free;
                let badge = if short { tr("chat.local_short").to_owned() } else { badge };
                let chip = chip_width(&badge, ui);
                let fits = free - chip >= tokens.size.list / 3.0;
                let room = if fits { free - chip } else { free };
                let size = vec2(room.min(natural.size().x.ceil() + 1.0), tokens.size.control);
                let left = Layout::left_to_right(Align::Center);
                let shown = ui.allocate_ui_with_layout(size, left, |ui| {
                    ui.add(egui::Label::new(tokens.rich(Type::Title, title)).truncate())
                });
                speak_as(ui, &shown.inner, egui::Role::Heading, title);
                let tone = if has_model { Tone::Ok } else { Tone::Warn };
                if fits {
                    ui.add(Chip::new(badge).icon(Icon::Cpu).tone(tone));
                }
            });
        });
    }

    pub fn ui(&mut self, ui: &mut Ui, state: &AppState, deeds: &mut Vec<Deed>) {
        let tokens = ui.tokens();
        if self.chat != state.chats.open {
            *self = Self { chat: state.chats.open, go_to_end: true, ..Self::default() };
        }
        let messages = state.open_messages();
        if messages.is_empty() {
            self.nothing(ui, state, deeds);
            return;
        }
        self.frame += 1;
        let all = ui.available_rect_before_wrap();
        let width = (all.width() - 2.0 * tokens.space.l).min(tokens.size.text_column).max(tokens.size.list / 2.0);
        let left = all.left() + ((all.width() - width) / 2.0).max(tokens.space.l);
        self.sync(tokens, messages, width);
        let moved = self.measure(ui, state, messages, width);
        let gap = tokens.space.l;
        let total = self.rows.iter().map(|row| row.height + gap).sum::<f32>() + gap;

        let mut scroll = ScrollArea::vertical().id_salt(("thread", self.chat.map(|id| id.0))).auto_shrink(false);
        scroll = scroll.stick_to_bottom(true);
        if std::mem::take(&mut self.go_to_end) {
            scroll = scroll.vertical_scroll_offset(total);
        } else if moved != 0.0 {
            scroll = scroll.vertical_scroll_offset(self.view.start + moved);
        }
        let output = scroll.show_viewport(ui, |ui, viewport| {
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), total), Sense::hover());
            let mut top = gap;
            for (index, row) in self.rows.iter().enumerate() {
                let bottom = top + row.height;
                if bottom >= viewport.top() && top <= viewport.bottom() {
                    let place =
                        Rect::from_min_max(pos2(left, rect.top() + top), pos2(left + width, rect.top() + bottom));
                    let words = question_words(messages, index);
                    if let Some(view) = self.views.get_mut(&row.id) {
                        view.show(ui, state, &messages[index], place, &words, deeds);
                    }
                }
                top = bottom + gap;
                if top > viewport.bottom() {
                    break;
                }
            }
            viewport
        });
        let viewport = output.inner;
        self.view = viewport.top()..viewport.bottom();
        if total - viewport.bottom() > viewport.height() {
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

    /// Makes the rows those of the messages; guesses the height of new ones.
    fn sync(&mut self, tokens: &Tokens, messages: &[Message], width: f32) {
        if self.width != width {
            self.width = width;
            self.rows.iter_mut().for_each(|row| row.measured = false);
        }
        let same = self.rows.iter().zip(messages).take_while(|(row, message)| row.id == message.id).count();
        self.rows.truncate(same);
        for message in &messages[same..] {
            self.rows.push(Row { id: message.id, height: guess(tokens, message, width), measured: false });
        }
    }

    /// Measures what is in view or close to it. Returns by how much things above the view grew.
    fn measure(&mut self, ui: &Ui, state: &AppState, messages: &[Message], width: f32) -> f32 {
        let gap = ui.tokens().space.l;
        let height = (self.view.end - self.view.start).max(ui.available_height());
        let (mut first, mut last) = (self.view.start - height, self.view.end.max(self.view.start + height) + height);
        if self.go_to_end {
            last = f32::INFINITY;
            let total: f32 = self.rows.iter().map(|row| row.height + gap).sum();
            first = total - 2.0 * height;
        }
        let (mut top, mut moved) = (gap, 0.0);
        for (row, message) in self.rows.iter_mut().zip(messages) {
            let bottom = top + row.height;
            let alive = matches!(message.state, MessageState::Preparing | MessageState::Streaming);
            if (bottom >= first && top <= last) || (alive && row.measured) {
                let view = self.views.entry(row.id).or_insert_with(|| MessageView::new(message));
                view.seen = self.frame;
                let measured = view.measure(ui, state, message, width);
                if bottom < self.view.start && !self.go_to_end {
                    moved += measured - row.height;
                }
                row.height = measured;
                row.measured = true;
            }
            top = bottom + gap;
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

    /// A chat without messages: what can be done now, given what is there.
    fn nothing(&mut self, ui: &mut Ui, state: &AppState, deeds: &mut Vec<Deed>) {
        if let Some(slot) = state.chats.open.and_then(|chat| state.chats.messages.get(&chat)) {
            if let Some(error) = slot.error() {
                states::error(ui, error);
                return;
            }
            if slot.get().is_none() {
                states::loading(ui, tr("chat.loading"));
                return;
            }
        }
        let Some(sources) = state.knowledge.sources.get() else {
            states::loading(ui, tr("chat.loading"));
            return;
        };
        if sources.is_empty() {
            states::empty(ui, Icon::ChatCircleText, tr("chat.empty.title"), tr("chat.empty.no_sources"), |ui| {
                if ui.add(Button::new(tr("chat.empty.folder")).primary().icon(Icon::FolderPlus)).clicked() {
                    deeds.push(Deed::Run(Action::AddFolder));
                }
                ui.add_space(ui.tokens().space.xs);
                if ui.add(Button::new(tr("chat.empty.sample")).icon(Icon::Package)).clicked() {
                    deeds.push(Deed::Run(Action::AddSample));
                }
            });
            return;
        }
        let sample = sources.iter().any(|status| status.source.sample);
        let detail = if sample { tr("chat.empty.sample_there") } else { tr("chat.empty.detail") };
        states::empty(ui, Icon::ChatCircleText, tr("chat.empty.title"), detail, |ui| {
            if sample {
                for text in [tr("chat.suggest.one"), tr("chat.suggest.two"), tr("chat.suggest.three")] {
                    if ui.add(Button::new(text).icon(Icon::Question)).clicked() {
                        deeds.push(Deed::Suggest(text));
                    }
                    ui.add_space(ui.tokens().space.xs);
                }
            } else if ui.add(Button::new(tr("chat.empty.search")).icon(Icon::MagnifyingGlass)).clicked() {
                deeds.push(Deed::Page(Page::Knowledge));
            }
            if state.models.list.get().is_some() && state.chat_model().is_none() {
                let models = Button::new(tr("chat.empty.models")).primary().icon(Icon::Cpu);
                if ui.add(models).clicked() {
                    deeds.push(Deed::Page(Page::Models));
                }
            }
        });
    }
}

/// The words of the question that a message answers.
fn question_words(messages: &[Message], index: usize) -> Vec<String> {
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
