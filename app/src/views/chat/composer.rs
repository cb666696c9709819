//! The composer: a question of several lines, what comes along with it, where to search, who answers, and Send or Stop.

mod bar;
mod enclosed;
mod mention;
mod meter;

use std::hash::{DefaultHasher, Hash, Hasher};

use egui::{
    CornerRadius, Frame, Id, Key, KeyboardShortcut, Layout, Modifiers, Rect, Stroke, TextEdit, Ui, UiBuilder, pos2,
    vec2,
};
use rspa_core::model::{Mentioned, MessageId, ModelId, Question, SourceId};

pub use self::meter::used;
use super::choosing::{self, Choice};
use crate::commands::UiCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::{AppState, Page};
use crate::text::tr;
use crate::views::Cx;
use crate::widgets::{Button, Tone, states};

/// The field grows up to this many rows.
const ROWS: usize = 8;
/// Characters of a question; core has its own limit, this one keeps the field quick.
const LONGEST: usize = 100_000;

/// Where an answer may look.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
enum Scope {
    #[default]
    All,
    Some(Vec<SourceId>),
    Nothing,
}

#[derive(Default)]
pub struct Composer {
    text: String,
    scope: Scope,
    /// None is the router's choice.
    model: Option<ModelId>,
    /// A second one answers beside it.
    beside: Option<ModelId>,
    enclosed: enclosed::Enclosed,
    mention: mention::Mentioning,
    meter: meter::Meter,
    wants_focus: bool,
    /// Height of the text in the frame before.
    text_height: f32,
}

/// What the person did in the composer.
pub enum Said {
    Ask(Question),
    /// The meter was pressed: what would fill the context is looked at.
    ShowContext,
}

impl Composer {
    pub fn id() -> Id {
        Id::unique("composer")
    }

    pub fn focus(&mut self) {
        self.wants_focus = true;
    }

    pub fn set(&mut self, text: String) {
        self.text = text;
        self.wants_focus = true;
    }

    pub fn attach(&mut self, what: Vec<Mentioned>, state: &AppState) {
        self.enclosed.add(what, state);
        self.wants_focus = true;
    }

    /// The model that would answer: the chosen one, or the default of this computer.
    pub fn answering(&self, state: &AppState) -> Option<Choice> {
        match &self.model {
            Some(id) => Some(choosing::find(state, id)),
            None => state.chat_model().map(|model| choosing::find(state, &model.id)),
        }
    }

    /// The question as it would be sent with this text.
    pub fn question(&self, text: String) -> Question {
        let (use_knowledge, sources) = match &self.scope {
            Scope::All => (true, Vec::new()),
            Scope::Some(sources) => (!sources.is_empty(), sources.clone()),
            Scope::Nothing => (false, Vec::new()),
        };
        Question {
            text,
            use_knowledge,
            sources,
            model: self.model.clone(),
            beside: self.beside.clone(),
            attachments: self.enclosed.all(),
        }
    }

