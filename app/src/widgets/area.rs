//! A field of several lines.

use egui::{CornerRadius, Frame, Id, Response, ScrollArea, Stroke, TextEdit, Ui};

use crate::design::{Type, UiExt};

/// Draws it over the whole width, `rows` high at least, scrolled above `most` points. What is longer than `bytes` is cut off.
pub struct TextArea<'a> {
    text: &'a mut String,
    name: &'a str,
    hint: &'a str,
    rows: usize,
    most: f32,
    bytes: usize,
    code: bool,
    problem: bool,
}

impl<'a> TextArea<'a> {
    /// `name` is what a screen reader says.
    pub fn new(text: &'a mut String, name: &'a str) -> Self {
        Self { text, name, hint: "", rows: 3, most: 200.0, bytes: 64 * 1024, code: false, problem: false }
    }

    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }

    pub fn rows(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }

    /// In the type of code.
    pub fn code(mut self) -> Self {
        self.code = true;
        self
    }

    pub fn problem(mut self, problem: bool) -> Self {
        self.problem = problem;
        self
    }

    pub fn show(self, ui: &mut Ui) -> Response {
        let tokens = ui.tokens();
        let id = ui.make_persistent_id(("area", self.name));
        let focused = ui.memory(|memory| memory.has_focus(id));
        let line = match (self.problem, focused) {
            (true, _) => tokens.color.bad,
            (_, true) => tokens.color.accent,
            _ => tokens.color.line,
        };
        let frame = Frame::new()
            .fill(tokens.color.bg0)
            .stroke(Stroke::new(1.0, line))
            .corner_radius(CornerRadius::same(tokens.radius.control))
            .inner_margin(tokens.space.s as i8);
        let font = tokens.font(if self.code { Type::Code } else { Type::Body });
        let hint = egui::RichText::new(self.hint).font(font.clone()).color(tokens.color.text_3);
        let scroll = ScrollArea::vertical().id_salt(Id::unique(("area", id))).max_height(self.most);
        let response = scroll.show(ui, |ui| {
            let edit = TextEdit::multiline(self.text)
                .id(id)
                .hint_text(hint)
                .font(font)
                .frame(frame)
                .desired_rows(self.rows)
                .desired_width(ui.available_width());
            ui.add(edit).accessible_name(self.name)
        });
        if self.text.len() > self.bytes {
            self.text.truncate(self.text.floor_char_boundary(self.bytes));
        }
        response.inner
    }
}
