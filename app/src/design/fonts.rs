//! The fonts inside the executable: Inter for text, JetBrains Mono for code, Phosphor for icons.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily, FontTweak};

use super::icons;

/// Inter Medium: titles of rows.
pub const MEDIUM: &str = "medium";
/// Inter SemiBold: titles of pages.
pub const SEMIBOLD: &str = "semibold";

/// All families. Each ends with the icons and the code font, so that an arrow or a box never is a hole.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let mut add = |name: &str, bytes: &'static [u8], tweak: FontTweak| {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes).tweak(tweak)));
    };
    add("inter", include_bytes!("../../../fonts/Inter-Regular.otf"), FontTweak::default());
    add("inter-medium", include_bytes!("../../../fonts/Inter-Medium.otf"), FontTweak::default());
    add("inter-semibold", include_bytes!("../../../fonts/Inter-SemiBold.otf"), FontTweak::default());
    add("mono", include_bytes!("../../../fonts/JetBrainsMono-Regular.ttf"), FontTweak::default());
    add("phosphor", include_bytes!("../../../assets/icons/Phosphor-subset.ttf"), FontTweak::default());

    let families = [
        (FontFamily::Proportional, ["inter", "mono", "phosphor"]),
        (FontFamily::Name(MEDIUM.into()), ["inter-medium", "mono", "phosphor"]),
        (FontFamily::Name(SEMIBOLD.into()), ["inter-semibold", "mono", "phosphor"]),
        (FontFamily::Monospace, ["mono", "inter", "phosphor"]),
        (FontFamily::Name(icons::FAMILY.into()), ["phosphor", "inter", "mono"]),
    ];
    for (family, names) in families {
        fonts.families.insert(family, names.map(str::to_owned).to_vec());
    }
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_has_a_picture() {
        let ctx = egui::Context::default();
        super::super::install(&ctx);
        let mut missing = Vec::new();
        let _output = ctx.run_ui(egui::RawInput::default(), |ui| {
            ui.ctx().fonts_mut(|fonts| {
                for icon in icons::Icon::ALL {
                    if !fonts.has_glyph(&icons::Icon::font(16.0), icon.code()) {
                        missing.push(*icon);
                    }
                }
            });
        });
        assert!(missing.is_empty(), "{missing:?}");
    }
}