    /// Changes with all that a question is made of.
    fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.text, &self.scope, &self.model, &self.beside, self.enclosed.changes).hash(&mut hasher);
        hasher.finish()
    }

    pub fn height(&self, ui: &Ui, state: &AppState) -> f32 {
        let tokens = ui.tokens();
        let line = tokens.line_height(Type::Body);
        let text = self.text_height.clamp(line, line * ROWS as f32);
        let banner = if no_model(state) { tokens.size.row + tokens.space.l } else { 0.0 };
        let enclosed = self.enclosed.height(tokens);
        text + enclosed + tokens.size.control + 3.0 * tokens.space.m + tokens.space.l + banner
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, running: &[MessageId]) -> Option<Said> {
        let tokens = ui.tokens();
        let width = (ui.available_width() - 2.0 * tokens.space.l).min(tokens.size.text_column);
        let side = (ui.available_width() - width) / 2.0;
        let (mut sent, mut shown) = (false, false);
        // Below the column of the thread, also where the margin is wider than the margin of a frame can be.
        let free = ui.available_rect_before_wrap();
        let size = vec2(width, (free.height() - tokens.space.l).max(0.0));
        let place = Rect::from_min_size(pos2(free.left() + side, free.top()), size);
        ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
            ui.set_width(width);
            if no_model(cx.state) && self.model.is_none() {
                self.without_model(ui, cx);
            }
            let focused = ui.memory(|memory| memory.has_focus(Self::id()));
            let line = if focused { tokens.color.accent } else { tokens.color.line };
            let frame = Frame::new()
                .fill(tokens.color.bg2)
                .stroke(Stroke::new(1.0, line))
                .corner_radius(CornerRadius::same(tokens.radius.bubble))
                .inner_margin(tokens.space.m as i8 - 1)
                .show(ui, |ui| {
                    self.enclosed.ui(ui, &mut self.text);
                    sent = self.field(ui, cx, focused);
                    ui.add_space(tokens.space.s);
                    let pressed = self.bar(ui, cx, running);
                    sent |= pressed.0;
                    shown = pressed.1;
                });
            if let Some(mention) = self.mention.ui(ui, cx, frame.response.rect, &mut self.text) {
                self.enclosed.add_mention(mention);
                self.wants_focus = true;
            }
        });
        let text = self.text.trim();
        if sent && running.is_empty() && !cx.state.chats.sending && !text.is_empty() {
            let question = self.question(text.to_owned());
            self.text.clear();
            self.enclosed.clear();
            self.wants_focus = true;
            return Some(Said::Ask(question));
        }
        if running.is_empty() {
            let key = self.key();
            let mut meter = std::mem::take(&mut self.meter);
            meter.keep(ui, cx, key, || self.question(self.text.trim().to_owned()));
            self.meter = meter;
        }
        shown.then_some(Said::ShowContext)
    }

    /// True when Enter was pressed.
    fn field(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, focused: bool) -> bool {
        let tokens = ui.tokens();
        let back = self.mention.escape(ui);
        if focused {
            self.mention.keys(ui, cx);
            self.enclosed.take_paste(ui);
        }
        let enter = focused && ui.input(|i| i.key_pressed(Key::Enter) && i.modifiers.is_none());
        let line = tokens.line_height(Type::Body);
        let scroll = egui::ScrollArea::vertical().id_salt("composer-scroll").max_height(line * ROWS as f32);
        let response = scroll
            .show(ui, |ui| {
                let hint = tokens.rich(Type::Body, tr("chat.composer.hint")).color(tokens.color.text_3);
                let edit = TextEdit::multiline(&mut self.text)
                    .id(Self::id())
                    .hint_text(hint)
                    .font(tokens.font(Type::Body))
                    .frame(Frame::NONE)
                    .desired_rows(1)
                    .desired_width(f32::INFINITY)
                    .char_limit(LONGEST)
                    .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter));
                ui.add(edit).accessible_name(tr("chat.composer.name"))
            })
            .inner;
        self.text_height = response.rect.height();
        if back {
            response.request_focus();
        }
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
            set_cursor(ui, self.text.chars().count());
        }
        self.mention.look(ui, cx, &self.text, focused);
        enter
    }

    fn without_model(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let size = egui::vec2(ui.available_width(), tokens.size.row);
        ui.allocate_ui_with_layout(size, Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.add(Button::new(tr("chat.empty.models")).small()).clicked() {
                cx.commands.push(UiCommand::OpenPage(Page::Models));
            }
            ui.with_layout(Layout::top_down(egui::Align::Min), |ui| {
                states::banner(ui, Tone::Warn, Icon::Warning, tr("chat.no_model_note"));
            });
        });
        ui.add_space(tokens.space.s);
    }
}

/// Puts the cursor of the field behind this many characters.
fn set_cursor(ui: &Ui, at: usize) {
    let mut state = TextEdit::load_state(ui.ctx(), Composer::id()).unwrap_or_default();
    let at = egui::text::CCursor::new(at);
    state.cursor.set_char_range(Some(egui::text_selection::CCursorRange::one(at)));
    TextEdit::store_state(ui.ctx(), Composer::id(), state);
}

fn no_model(state: &AppState) -> bool {
    state.models.list.get().is_some() && state.chat_model().is_none()
}
