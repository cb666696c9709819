//! Code and document text in numbered lines, virtual: only lines in view are laid out.

pub mod highlight;
pub mod line_job;
mod rows;

use egui::text::LayoutJob;
use egui::text_selection::LabelSelectionState;
use egui::{Align2, Id, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::design::{Tokens, Type, UiExt};
use highlight::Language;
use rows::Rows;

/// The part of a document that is there.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
    pub lines: &'a [String],
    /// Number of `lines[0]`.
    pub first: u32,
    /// Numbers of the first and last line of all that could be shown.
    pub from: u32,
    pub to: u32,
}

/// How lines are shown.
#[derive(Clone, Copy)]
pub struct Showing {
    pub language: &'static Language,
    /// Long lines go on below; else the view scrolls sideways.
    pub wrap: bool,
    /// First and last line to mark.
    pub mark: Option<(u32, u32)>,
    /// Brings this line near the top, once.
    pub scroll_to: Option<u32>,
}

/// What is kept between frames.
#[derive(Default)]
pub struct CodeView {
    rows: Rows,
    /// The line at the top, and how much of it is scrolled away, in points.
    top: Option<(u32, f32)>,
}

impl CodeView {
    /// Fills what is free of `ui`. Returns the numbers of the first and last line in view.
    pub fn show(&mut self, ui: &mut Ui, id: Id, lines: Lines<'_>, showing: Showing) -> (u32, u32) {
        let tokens = ui.tokens();
        let font = tokens.font(Type::Code);
        let (character, height) =
            (ui.fonts_mut(|fonts| fonts.glyph_width(&font, '0')).max(1.0), tokens.line_height(Type::Code));
        let digits = lines.to.max(1).ilog10() as usize + 1;
        let gutter = digits.max(2) as f32 * character + 2.0 * tokens.space.m;
        let free = ui.available_width();
        let columns = ((free - gutter - tokens.space.m) / character).max(20.0) as usize;
        let renewed = self.rows.update(lines, showing.language, showing.wrap.then_some(columns));
        let size = ui.available_size();

        let mut scroll = if showing.wrap { ScrollArea::vertical() } else { ScrollArea::both() };
        scroll = scroll.id_salt(id).auto_shrink(false).max_height(size.y);
        if let Some(line) = showing.scroll_to {
            let row = self.rows.of_line(line).saturating_sub(2);
            scroll = scroll.vertical_scroll_offset(row as f32 * height);
        } else if renewed && let Some((line, rest)) = self.top {
            // Other lines are there now: what the reader looks at stays where it is.
            scroll = scroll.vertical_scroll_offset(self.rows.of_line(line) as f32 * height + rest);
        }
        let wide = gutter + self.rows.longest() as f32 * character + tokens.space.xl;
        let content = vec2(if showing.wrap { free } else { wide.max(free) }, self.rows.total() as f32 * height);
        scroll
            .show_viewport(ui, |ui, viewport| {
                let (rect, _) = ui.allocate_exact_size(content, Sense::hover());
                let first = (viewport.top() / height).max(0.0) as usize;
                let last = ((viewport.bottom() / height).ceil().max(0.0) as usize).min(self.rows.total());
                for row in first..last {
                    let top = rect.top() + row as f32 * height;
                    let place = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), height));
                    self.row(ui, id, tokens, lines, showing, row, place, gutter);
                }
                let line = self.rows.line(first);
                self.top = Some((line, viewport.top() - self.rows.of_line(line) as f32 * height));
                (line, self.rows.line(last.saturating_sub(1)))
            })
            .inner
    }

    /// Height of all lines, for a view that need not scroll.
    pub fn height(&self, tokens: &Tokens) -> f32 {
        self.rows.total() as f32 * tokens.line_height(Type::Code)
    }

    #[expect(clippy::too_many_arguments, reason = "one row needs all that its view knows")]
    fn row(
        &self,
        ui: &mut Ui,
        id: Id,
        tokens: &Tokens,
        lines: Lines<'_>,
        showing: Showing,
        row: usize,
        place: Rect,
        gutter: f32,
    ) {
        let number = self.rows.line(row);
        let starts = self.rows.of_line(number) == row;
        let marked = showing.mark.is_some_and(|(first, last)| (first..=last).contains(&number));
        if marked {
            ui.painter().rect_filled(place, 0.0, tokens.color.selection);
            let bar = Rect::from_min_size(place.min, vec2(2.0, place.height()));
            ui.painter().rect_filled(bar, 0.0, tokens.color.accent);
        }
        if starts {
            let at = pos2(place.left() + gutter - tokens.space.m, place.center().y);
            let ink = if marked { tokens.color.text_2 } else { tokens.color.text_3 };
            ui.painter().text(at, Align2::RIGHT_CENTER, number, tokens.font(Type::Code), ink);
        }
        let Some(text) =
            lines.lines.get((number.saturating_sub(lines.first)) as usize).filter(|_| number >= lines.first)
        else {
            return;
        };
        let range = self.rows.range(row, text);
        let mut job = LayoutJob::default();
        self.rows.colored(tokens, &mut job, showing.language, number - lines.first, text, range);
        if job.text.is_empty() {
            return;
        }
        let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
        let at = pos2(place.left() + gutter, place.top());
        let rect = Rect::from_min_size(at, galley.size());
        let response = ui.interact(rect, id.with(("row", row)), Sense::click_and_drag() - Sense::FOCUSABLE);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, galley.text()));
        LabelSelectionState::label_text_selection(ui, &response, at, galley, tokens.color.text, Stroke::NONE);
    }
}

#[cfg(test)]
mod tests;
