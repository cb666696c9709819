//! The design tokens, typed: every colour, length and font size that the window uses.

use std::sync::LazyLock;

use egui::{Color32, FontFamily, FontId, RichText};
use serde::{Deserialize, Deserializer};

use super::fonts;

/// One theme: its colours, and the sizes that all themes share.
#[derive(Debug)]
pub struct Tokens {
    pub dark: bool,
    pub high_contrast: bool,
    pub color: Colors,
    pub space: Space,
    pub radius: Radius,
    pub size: Size,
    pub motion: Motion,
    types: Types,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Colors {
    /// Rail, status bar, inputs, terminal.
    #[serde(deserialize_with = "color")]
    pub bg0: Color32,
    /// Columns.
    #[serde(deserialize_with = "color")]
    pub bg1: Color32,
    /// Cards, the active tab, popups.
    #[serde(deserialize_with = "color")]
    pub bg2: Color32,
    /// Buttons, hover, the selected rail item.
    #[serde(deserialize_with = "color")]
    pub bg3: Color32,
    #[serde(deserialize_with = "color")]
    pub bg3_hover: Color32,
    /// Hairlines.
    #[serde(deserialize_with = "color")]
    pub line: Color32,
    #[serde(deserialize_with = "color")]
    pub line_strong: Color32,
    #[serde(deserialize_with = "color")]
    pub text: Color32,
    #[serde(deserialize_with = "color")]
    pub text_2: Color32,
    /// Only for what may be missed.
    #[serde(deserialize_with = "color")]
    pub text_3: Color32,
    #[serde(deserialize_with = "color")]
    pub accent: Color32,
    #[serde(deserialize_with = "color")]
    pub accent_hover: Color32,
    #[serde(deserialize_with = "color")]
    pub on_accent: Color32,
    /// Local, done.
    #[serde(deserialize_with = "color")]
    pub ok: Color32,
    /// Needs you, stale.
    #[serde(deserialize_with = "color")]
    pub warn: Color32,
    /// Failed, blocked.
    #[serde(deserialize_with = "color")]
    pub bad: Color32,
    /// Background of a selected row, and of chips in the accent's colour.
    #[serde(deserialize_with = "color")]
    pub selection: Color32,
    /// Background of matching words.
    #[serde(deserialize_with = "color")]
    pub mark: Color32,
    #[serde(deserialize_with = "color")]
    pub ok_soft: Color32,
    #[serde(deserialize_with = "color")]
    pub warn_soft: Color32,
    #[serde(deserialize_with = "color")]
    pub bad_soft: Color32,
    /// Over everything behind a dialog.
    #[serde(deserialize_with = "color")]
    pub backdrop: Color32,
    #[serde(deserialize_with = "color")]
    pub shadow: Color32,
    #[serde(deserialize_with = "color")]
    pub code_keyword: Color32,
    #[serde(deserialize_with = "color")]
    pub code_type: Color32,
    #[serde(deserialize_with = "color")]
    pub code_function: Color32,
    #[serde(deserialize_with = "color")]
    pub code_string: Color32,
    #[serde(deserialize_with = "color")]
    pub code_number: Color32,
    #[serde(deserialize_with = "color")]
    pub code_comment: Color32,
}

/// Distances, on a grid of 4 points.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Space {
    pub xs: f32,
    pub s: f32,
    pub m: f32,
    pub l: f32,
    pub xl: f32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Radius {
    pub small: u8,
    pub control: u8,
    pub card: u8,
    pub bubble: u8,
}

/// Widths and heights of what stands in the window, in points.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    pub control: f32,
    pub control_small: f32,
    pub row: f32,
    pub row_two_lines: f32,
    pub rail: f32,
    pub rail_narrow: f32,
    pub list: f32,
    pub inspector: f32,
    pub status: f32,
    pub header: f32,
    pub chip: f32,
    pub icon: f32,
    pub dialog: f32,
    pub picker: f32,
    pub palette: f32,
    /// Width at which running text reads well.
    pub text_column: f32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Motion {
    pub change_ms: u32,
    /// How long a toast stays.
    pub toast_ms: u32,
}

/// The type scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Body,
    /// Body in medium weight: titles of rows.
    Strong,
    Secondary,
    Label,
    /// Titles of pages and cards.
    Title,
    /// Greetings and the titles of dialogs.
    Heading,
    /// The one big figure of a card.
    Figure,
    Code,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Types {
    body: [f32; 2],
    secondary: [f32; 2],
    label: [f32; 2],
    title: [f32; 2],
    heading: [f32; 2],
    figure: [f32; 2],
    code: [f32; 2],
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sizes {
    space: Space,
    radius: Radius,
    size: Size,
    #[serde(rename = "type")]
    types: Types,
    motion: Motion,
}

impl Tokens {
    /// The theme of this brightness and contrast.
    pub fn get(dark: bool, high_contrast: bool) -> &'static Self {
        &ALL[usize::from(dark) * 2 + usize::from(high_contrast)]
    }

    /// Font and size of a step of the type scale.
    pub fn font(&self, kind: Type) -> FontId {
        let [size, _] = self.step(kind);
        let family = match kind {
            Type::Body | Type::Secondary | Type::Label => FontFamily::Proportional,
            Type::Strong => FontFamily::Name(fonts::MEDIUM.into()),
            Type::Title | Type::Heading | Type::Figure => FontFamily::Name(fonts::SEMIBOLD.into()),
            Type::Code => FontFamily::Monospace,
        };
        FontId::new(size, family)
    }

    /// Height of a line of this step.
    pub fn line_height(&self, kind: Type) -> f32 {
        self.step(kind)[1]
    }

    /// Text in this step of the scale, in the colour that goes with it.
    pub fn rich(&self, kind: Type, text: impl Into<String>) -> RichText {
        let color = match kind {
            Type::Secondary => self.color.text_2,
            Type::Label => self.color.text_3,
            _ => self.color.text,
        };
        RichText::new(text).font(self.font(kind)).line_height(Some(self.line_height(kind))).color(color)
    }

    fn step(&self, kind: Type) -> [f32; 2] {
        match kind {
            Type::Body | Type::Strong => self.types.body,
            Type::Secondary => self.types.secondary,
            Type::Label => self.types.label,
            Type::Title => self.types.title,
            Type::Heading => self.types.heading,
            Type::Figure => self.types.figure,
            Type::Code => self.types.code,
        }
    }
}

static ALL: LazyLock<[Tokens; 4]> = LazyLock::new(|| {
    let sizes: Sizes =
        toml::from_str(include_str!("../../../assets/design/sizes.toml")).expect("the embedded sizes are well formed");
    let theme = |text: &str, dark, high_contrast| Tokens {
        dark,
        high_contrast,
        color: toml::from_str(text).expect("the embedded colours are well formed"),
        space: sizes.space,
        radius: sizes.radius,
        size: sizes.size,
        motion: sizes.motion,
        types: sizes.types,
    };
    [
        theme(include_str!("../../../assets/design/light.toml"), false, false),
        theme(include_str!("../../../assets/design/light_contrast.toml"), false, true),
        theme(include_str!("../../../assets/design/dark.toml"), true, false),
        theme(include_str!("../../../assets/design/dark_contrast.toml"), true, true),
    ]
});

fn color<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Color32, D::Error> {
    let text = String::deserialize(deserializer)?;
    Color32::from_hex(&text).map_err(|error| serde::de::Error::custom(format!("{text}: {error:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color32) -> f32 {
        let [r, g, b, _] = egui::Rgba::from(color).to_array();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        if a > b { a / b } else { b / a }
    }

    #[test]
    fn text_can_be_read_on_every_surface_of_every_theme() {
        for (dark, high) in [(false, false), (false, true), (true, false), (true, true)] {
            let c = &Tokens::get(dark, high).color;
            let least = if high { 7.0 } else { 4.5 };
            for surface in [c.bg0, c.bg1, c.bg2, c.bg3, c.selection] {
                assert!(contrast(c.text, surface) >= least, "text, dark {dark}, contrast {high}");
                assert!(contrast(c.text_2, surface) >= least, "text_2, dark {dark}, contrast {high}");
            }
            for signal in [c.accent, c.ok, c.warn, c.bad] {
                // Signals are also told by words or icons: 3:1, as for graphics, is enough on light grounds.
                assert!(contrast(signal, c.bg1) >= if dark || high { 4.5 } else { 3.0 });
            }
            assert!(contrast(c.on_accent, c.accent) >= 4.5);
        }
    }
}
