//! A switch: on or off, with its name beside it for screen readers.

use egui::{Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use super::focus_ring;
use crate::design::UiExt;

/// True in `changed()` when it was switched.
pub fn toggle(ui: &mut Ui, on: &mut bool, name: &str) -> Response {
    let tokens = ui.tokens();
    let (rect, mut response) = ui.allocate_exact_size(vec2(32.0, 18.0), Sense::click());
    if response.clicked() {
        *on = !*on;
        response.mark_changed();
    }
    response.widget_info(|| WidgetInfo::selected(Role::Switch, ui.is_enabled(), *on, name));
    let (ground, knob) = match (*on, ui.is_enabled()) {
        (true, true) => (tokens.color.accent, tokens.color.on_accent),
        (false, true) => (tokens.color.line_strong, if tokens.dark { tokens.color.text_2 } else { tokens.color.bg2 }),
        (_, false) => (tokens.color.bg3, tokens.color.text_3),
    };
    ui.painter().rect_filled(rect, rect.height() / 2.0, ground);
    if tokens.high_contrast {
        let stroke = Stroke::new(1.0, tokens.color.text);
        ui.painter().rect_stroke(rect, rect.height() / 2.0, stroke, StrokeKind::Inside);
    }
    let x = if *on { rect.right() - 9.0 } else { rect.left() + 9.0 };
    ui.painter().circle_filled(egui::pos2(x, rect.center().y), 6.0, knob);
    if response.has_focus() {
        focus_ring(ui, rect);
    }
    response
}
