//! A row of a list of things that are in a state: name, a dot in its tone with the words for it, a figure at the right.

use egui::{Align2, Color32, Response, Role, Sense, Stroke, StrokeKind, Ui, Widget, WidgetInfo, pos2, vec2};

use super::Tone;
use super::list::line;
use crate::design::{Icon, Type, UiExt};

pub struct StatusRow<'a> {
    pub name: &'a str,
    pub icon: Icon,
    pub tone: Tone,
    /// Said beside the dot.
    pub words: &'a str,
    pub right: &'a str,
    pub selected: bool,
}

impl Widget for StatusRow<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = ui.tokens();
        let size = vec2(ui.available_width(), tokens.size.row_two_lines);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let told = format!("{}: {}", self.name, self.words);
        response.widget_info(|| WidgetInfo::selected(Role::ListItem, ui.is_enabled(), self.selected, &told));
        if !ui.is_rect_visible(rect) {
            return response;
        }
        if response.gained_focus() {
            ui.scroll_to_rect(rect, None);
        }
        let fill = match (self.selected, response.hovered()) {
            (true, _) => tokens.color.selection,
            (false, true) => tokens.color.bg3,
            _ => Color32::TRANSPARENT,
        };
        let painter = ui.painter();
        painter.rect_filled(rect, 0.0, fill);
        painter.hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
        if response.has_focus() {
            let stroke = Stroke::new(2.0, tokens.color.accent);
            painter.rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, StrokeKind::Inside);
        }
        let inner = rect.shrink2(vec2(tokens.space.m, 0.0));
        let (first, second) = (rect.top() + 18.0, rect.top() + 38.0);
        let at = pos2(inner.left(), first);
        painter.text(at, Align2::LEFT_CENTER, self.icon.code(), Icon::font(tokens.size.icon), tokens.color.text_2);
        let left = inner.left() + tokens.size.icon + tokens.space.s;
        let mut right = inner.right();
        if !self.right.is_empty() {
            let (font, at) = (tokens.font(Type::Label), pos2(inner.right(), first));
            right = painter.text(at, Align2::RIGHT_CENTER, self.right, font, tokens.color.text_3).left();
        }
        let dot = if self.tone == Tone::Neutral { tokens.color.text_3 } else { self.tone.ink(tokens) };
        painter.circle_filled(pos2(inner.left() + tokens.size.icon / 2.0, second), 3.5, dot);
        line(ui, left, right - tokens.space.s, first, self.name, Type::Strong, tokens.color.text);
        let ink = if self.tone == Tone::Ok { tokens.color.text_2 } else { self.tone.ink(tokens) };
        line(ui, left, inner.right(), second, self.words, Type::Secondary, ink);
        response
    }
}
