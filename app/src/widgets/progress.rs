//! A bar of 4 points that shows how far long work has come; a still stripe while that is not known.

use egui::{Response, Role, Sense, Ui, WidgetInfo, vec2};

use crate::design::UiExt;

/// `fraction` from 0 to 1, none while the total is not known.
pub fn progress_bar(ui: &mut Ui, name: &str, fraction: Option<f32>, width: f32) -> Response {
    let tokens = ui.tokens();
    let (rect, response) = ui.allocate_exact_size(vec2(width, 4.0), Sense::hover());
    response.widget_info(|| WidgetInfo {
        value: fraction.map(|f| f64::from((f * 100.0).round())),
        ..WidgetInfo::labeled(Role::ProgressIndicator, true, name)
    });
    ui.painter().rect_filled(rect, 2.0, tokens.color.bg3);
    let mut done = rect;
    match fraction {
        Some(fraction) => done.set_width(rect.width() * fraction.clamp(0.0, 1.0)),
        None => {
            done.set_left(rect.left() + rect.width() * 0.35);
            done.set_width(rect.width() * 0.3);
        }
    }
    ui.painter().rect_filled(done, 2.0, tokens.color.accent);
    response
}
