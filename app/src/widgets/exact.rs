//! Text shown exactly, as somebody must judge it before it happens: nothing is left out, nothing in it steers the display,
//! long lines go on below, and only what is in view is laid out. A unified diff is coloured.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, Id, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use rspa_core::model::one_line;

use crate::design::{Tokens, Type, UiExt};

/// Bytes that are shown; what is longer cannot be judged, and says so.
pub const LONGEST: usize = 4 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Plain,
    Diff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Same,
    Added,
    Removed,
    /// File names and places of a diff.
    Head,
}

struct Row {
    kind: Kind,
    /// It goes on a line that began above.
    goes_on: bool,
    /// Something in it would have steered the display.
    hidden: bool,
    text: String,
}

/// The rows of one text, kept between frames.
#[derive(Default)]
pub struct ExactView {
    key: Option<(u64, usize, usize, bool)>,
    rows: Vec<Row>,
    hidden: bool,
    cut: bool,
}

impl ExactView {
    /// Something in it would have steered the display: control characters, marks of direction.
    pub fn has_hidden(&self) -> bool {
        self.hidden
    }

    /// Not all of it is shown.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Height that all of it would take.
    pub fn height(&self, tokens: &Tokens) -> f32 {
        self.rows.len() as f32 * tokens.line_height(Type::Code) + 2.0 * tokens.space.s
    }

    /// Brings the rows up to date for this width in points.
    pub fn prepare(&mut self, ui: &Ui, text: &str, shown: Shown, width: f32) {
        let tokens = ui.tokens();
        let font = tokens.font(Type::Code);
        let character = ui.fonts_mut(|fonts| fonts.glyph_width(&font, '0')).max(1.0);
        let columns = ((width - 4.0 * tokens.space.s) / character).max(16.0) as usize;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let key = (hasher.finish(), text.len(), columns, shown == Shown::Diff);
        if self.key == Some(key) {
            return;
        }
        self.key = Some(key);
        self.rows.clear();
        let mut end = text.len().min(LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.cut = end < text.len();
        self.hidden = false;
        let mut in_hunk = false;
        for line in text[..end].strip_suffix('\n').unwrap_or(&text[..end]).split('\n') {
            let kind = match (shown, line.as_bytes().first()) {
                (Shown::Plain, _) => Kind::Same,
                (Shown::Diff, Some(b'@')) => {
                    in_hunk = true;
                    Kind::Head
                }
                (Shown::Diff, Some(b'+')) if in_hunk || !line.starts_with("+++ ") => Kind::Added,
                (Shown::Diff, Some(b'-')) if in_hunk || !line.starts_with("--- ") => Kind::Removed,
                (Shown::Diff, Some(b' ') | None) => Kind::Same,
                (Shown::Diff, Some(_)) => Kind::Head,
            };
            let spaced = line.replace('\t', "    ");
            let harmless = one_line(&spaced);
            let hidden = matches!(harmless, std::borrow::Cow::Owned(_));
            self.hidden |= hidden;
            push_wrapped(&mut self.rows, kind, hidden, &harmless, columns);
        }
    }

    /// Shows it, scrolled within at most this height.
    pub fn show(&mut self, ui: &mut Ui, id: Id, name: &str, text: &str, shown: Shown, most: f32) {
        let tokens = ui.tokens();
        let width = ui.available_width();
        self.prepare(ui, text, shown, width);
        let line = tokens.line_height(Type::Code);
        let height = self.height(tokens).min(most.max(line * 3.0));
        let (frame, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Group, true, name));
        ui.painter().rect_filled(frame, tokens.radius.control, tokens.color.bg0);
        let mut inside = ui.new_child(egui::UiBuilder::new().id_salt(id).max_rect(frame));
        inside.set_clip_rect(ui.clip_rect().intersect(frame));
        ScrollArea::vertical().id_salt(id).auto_shrink(false).show_viewport(&mut inside, |ui, viewport| {
            let (all, _) = ui.allocate_exact_size(vec2(frame.width(), self.height(tokens)), Sense::hover());
            let first = ((viewport.top() - tokens.space.s) / line).max(0.0) as usize;
            let last = ((viewport.bottom() / line).ceil().max(0.0) as usize).min(self.rows.len());
            for (number, row) in self.rows.iter().enumerate().take(last).skip(first) {
                let top = all.top() + tokens.space.s + number as f32 * line;
                let rect = Rect::from_min_size(pos2(all.left(), top), vec2(frame.width(), line));
                draw(ui, tokens, id.with(number), rect, row);
            }
        });
    }
}

