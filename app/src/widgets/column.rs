//! Columns of a page: rectangles side by side, with a hairline between them.

use egui::{Rect, Stroke, Ui, UiBuilder, pos2};

use crate::design::{Tokens, UiExt};

/// Where the columns of a page lie. A column that does not fit is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Columns {
    pub list: Option<Rect>,
    pub centre: Rect,
    pub inspector: Option<Rect>,
}

impl Columns {
    /// The centre keeps at least the width of two lists; first the inspector goes, then the list.
    pub fn new(all: Rect, tokens: &Tokens, list: bool, inspector: bool) -> Self {
        let least = tokens.size.list * 2.0;
        let size = &tokens.size;
        let list = list && all.width() >= size.list + least * 0.75;
        let left = all.left() + if list { size.list } else { 0.0 };
        let inspector = inspector && all.right() - left >= size.inspector + least;
        let right = all.right() - if inspector { size.inspector } else { 0.0 };
        let part = |from: f32, to: f32| Rect::from_min_max(pos2(from, all.top()), pos2(to, all.bottom()));
        Self {
            list: list.then(|| part(all.left(), left)),
            centre: part(left, right),
            inspector: inspector.then(|| part(right, all.right())),
        }
    }
}

/// Draws into a column. The hairline stands at its right when `line` is true.
pub fn column<R>(ui: &mut Ui, name: &str, rect: Rect, line: bool, add: impl FnOnce(&mut Ui) -> R) -> R {
    let tokens = ui.tokens();
    let mut inner = rect;
    if line {
        inner.set_right(rect.right() - 1.0);
        ui.painter().vline(rect.right() - 0.5, rect.y_range(), Stroke::new(1.0, tokens.color.line));
    }
    let builder = UiBuilder::new().id_salt(name).max_rect(inner).layout(egui::Layout::top_down(egui::Align::Min));
    ui.scope_builder(builder, |ui| {
        ui.set_clip_rect(ui.clip_rect().intersect(inner));
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        add(ui)
    })
    .inner
}

/// Draws with the spacing of the style again, inside this padding.
pub fn padded<R>(ui: &mut Ui, x: f32, y: f32, add: impl FnOnce(&mut Ui) -> R) -> R {
    let tokens = ui.tokens();
    egui::Frame::new()
        .inner_margin(egui::Margin::symmetric(x as i8, y as i8))
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing = egui::vec2(tokens.space.s, tokens.space.xs);
            add(ui)
        })
        .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out() {
        let tokens = Tokens::get(true, false);
        let at =
            |width| Columns::new(Rect::from_min_size(pos2(0.0, 0.0), egui::vec2(width, 600.0)), tokens, true, true);
        let wide = at(1096.0);
        assert!(wide.list.is_some() && wide.inspector.is_some());
        assert!(at(900.0).list.is_some() && at(900.0).inspector.is_none());
        assert!(at(500.0).list.is_none() && at(500.0).centre.width() == 500.0);
    }
}
