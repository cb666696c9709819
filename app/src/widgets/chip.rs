//! Chips: small round labels, still or clickable, in a tone that carries meaning; and status dots.

use std::borrow::Cow;

use egui::{Color32, Response, Role, Sense, Ui, Widget, WidgetInfo, vec2};

use super::focus_ring;
use crate::design::{Icon, Tokens, Type, UiExt};

/// What a colour says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Neutral,
    Accent,
    /// Local, done.
    Ok,
    /// Needs you, stale.
    Warn,
    /// Failed, blocked.
    Bad,
}

impl Tone {
    pub fn ink(self, tokens: &Tokens) -> Color32 {
        match self {
            Self::Neutral => tokens.color.text_2,
            Self::Accent => tokens.color.accent,
            Self::Ok => tokens.color.ok,
            Self::Warn => tokens.color.warn,
            Self::Bad => tokens.color.bad,
        }
    }

    pub fn ground(self, tokens: &Tokens) -> Color32 {
        match self {
            Self::Neutral => tokens.color.bg3,
            Self::Accent => tokens.color.selection,
            Self::Ok => tokens.color.ok_soft,
            Self::Warn => tokens.color.warn_soft,
            Self::Bad => tokens.color.bad_soft,
        }
    }
}

pub struct Chip<'a> {
    label: Cow<'a, str>,
    icon: Option<Icon>,
    tone: Tone,
    selected: Option<bool>,
}

impl<'a> Chip<'a> {
    pub fn new(label: impl Into<Cow<'a, str>>) -> Self {
        Self { label: label.into(), icon: None, tone: Tone::Neutral, selected: None }
    }

    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// Makes it clickable: on or off.
    pub fn selectable(mut self, selected: bool) -> Self {
        self.selected = Some(selected);
        self
    }

    /// How much room it takes.
    pub fn size(&self, ui: &Ui) -> egui::Vec2 {
        let tokens = ui.tokens();
        let label = ui.painter().layout_no_wrap(self.label.to_string(), tokens.font(Type::Label), Color32::PLACEHOLDER);
        let icon = self.icon.map_or(0.0, |_| 12.0 + tokens.space.xs);
        vec2(label.size().x + icon + 2.0 * tokens.space.s, tokens.size.chip)
    }
}

impl Widget for Chip<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = ui.tokens();
        let galley =
            ui.painter().layout_no_wrap(self.label.to_string(), tokens.font(Type::Label), Color32::PLACEHOLDER);
        let icon_width = self.icon.map_or(0.0, |_| 12.0 + tokens.space.xs);
        let size = self.size(ui);
        let sense = if self.selected.is_some() { Sense::click() } else { Sense::hover() };
        let (rect, response) = ui.allocate_exact_size(size, sense);
        response.widget_info(|| match self.selected {
            Some(on) => WidgetInfo::selected(Role::Button, ui.is_enabled(), on, &self.label),
            None => WidgetInfo::labeled(Role::Label, ui.is_enabled(), &self.label),
        });
        if ui.is_rect_visible(rect) {
            let tone = if self.selected == Some(true) { Tone::Accent } else { self.tone };
            // What can be switched on and is off has the ink of its tone only: a tinted one looks chosen.
            let ground = match self.selected {
                Some(false) if response.hovered() => tokens.color.bg3_hover,
                Some(false) => tokens.color.bg3,
                _ => tone.ground(tokens),
            };
            ui.painter().rect_filled(rect, rect.height() / 2.0, ground);
            let mut left = rect.left() + tokens.space.s;
            let ink = tone.ink(tokens);
            if let Some(icon) = self.icon {
                let at = egui::pos2(left, rect.center().y);
                ui.painter().text(at, egui::Align2::LEFT_CENTER, icon.code(), Icon::font(12.0), ink);
                left += icon_width;
            }
            ui.painter().galley(egui::pos2(left, rect.center().y - galley.size().y / 2.0), galley, ink);
            if response.has_focus() {
                focus_ring(ui, rect);
            }
        }
        response
    }
}

/// A dot of 8 points that shows a state beside words that say it.
pub fn dot(ui: &mut Ui, tone: Tone) -> Response {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(8.0, tokens.size.icon), Sense::hover());
    let ink = if tone == Tone::Neutral { tokens.color.text_3 } else { tone.ink(tokens) };
    ui.painter().circle_filled(rect.center(), 3.5, ink);
    response
}
