//! A choice of one among a few.

use egui::{Align2, ComboBox, Ui, vec2};

use crate::design::{Icon, Type, UiExt};

/// Shows the chosen option; returns the index of another one when it is picked.
pub fn select(ui: &mut Ui, name: &str, options: &[String], chosen: usize, width: f32) -> Option<usize> {
    let tokens = ui.tokens();
    let mut picked = None;
    let shown = options.get(chosen).map_or("", String::as_str);
    let response = ComboBox::from_id_salt(("select", name))
        .selected_text(tokens.rich(Type::Body, shown))
        .width(width)
        .height(12.0 * tokens.size.control)
        .icon(|ui, rect, visuals, _open| {
            let (font, ink) = (Icon::font(12.0), visuals.text_color().gamma_multiply(0.7));
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, Icon::CaretDown.code(), font, ink);
        })
        .show_ui(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.spacing_mut().button_padding = vec2(8.0, 4.0);
            for (i, option) in options.iter().enumerate() {
                if ui.selectable_label(i == chosen, tokens.rich(Type::Body, option)).clicked() && i != chosen {
                    picked = Some(i);
                }
            }
        });
    response.response.accessible_name(name);
    picked
}
