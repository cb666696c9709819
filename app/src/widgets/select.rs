//! A choice of one among a few.

use egui::{ComboBox, Ui};

use crate::design::{Type, UiExt};

/// Shows the chosen option; returns the index of another one when it is picked.
pub fn select(ui: &mut Ui, name: &str, options: &[String], chosen: usize, width: f32) -> Option<usize> {
    let tokens = ui.tokens();
    let mut picked = None;
    let shown = options.get(chosen).map_or("", String::as_str);
    let response = ComboBox::from_id_salt(("select", name))
        .selected_text(tokens.rich(Type::Body, shown))
        .width(width)
        .show_ui(ui, |ui| {
            for (i, option) in options.iter().enumerate() {
                if ui.selectable_label(i == chosen, tokens.rich(Type::Body, option)).clicked() && i != chosen {
                    picked = Some(i);
                }
            }
        });
    response.response.accessible_name(name);
    picked
}
