//! Rows of lists: one line of 32 points, or two lines of 56.

use std::borrow::Cow;

use egui::{Align2, Color32, Rect, Response, Role, Sense, Stroke, Ui, Widget, WidgetInfo, vec2};

use crate::design::{Icon, Type, UiExt};

/// Icon, words, and a figure at the right.
pub struct ListRow<'a> {
    label: Cow<'a, str>,
    icon: Option<Icon>,
    right: Cow<'a, str>,
    selected: bool,
    dim: bool,
    inset: f32,
    height: Option<f32>,
}

impl<'a> ListRow<'a> {
    pub fn new(label: impl Into<Cow<'a, str>>) -> Self {
        Self {
            label: label.into(),
            icon: None,
            right: "".into(),
            selected: false,
            dim: false,
            inset: 12.0,
            height: None,
        }
    }

    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    pub fn right(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        self.right = text.into();
        self
    }

    pub fn selected(mut self, selected: bool) -> Self {
        self.selected = selected;
        self
    }

    /// For what is there but cannot be chosen.
    pub fn dim(mut self, dim: bool) -> Self {
        self.dim = dim;
        self
    }

    pub fn height(mut self, height: f32) -> Self {
        self.height = Some(height);
        self
    }
}

impl Widget for ListRow<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = ui.tokens();
        let size = vec2(ui.available_width(), self.height.unwrap_or(tokens.size.row));
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::ListItem, ui.is_enabled(), self.selected, &self.label));
        if ui.is_rect_visible(rect) {
            ground(ui, rect, &response, self.selected);
            let ink = if self.dim { tokens.color.text_3 } else { tokens.color.text };
            let inner = rect.shrink2(vec2(self.inset, 0.0));
            let mut left = inner.left();
            if let Some(icon) = self.icon {
                let at = egui::pos2(left, inner.center().y);
                let color = if self.dim { tokens.color.text_3 } else { tokens.color.text_2 };
                ui.painter().text(at, Align2::LEFT_CENTER, icon.code(), Icon::font(tokens.size.icon), color);
                left += tokens.size.icon + tokens.space.s;
            }
            let right = line_right(ui, inner, inner.center().y, &self.right);
            line(ui, left, right - tokens.space.s, inner.center().y, &self.label, Type::Body, ink);
        }
        response
    }
}

/// A title with a figure at the right, and a line of detail below it.
pub struct TwoLineRow<'a> {
    title: Cow<'a, str>,
    detail: Cow<'a, str>,
    right: Cow<'a, str>,
    detail_color: Option<Color32>,
    icon: Option<Icon>,
    selected: bool,
}

impl<'a> TwoLineRow<'a> {
    pub fn new(title: impl Into<Cow<'a, str>>, detail: impl Into<Cow<'a, str>>) -> Self {
        Self {
            title: title.into(),
            detail: detail.into(),
            right: "".into(),
            detail_color: None,
            icon: None,
            selected: false,
        }
    }

    pub fn right(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        self.right = text.into();
        self
    }

    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    pub fn detail_color(mut self, color: Color32) -> Self {
        self.detail_color = Some(color);
        self
    }

    pub fn selected(mut self, selected: bool) -> Self {
        self.selected = selected;
        self
    }
}

impl Widget for TwoLineRow<'_> {
    fn ui(self, ui: &mut Ui) -> Response {
        let tokens = ui.tokens();
        let size = vec2(ui.available_width(), tokens.size.row_two_lines);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::ListItem, ui.is_enabled(), self.selected, &self.title));
        if ui.is_rect_visible(rect) {
            ground(ui, rect, &response, self.selected);
            ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, tokens.color.line));
            let inner = rect.shrink2(vec2(tokens.space.m, 0.0));
            let (first, second) = (rect.top() + 18.0, rect.top() + 38.0);
            let mut left = inner.left();
            if let Some(icon) = self.icon {
                let font = Icon::font(tokens.size.icon);
                let color = tokens.color.text_2;
                ui.painter().text(egui::pos2(left, first), Align2::LEFT_CENTER, icon.code(), font, color);
                left += tokens.size.icon + tokens.space.s;
            }
            let right = line_right(ui, inner, first, &self.right);
            line(ui, left, right - tokens.space.s, first, &self.title, Type::Strong, tokens.color.text);
            let color = self.detail_color.unwrap_or(tokens.color.text_2);
            line(ui, left, inner.right(), second, &self.detail, Type::Secondary, color);
        }
        response
    }
}

fn ground(ui: &Ui, rect: Rect, response: &Response, selected: bool) {
    let tokens = ui.tokens();
    if response.gained_focus() {
        ui.scroll_to_rect(rect, None);
    }
    let fill = match (selected, response.hovered()) {
        (true, _) => tokens.color.selection,
        (false, true) => tokens.color.bg3,
        _ => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, 0.0, fill);
    if response.has_focus() {
        let stroke = Stroke::new(2.0, tokens.color.accent);
        ui.painter().rect_stroke(rect.shrink(1.0), tokens.radius.small, stroke, egui::StrokeKind::Inside);
    }
}

fn line_right(ui: &Ui, inner: Rect, middle: f32, text: &str) -> f32 {
    let tokens = ui.tokens();
    if text.is_empty() {
        return inner.right();
    }
    let at = egui::pos2(inner.right(), middle);
    ui.painter().text(at, Align2::RIGHT_CENTER, text, tokens.font(Type::Label), tokens.color.text_3).left()
}

/// One line of text between two edges, with an ellipsis where it is too long.
pub fn line(ui: &Ui, left: f32, right: f32, middle: f32, text: &str, kind: Type, color: Color32) -> Rect {
    let tokens = ui.tokens();
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), tokens.font(kind), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width((right - left).max(0.0));
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let at = egui::pos2(left, middle - galley.size().y / 2.0);
    let rect = Rect::from_min_size(at, galley.size());
    ui.painter().galley(at, galley, color);
    rect
}
