//! A small line of figures over days.

use egui::{Color32, Role, Sense, Shape, Stroke, Ui, WidgetInfo, vec2};

/// Draws `values` from left to right between 0 and their largest.
pub fn sparkline(ui: &mut Ui, name: &str, values: &[f64], color: Color32, height: f32) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let inner = rect.shrink2(vec2(0.0, 2.0));
    let top = values.iter().copied().fold(0.0_f64, f64::max);
    let last = values.len().saturating_sub(1).max(1) as f32;
    let points: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(i, value)| {
            let x = inner.left() + inner.width() * i as f32 / last;
            let share = if top > 0.0 { (value / top) as f32 } else { 0.0 };
            egui::pos2(x, inner.bottom() - inner.height() * share)
        })
        .collect();
    ui.painter().add(Shape::line(points, Stroke::new(1.5, color)));
}
