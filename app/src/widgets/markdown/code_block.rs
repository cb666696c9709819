//! A block of code: a head with its language and a copy button, below it coloured lines that scroll sideways.

use egui::text::LayoutJob;
use egui::text_selection::LabelSelectionState;
use egui::{CornerRadius, Id, Rect, Role, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::MarkdownEvent;
use crate::design::{Icon, Tokens, Type, UiExt};
use crate::text::tr;
use crate::widgets::Button;
use crate::widgets::code_view::highlight::{Carry, language};
use crate::widgets::code_view::line_job;

/// Lines per text layout: a long block is laid out in pieces, and only those in view.
const PIECE: usize = 64;

pub(super) struct CodeBlock {
    language: String,
    text: String,
    pieces: Vec<LayoutJob>,
    lines: usize,
    /// Characters of the longest line.
    longest: usize,
}

impl CodeBlock {
    pub fn new(tokens: &Tokens, name: &str, text: &str) -> Self {
        let known = language(name);
        let mut carry = Carry::None;
        let mut pieces = Vec::new();
        let mut job = LayoutJob::default();
        let (mut lines, mut longest) = (0, 0);
        for line in text.split('\n') {
            if lines > 0 {
                if lines % PIECE == 0 {
                    pieces.push(std::mem::take(&mut job));
                } else {
                    line_job::append(tokens, &mut job, "\n", crate::widgets::code_view::highlight::Token::Plain);
                }
            }
            carry = line_job::colored(tokens, &mut job, known, line, carry);
            longest = longest.max(line.chars().count());
            lines += 1;
        }
        pieces.push(job);
        Self { language: name.to_owned(), text: text.to_owned(), pieces, lines, longest }
    }

    pub fn height(&self, tokens: &Tokens) -> f32 {
        tokens.size.control + 2.0 * tokens.space.m + self.lines as f32 * tokens.line_height(Type::Code)
    }

    pub fn show(&self, ui: &mut Ui, id: Id, area: Rect, events: &mut Vec<MarkdownEvent>) {
        let tokens = ui.tokens();
        let radius = CornerRadius::same(tokens.radius.card);
        let line = Stroke::new(1.0, tokens.color.line);
        ui.painter().rect(area, radius, tokens.color.bg2, line, StrokeKind::Inside);
        let head = Rect::from_min_size(area.min, vec2(area.width(), tokens.size.control));
        ui.painter().hline(head.x_range(), head.bottom() - 0.5, line);
        let name = if self.language.is_empty() { tr("markdown.code") } else { self.language.as_str() };
        let at = pos2(head.left() + tokens.space.m, head.center().y);
        ui.painter().text(at, egui::Align2::LEFT_CENTER, name, tokens.font(Type::Secondary), tokens.color.text_2);
        let right = egui::Layout::right_to_left(egui::Align::Center);
        let inner = head.shrink2(vec2(tokens.space.xs, 0.0));
        ui.scope_builder(UiBuilder::new().id_salt(id.with("head")).max_rect(inner).layout(right), |ui| {
            let copy = Button::new(tr("markdown.copy")).icon(Icon::Copy).quiet().small();
            if ui.add(copy.tooltip(tr("markdown.copy_code"))).clicked() {
                events.push(MarkdownEvent::Copy(self.text.clone()));
            }
        });
        let body = Rect::from_min_max(pos2(area.left(), head.bottom()), area.max).shrink2(vec2(tokens.space.m, 0.0));
        ui.scope_builder(UiBuilder::new().id_salt(id.with("body")).max_rect(body), |ui| self.lines(ui, id, body));
    }

    fn lines(&self, ui: &mut Ui, id: Id, body: Rect) {
        let tokens = ui.tokens();
        let line = tokens.line_height(Type::Code);
        let font = tokens.font(Type::Code);
        let character = ui.fonts_mut(|fonts| fonts.glyph_width(&font, '0'));
        let width = self.longest as f32 * character * 1.02 + tokens.space.s;
        let scroll = egui::ScrollArea::horizontal().id_salt(id.with("scroll")).auto_shrink(false);
        scroll.show(ui, |ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(width.max(body.width()), body.height()), Sense::hover());
            let clip = ui.clip_rect();
            for (number, job) in self.pieces.iter().enumerate() {
                let top = rect.top() + tokens.space.m + (number * PIECE) as f32 * line;
                let bottom = top + PIECE as f32 * line;
                if bottom < clip.top() || top > clip.bottom() {
                    continue;
                }
                let galley = ui.fonts_mut(|fonts| fonts.layout_job(job.clone()));
                let at = pos2(rect.left(), top);
                let place = Rect::from_min_size(at, galley.size());
                let response = ui.interact(place, id.with(number), Sense::click_and_drag() - Sense::FOCUSABLE);
                response.widget_info(|| WidgetInfo::labeled(Role::Code, true, galley.text()));
                LabelSelectionState::label_text_selection(ui, &response, at, galley, tokens.color.text, Stroke::NONE);
            }
        });
    }
}
