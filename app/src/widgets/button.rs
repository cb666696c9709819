//! Buttons: primary, normal, quiet, danger; with an icon, words, or both.

use std::borrow::Cow;

use egui::{Color32, Response, Role, Sense, Stroke, StrokeKind, Ui, Widget, WidgetInfo, vec2};

use super::focus_ring;
use crate::design::{Icon, Tokens, Type, UiExt};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Normal,
    Primary,
    Quiet,
    Danger,
}

/// A button with words. `ui.add(Button::new("Save").primary().icon(Icon::Check))`.
pub struct Button<'a> {
    label: Cow<'a, str>,
    icon: Option<Icon>,
    kind: Kind,
    selected: bool,
    small: bool,
    enabled: bool,
    tooltip: Option<Cow<'a, str>>,
    full_width: bool,
}

impl<'a> Button<'a> {
    pub fn new(label: impl Into<Cow<'a, str>>) -> Self {
        Self {
            label: label.into(),
            icon: None,
            kind: Kind::Normal,
            selected: false,
            small: false,
            enabled: true,
            tooltip: None,
            full_width: false,
        }
    }

    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// The one thing to do here. At most one in view.
    pub fn primary(mut self) -> Self {
        self.kind = Kind::Primary;
        self
    }

    /// Without a ground until the pointer is over it.
    pub fn quiet(mut self) -> Self {
        self.kind = Kind::Quiet;
        self
    }

    pub fn danger(mut self) -> Self {
        self.kind = Kind::Danger;
        self
    }

    pub fn selected(mut self, selected: bool) -> Self {
        self.selected = selected;
        self
    }

    pub fn small(mut self) -> Self {
        self.small = true;
        self
    }

    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    pub fn tooltip(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        self.tooltip = Some(text.into());
        self
    }

    pub fn full_width(mut self) -> Self {
        self.full_width = true;
        self
    }
}

impl Widget for Button<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = ui.tokens();
        let kind = if self.small { Type::Secondary } else { Type::Body };
        let galley = ui.painter().layout_no_wrap(self.label.to_string(), tokens.font(kind), Color32::PLACEHOLDER);
        let (pad, gap) = (if self.small { tokens.space.s } else { 10.0 }, 6.0);
        let icon_size = if self.small { 14.0 } else { tokens.size.icon };
        let icon_width = self.icon.map_or(0.0, |_| icon_size + gap);
        let height = if self.small { tokens.size.control_small } else { tokens.size.control };
        let inner = icon_width + galley.size().x;
        let width = if self.full_width { ui.available_width() } else { inner + 2.0 * pad };
        let enabled = self.enabled && ui.is_enabled();
        let sense = if enabled { Sense::click() } else { Sense::hover() };
        let (rect, response) = ui.allocate_exact_size(vec2(width, height), sense);
        response.widget_info(|| {
            if self.selected {
                WidgetInfo::selected(Role::Button, enabled, true, &self.label)
            } else {
                WidgetInfo::labeled(Role::Button, enabled, &self.label)
            }
        });
        if ui.is_rect_visible(rect) {
            let (fill, ink) = colors(tokens, self.kind, self.selected, &response, enabled);
            ui.painter().rect_filled(rect, tokens.radius.control, fill);
            if tokens.high_contrast && self.kind != Kind::Quiet {
                let stroke = Stroke::new(1.0, tokens.color.line);
                ui.painter().rect_stroke(rect, tokens.radius.control, stroke, StrokeKind::Inside);
            }
            let mut left = rect.center().x - inner / 2.0;
            if let Some(icon) = self.icon {
                let at = egui::pos2(left, rect.center().y);
                ui.painter().text(at, egui::Align2::LEFT_CENTER, icon.code(), Icon::font(icon_size), ink);
                left += icon_width;
            }
            ui.painter().galley(egui::pos2(left, rect.center().y - galley.size().y / 2.0), galley, ink);
            if response.has_focus() {
                focus_ring(ui, rect);
            }
        }
        match self.tooltip {
            Some(text) => response.on_hover_text(text.into_owned()),
            None => response,
        }
    }
}

fn colors(tokens: &Tokens, kind: Kind, selected: bool, response: &Response, enabled: bool) -> (Color32, Color32) {
    let c = &tokens.color;
    let hot = response.hovered() || response.is_pointer_button_down_on();
    let (fill, ink) = match kind {
        _ if selected => (c.selection, c.text),
        Kind::Primary => (if hot { c.accent_hover } else { c.accent }, c.on_accent),
        Kind::Danger => (if hot { c.bad } else { c.bad_soft }, if hot { c.bg0 } else { c.bad }),
        Kind::Normal => (if hot { c.bg3_hover } else { c.bg3 }, c.text),
        Kind::Quiet => (if hot { c.bg3 } else { Color32::TRANSPARENT }, if hot { c.text } else { c.text_2 }),
    };
    match (enabled, kind) {
        (true, _) => (fill, ink),
        (false, Kind::Quiet) => (Color32::TRANSPARENT, c.text_3),
        (false, _) => (c.bg3, c.text_3),
    }
}

/// A square button that shows only an icon; its name is the tooltip and what a screen reader says.
pub struct IconButton<'a> {
    icon: Icon,
    name: Cow<'a, str>,
    shortcut: Option<String>,
    selected: bool,
    small: bool,
    enabled: bool,
    tint: Option<Color32>,
}

impl<'a> IconButton<'a> {
    pub fn new(icon: Icon, name: impl Into<Cow<'a, str>>) -> Self {
        Self { icon, name: name.into(), shortcut: None, selected: false, small: false, enabled: true, tint: None }
    }

    pub fn shortcut(mut self, keys: Option<String>) -> Self {
        self.shortcut = keys;
        self
    }

    pub fn selected(mut self, selected: bool) -> Self {
        self.selected = selected;
        self
    }

    pub fn small(mut self) -> Self {
        self.small = true;
        self
    }

    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    pub fn tint(mut self, color: Color32) -> Self {
        self.tint = Some(color);
        self
    }
}

impl Widget for IconButton<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = ui.tokens();
        let side = if self.small { tokens.size.control_small } else { tokens.size.control };
        let enabled = self.enabled && ui.is_enabled();
        let sense = if enabled { Sense::click() } else { Sense::hover() };
        let (rect, response) = ui.allocate_exact_size(vec2(side, side), sense);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &self.name));
        if ui.is_rect_visible(rect) {
            let (fill, ink) = colors(tokens, Kind::Quiet, self.selected, &response, enabled);
            ui.painter().rect_filled(rect, tokens.radius.control, fill);
            let size = if self.small { 14.0 } else { tokens.size.icon };
            let ink = self.tint.unwrap_or(ink);
            let font = Icon::font(size);
            ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, self.icon.code(), font, ink);
            if response.has_focus() {
                focus_ring(ui, rect);
            }
        }
        let tip = match self.shortcut {
            Some(keys) => format!("{}  ({keys})", self.name),
            None => self.name.into_owned(),
        };
        response.on_hover_text(tip)
    }
}
