//! A one-line text field with a name, a hint, and room for an icon.

use egui::{CornerRadius, Frame, Id, Margin, Response, Stroke, StrokeKind, TextEdit, Ui};

use crate::design::{Icon, Type, UiExt};

pub struct TextField<'a> {
    text: &'a mut String,
    name: &'a str,
    hint: &'a str,
    icon: Option<Icon>,
    width: Option<f32>,
    id: Option<Id>,
    large: bool,
    problem: bool,
}

impl<'a> TextField<'a> {
    /// `name` is what a screen reader says.
    pub fn new(text: &'a mut String, name: &'a str) -> Self {
        Self { text, name, hint: "", icon: None, width: None, id: None, large: false, problem: false }
    }

    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }

    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// In points; all that is there when not given.
    pub fn width(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    pub fn id(mut self, id: Id) -> Self {
        self.id = Some(id);
        self
    }

    /// 36 points high, for the one search field of a page.
    pub fn large(mut self) -> Self {
        self.large = true;
        self
    }

    /// Draws the frame in the colour of a problem.
    pub fn problem(mut self, problem: bool) -> Self {
        self.problem = problem;
        self
    }

    /// The response is that of the text: `changed()`, `lost_focus()`, `request_focus()`.
    pub fn show(self, ui: &mut Ui) -> Response {
        let tokens = ui.tokens();
        let id = self.id.unwrap_or_else(|| ui.make_persistent_id(("field", self.name)));
        let focused = ui.memory(|memory| memory.has_focus(id));
        let line = match (self.problem, focused) {
            (true, _) => tokens.color.bad,
            (_, true) => tokens.color.accent,
            _ => tokens.color.line,
        };
        let height: f32 = if self.large { 36.0 } else { tokens.size.control };
        let font = tokens.font(Type::Body);
        let row = ui.fonts_mut(|fonts| fonts.row_height(&font));
        let vertical = ((height - row) / 2.0 - 1.0).max(0.0);
        let left = if self.icon.is_some() { tokens.space.s + tokens.size.icon + tokens.space.s } else { 10.0 };
        let frame = Frame::new()
            .fill(tokens.color.bg0)
            .stroke(Stroke::new(1.0, line))
            .corner_radius(CornerRadius::same(tokens.radius.control))
            .inner_margin(Margin { left: left as i8, right: 10, top: vertical as i8, bottom: vertical as i8 });
        // Of the height of typed text: the field stays as high when the hint goes.
        let hint = egui::RichText::new(self.hint).font(font.clone()).color(tokens.color.text_3);
        let width = self.width.unwrap_or_else(|| ui.available_width());
        let edit = TextEdit::singleline(self.text)
            .id(id)
            .hint_text(hint)
            .font(font)
            .frame(frame)
            .desired_width(width)
            .align(egui::Align2::LEFT_CENTER);
        let response = ui.add(edit).accessible_name(self.name);
        if focused {
            // Painted over: a wider frame would move what stands below the field.
            let stroke = Stroke::new(1.5, line);
            ui.painter().rect_stroke(response.rect, tokens.radius.control, stroke, StrokeKind::Inside);
        }
        if let Some(icon) = self.icon {
            let at = egui::pos2(response.rect.left() + tokens.space.s + 2.0, response.rect.center().y);
            let color = tokens.color.text_3;
            ui.painter().text(at, egui::Align2::LEFT_CENTER, icon.code(), Icon::font(tokens.size.icon), color);
        }
        response
    }
}
