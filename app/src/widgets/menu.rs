//! Menus: what opens below a button, or where the pointer asks for one.

use egui::{Popup, Response, Style, vec2};

/// Points that a menu is wide at least.
const WIDTH: f32 = 168.0;

/// The menu of a button. Each entry is a `ui.button`.
pub fn menu(button: &Response) -> Popup<'_> {
    Popup::menu(button).style(style).width(WIDTH)
}

/// The menu of a row, under the second button of the mouse.
pub fn context_menu(row: &Response) -> Popup<'_> {
    Popup::context_menu(row).style(style).width(WIDTH)
}

fn style(style: &mut Style) {
    egui::containers::menu::menu_style(style);
    style.spacing.button_padding = vec2(8.0, 4.0);
    style.spacing.item_spacing.y = 0.0;
}