fn push_wrapped(rows: &mut Vec<Row>, kind: Kind, hidden: bool, line: &str, columns: usize) {
    let mut rest = line;
    let mut goes_on = false;
    loop {
        // Characters of double width may reach over the edge a little; none is lost.
        let end = rest.char_indices().nth(columns).map_or(rest.len(), |(end, _)| end);
        rows.push(Row { kind, goes_on, hidden, text: rest[..end].to_owned() });
        rest = &rest[end..];
        goes_on = true;
        if rest.is_empty() {
            return;
        }
    }
}

fn draw(ui: &mut Ui, tokens: &Tokens, id: Id, rect: Rect, row: &Row) {
    let (ink, ground) = match row.kind {
        Kind::Same => (tokens.color.text, Color32::TRANSPARENT),
        Kind::Added => (tokens.color.ok, tokens.color.ok_soft),
        Kind::Removed => (tokens.color.bad, tokens.color.bad_soft),
        Kind::Head => (tokens.color.text_3, Color32::TRANSPARENT),
    };
    ui.painter().rect_filled(rect, 0.0, ground);
    if row.hidden {
        let bar = Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
        ui.painter().rect_filled(bar, 0.0, tokens.color.warn);
    }
    if row.goes_on {
        let at = pos2(rect.left() + 4.0, rect.center().y);
        ui.painter().text(at, egui::Align2::LEFT_CENTER, "↳", tokens.font(Type::Label), tokens.color.text_3);
    }
    let mut job = LayoutJob::default();
    let format = |ink| TextFormat { font_id: tokens.font(Type::Code), color: ink, ..TextFormat::default() };
    // What was made visible stands out from what was written so.
    let mut rest = row.text.as_str();
    while row.hidden
        && let Some(at) = rest.find("\\u{")
    {
        let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
        job.append(&rest[..at], 0.0, format(ink));
        job.append(&rest[at..end], 0.0, format(tokens.color.warn));
        rest = &rest[end..];
    }
    job.append(rest, 0.0, format(ink));
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &row.text));
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let at = pos2(rect.left() + 2.0 * tokens.space.s, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, ink);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_is_lost_however_long_the_line() {
        let mut rows = Vec::new();
        let line = "ä".repeat(1_000) + "end";
        push_wrapped(&mut rows, Kind::Added, false, &line, 80);
        assert_eq!(rows.len(), 13);
        assert!(rows.iter().all(|row| row.text.chars().count() <= 80));
        assert_eq!(rows.iter().map(|row| row.text.as_str()).collect::<String>(), line);
        assert!(!rows[0].goes_on && rows[1].goes_on);
    }

    #[test]
    fn a_diff_is_told_apart_and_what_hides_is_made_visible() {
        let ctx = egui::Context::default();
        crate::design::install(&ctx);
        let mut view = ExactView::default();
        let diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new \u{202e}txt\n same\n++++ more\n";
        let mut output = ctx.run_ui(egui::RawInput::default(), |ui| view.prepare(ui, diff, Shown::Diff, 800.0));
        // No graphics card takes them.
        output.textures_delta.clear();
        let kinds: Vec<_> = view.rows.iter().map(|row| row.kind).collect();
        use Kind::{Added, Head, Removed, Same};
        assert_eq!(kinds, [Head, Head, Head, Removed, Added, Same, Added]);
        assert!(view.has_hidden() && view.rows[4].text.contains("\\u{202e}"));
        assert!(!view.is_cut());
    }
}
