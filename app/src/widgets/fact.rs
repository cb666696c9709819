//! A fact on a line of its own: its name in a column at the left, what it is beside it.

use egui::{Align, Layout, Ui, UiBuilder, vec2};

use crate::design::{Type, UiExt};

/// Points that the names take.
pub const NAMES: f32 = 112.0;

/// `value` draws what stands beside the name; what is longer than one line hangs below its first.
pub fn fact(ui: &mut Ui, name: &str, value: impl FnOnce(&mut Ui)) {
    let tokens = ui.tokens();
    let height = 24.0;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().interact_size.y = height;
        let (rect, _) = ui.allocate_exact_size(vec2(NAMES, height), egui::Sense::hover());
        if !name.is_empty() {
            let builder = UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center));
            ui.new_child(builder).add(egui::Label::new(tokens.rich(Type::Secondary, name)).truncate());
        }
        ui.vertical(|ui| {
            ui.set_min_height(height);
            ui.add_space((height - tokens.line_height(Type::Body)) / 2.0);
            value(ui);
        });
    });
}
