//! The composer: a question of several lines, what it may search in, the model, and Send or Stop.

use egui::{
    CornerRadius, Frame, Id, Key, KeyboardShortcut, Layout, Margin, Modifiers, PopupCloseBehavior, Stroke, TextEdit, Ui,
};
use rspa_core::model::{MessageId, ModelId, ModelKind, SourceId};

use crate::commands::UiCommand;
use crate::design::{Icon, Type, UiExt};
use crate::state::{AppState, Page};
use crate::text::{number, tr, tr_count, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, Tone, states};

/// The field grows up to this many rows.
const ROWS: usize = 8;
/// Characters of a question; core has its own limit, this one keeps the field quick.
const LONGEST: usize = 100_000;

/// Where an answer may look.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// None is the default model.
    model: Option<ModelId>,
    wants_focus: bool,
    /// Height of the text in the frame before.
    text_height: f32,
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

    pub fn model(&self) -> Option<ModelId> {
        self.model.clone()
    }

    /// Whether to search, and where; no sources means all.
    pub fn scope(&self) -> (bool, Vec<SourceId>) {
        match &self.scope {
            Scope::All => (true, Vec::new()),
            Scope::Some(sources) => (!sources.is_empty(), sources.clone()),
            Scope::Nothing => (false, Vec::new()),
        }
    }

    pub fn height(&self, ui: &Ui, state: &AppState) -> f32 {
        let tokens = ui.tokens();
        let line = tokens.line_height(Type::Body);
        let text = self.text_height.clamp(line, line * ROWS as f32);
        let banner = if no_model(state) { tokens.size.row + tokens.space.l } else { 0.0 };
        text + tokens.size.control + 3.0 * tokens.space.m + tokens.space.l + banner
    }

    /// Returns what was sent.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, running: Option<MessageId>) -> Option<String> {
        let tokens = ui.tokens();
        let width = (ui.available_width() - 2.0 * tokens.space.l).min(tokens.size.text_column);
        let side = (ui.available_width() - width) / 2.0;
        let mut sent = false;
        Frame::new()
            .inner_margin(Margin { left: side as i8, right: side as i8, top: 0, bottom: tokens.space.l as i8 })
            .show(ui, |ui| {
                ui.set_width(width);
                if no_model(cx.state) {
                    self.without_model(ui, cx);
                }
                let focused = ui.memory(|memory| memory.has_focus(Self::id()));
                let line = if focused { tokens.color.accent } else { tokens.color.line };
                Frame::new()
                    .fill(tokens.color.bg2)
                    .stroke(Stroke::new(1.0, line))
                    .corner_radius(CornerRadius::same(tokens.radius.bubble))
                    .inner_margin(tokens.space.m as i8 - 1)
                    .show(ui, |ui| {
                        sent = self.field(ui, focused);
                        ui.add_space(tokens.space.s);
                        sent |= self.bar(ui, cx, running);
                    });
            });
        let text = self.text.trim();
        if sent && running.is_none() && !cx.state.chats.sending && !text.is_empty() {
            let text = text.to_owned();
            self.text.clear();
            self.wants_focus = true;
            return Some(text);
        }
        None
    }

    /// True when Enter was pressed.
    fn field(&mut self, ui: &mut Ui, focused: bool) -> bool {
        let tokens = ui.tokens();
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
        if std::mem::take(&mut self.wants_focus) {
            response.request_focus();
            let mut state = TextEdit::load_state(ui.ctx(), Self::id()).unwrap_or_default();
            let end = egui::text::CCursor::new(self.text.chars().count());
            state.cursor.set_char_range(Some(egui::text_selection::CCursorRange::one(end)));
            TextEdit::store_state(ui.ctx(), Self::id(), state);
        }
        enter
    }

    /// Chips and buttons below the text. True when Send was pressed.
    fn bar(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, running: Option<MessageId>) -> bool {
        let tokens = ui.tokens();
        let mut sent = false;
        let height = tokens.size.control;
        let size = egui::vec2(ui.available_width(), height);
        ui.allocate_ui_with_layout(size, Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = tokens.space.s;
            match running {
                Some(answer) => {
                    if ui.add(Button::new(tr("chat.stop")).icon(Icon::Stop)).clicked() {
                        cx.commands.push(UiCommand::StopAnswer(answer));
                    }
                }
                None => {
                    let ready = !self.text.trim().is_empty() && !cx.state.chats.sending;
                    let button = Button::new(tr("chat.send")).primary().icon(Icon::ArrowUp).enabled(ready);
                    sent = ui.add(button.tooltip(tr("chat.send_tip"))).clicked();
                }
            }
            let tokens_now = (self.text.chars().count() as u64).div_ceil(4);
            let room = self.context(cx.state);
            if tokens_now > 0 && ui.available_width() > tokens.size.list {
                let text = match room {
                    Some(room) => {
                        tr_with("chat.composer.tokens", &[("n", &number(tokens_now)), ("room", &number(room))])
                    }
                    None => tr_with("chat.composer.tokens_alone", &[("n", &number(tokens_now))]),
                };
                let over = room.is_some_and(|room| tokens_now > room);
                let color = if over { tokens.color.warn } else { tokens.color.text_3 };
                ui.label(tokens.rich(Type::Label, text).color(color));
            }
            ui.with_layout(Layout::left_to_right(egui::Align::Center), |ui| {
                self.scope_chip(ui, cx.state);
                if ui.available_width() > tokens.size.list / 2.0 {
                    self.model_chip(ui, cx.state);
                }
            });
        });
        sent
    }

    fn scope_chip(&mut self, ui: &mut Ui, state: &AppState) {
        let sources = state.knowledge.sources.get().map_or(&[][..], Vec::as_slice);
        let label = match &self.scope {
            Scope::All => tr("chat.scope.all").to_owned(),
            Scope::Nothing => tr("chat.scope.none").to_owned(),
            Scope::Some(chosen) => match chosen.as_slice() {
                [one] => sources
                    .iter()
                    .find(|status| status.source.id == *one)
                    .map_or_else(|| tr_count("chat.scope.some", 1), |status| status.source.name.clone()),
                chosen => tr_count("chat.scope.some", chosen.len() as u64),
            },
        };
        let tone = match self.scope {
            Scope::All => Tone::Neutral,
            Scope::Some(_) => Tone::Accent,
            Scope::Nothing => Tone::Warn,
        };
        let chip = ui.add(Chip::new(label).icon(Icon::Books).tone(tone).selectable(false));
        let chip = chip.on_hover_text(tr("chat.scope.tip"));
        let menu = crate::widgets::menu(&chip).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        menu.width(ui.tokens().size.list).show(|ui| {
            if ui.radio(self.scope == Scope::All, tr("chat.scope.all")).clicked() {
                self.scope = Scope::All;
                ui.close();
            }
            if ui.radio(self.scope == Scope::Nothing, tr("chat.scope.none")).clicked() {
                self.scope = Scope::Nothing;
                ui.close();
            }
            if sources.is_empty() {
                return;
            }
            ui.separator();
            let mut chosen = match &self.scope {
                Scope::Some(chosen) => chosen.clone(),
                _ => Vec::new(),
            };
            for status in sources {
                let source = status.source.id;
                let mut on = chosen.contains(&source);
                if ui.checkbox(&mut on, &status.source.name).changed() {
                    chosen.retain(|one| *one != source);
                    if on {
                        chosen.push(source);
                    }
                    self.scope = if chosen.is_empty() { Scope::All } else { Scope::Some(chosen.clone()) };
                }
            }
        });
    }

    fn model_chip(&mut self, ui: &mut Ui, state: &AppState) {
        let Some(list) = state.models.list.get() else { return };
        let models: Vec<_> = list.models.iter().filter(|model| model.info.kind == ModelKind::Chat).collect();
        let chosen = models.iter().find(|model| Some(&model.id) == self.model.as_ref());
        let Some(model) = chosen.copied().or_else(|| state.chat_model()) else { return };
        let chip = ui.add(Chip::new(super::thread::short_model(&model.info.name)).icon(Icon::Cpu).selectable(false));
        let chip = chip.on_hover_text(tr("chat.model_tip"));
        crate::widgets::menu(&chip).width(ui.tokens().size.list).show(|ui| {
            for model in models {
                let on = self.model.as_ref().map_or(model.is_default, |id| *id == model.id);
                if ui.radio(on, &model.info.name).clicked() {
                    self.model = if model.is_default { None } else { Some(model.id.clone()) };
                    ui.close();
                }
            }
        });
    }

    /// Tokens that the chosen model reads at most.
    fn context(&self, state: &AppState) -> Option<u64> {
        let list = state.models.list.get()?;
        let chosen = list.models.iter().find(|model| Some(&model.id) == self.model.as_ref());
        chosen.or_else(|| state.chat_model()).map(|model| model.info.context_length as u64)
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

fn no_model(state: &AppState) -> bool {
    state.models.list.get().is_some() && state.chat_model().is_none()
}
