//! How the window looks: tokens, egui's style made from them, fonts and icons. No other module names a colour.

pub mod fonts;
pub mod icons;
mod style;
pub mod system_fonts;
pub mod tokens;

use egui::{Context, Id, Theme, Ui};

pub use icons::Icon;
pub use tokens::{Tokens, Type};

/// What the person chose about the look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub theme: egui::ThemePreference,
    pub high_contrast: bool,
    pub reduce_motion: bool,
}

/// Installs the fonts and the default look. Once, before the first frame.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts::definitions());
    apply(ctx, Look::default());
}

/// Makes a look take effect from the next frame on.
pub fn apply(ctx: &Context, look: Look) {
    for (theme, dark) in [(Theme::Dark, true), (Theme::Light, false)] {
        ctx.set_style_of(theme, style::style(Tokens::get(dark, look.high_contrast), look.reduce_motion));
    }
    ctx.data_mut(|data| data.insert_temp(contrast_id(), look.high_contrast));
    ctx.set_theme(look.theme);
}

fn contrast_id() -> Id {
    Id::unique("design.high_contrast")
}

/// Gives the tokens of the theme in force wherever something is drawn.
pub trait UiExt {
    fn tokens(&self) -> &'static Tokens;
}

impl UiExt for Ui {
    fn tokens(&self) -> &'static Tokens {
        let high_contrast = self.data(|data| data.get_temp(contrast_id())).unwrap_or_default();
        Tokens::get(self.visuals().dark_mode, high_contrast)
    }
}

impl UiExt for Context {
    fn tokens(&self) -> &'static Tokens {
        let high_contrast = self.data(|data| data.get_temp(contrast_id())).unwrap_or_default();
        Tokens::get(self.theme() == Theme::Dark, high_contrast)
    }
}
