//! A graph so small that it is a picture: for cards.

use egui::{Color32, Rect, Stroke, Ui, pos2};

use super::layout;
use crate::design::UiExt;

/// Draws it into the middle of `rect`. Says nothing to screen readers: the words beside it do.
pub fn small(ui: &Ui, rect: Rect, count: usize, edges: &[(usize, usize)], ink: Color32) {
    let tokens = ui.tokens();
    let places = layout::places(count, edges);
    let Some(bounds) = bounds(&places) else { return };
    let scale = (rect.width() / bounds.width()).min(rect.height() / bounds.height()).min(0.2);
    let corner = rect.center() - bounds.size() * scale / 2.0;
    let at = |index: usize| {
        let place = places[index];
        Rect::from_min_size(
            pos2(corner.x + (place.x - bounds.left()) * scale, corner.y + (place.y - bounds.top()) * scale),
            layout::NODE * scale,
        )
    };
    let painter = ui.painter();
    for &(from, to) in edges.iter().filter(|(a, b)| *a < count && *b < count) {
        let line = [at(from).right_center(), at(to).left_center()];
        painter.line_segment(line, Stroke::new(1.0, tokens.color.line_strong));
    }
    for index in 0..count {
        painter.rect_filled(at(index), 2.0, ink);
    }
}

/// What all boxes at these places cover.
pub fn bounds(places: &[egui::Pos2]) -> Option<Rect> {
    let mut all: Option<Rect> = None;
    for place in places {
        let own = Rect::from_min_size(*place, layout::NODE);
        all = Some(all.map_or(own, |before| before.union(own)));
    }
    all
}
