//! What survives a restart: layout, window, theme, zoom. Damaged state falls back to defaults.

use rspa_core::model::ChatId;
use serde::{Deserialize, Serialize};

use crate::design::Look;
use crate::layout::Layout;
use crate::state::pages::logs::LogsChoice;
use crate::state::pages::tasks::TasksChoice;

/// The name under which core keeps it.
pub const NAME: &str = "window";
/// Smallest and largest zoom.
pub const ZOOM: std::ops::RangeInclusive<f32> = 0.5..=3.0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    #[default]
    System,
    Dark,
    Light,
}

/// In points of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// None where the system does not tell (Wayland).
    pub position: Option<[f32; 2]>,
    pub size: [f32; 2],
    pub maximized: bool,
}

impl Default for WindowPlace {
    fn default() -> Self {
        Self { position: None, size: [1280.0, 800.0], maximized: false }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Persisted {
    pub theme: ThemeChoice,
    pub high_contrast: bool,
    pub reduce_motion: bool,
    pub zoom: f32,
    pub rail_narrow: bool,
    pub window: WindowPlace,
    pub layout: Layout,
    pub open_chat: Option<ChatId>,
    /// The welcome was gone through or left.
    pub welcomed: bool,
    /// The filter of the log page.
    pub logs: LogsChoice,
    /// What is shown of the tasks, and how.
    pub tasks: TasksChoice,
}

impl Default for Persisted {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::System,
            high_contrast: false,
            reduce_motion: false,
            zoom: 1.0,
            rail_narrow: false,
            window: WindowPlace::default(),
            layout: Layout::default(),
            open_chat: None,
            welcomed: false,
            logs: LogsChoice::default(),
            tasks: TasksChoice::default(),
        }
    }
}

impl Persisted {
    /// Reads what was stored. Whatever is damaged or out of bounds becomes the default.
    pub fn read(text: &str) -> Self {
        let mut state: Self = match serde_json::from_str(text) {
            Ok(state) => state,
            Err(error) => {
                tracing::warn!(%error, "the stored layout is damaged; starting with the default one");
                Self::default()
            }
        };
        let zoom = if state.zoom.is_finite() { state.zoom } else { 1.0 };
        state.zoom = zoom.clamp(*ZOOM.start(), *ZOOM.end());
        let [width, height] = state.window.size;
        if !(width.is_finite()
            && height.is_finite()
            && (300.0..20_000.0).contains(&width)
            && (200.0..20_000.0).contains(&height))
        {
            state.window = WindowPlace::default();
        }
        if state.window.position.is_some_and(|[x, y]| !(x.abs() < 50_000.0 && y.abs() < 50_000.0)) {
            state.window.position = None;
        }
        state.layout.repair();
        state
    }

    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn look(&self) -> Look {
        Look {
            theme: match self.theme {
                ThemeChoice::System => egui::ThemePreference::System,
                ThemeChoice::Dark => egui::ThemePreference::Dark,
                ThemeChoice::Light => egui::ThemePreference::Light,
            },
            high_contrast: self.high_contrast,
            reduce_motion: self.reduce_motion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut state = Persisted { zoom: 1.5, rail_narrow: true, theme: ThemeChoice::Light, ..Persisted::default() };
        state.layout.open_page(crate::state::Page::Settings);
        assert_eq!(Persisted::read(&state.write()), state);
    }

    #[test]
    fn damaged_state_becomes_the_default() {
        for text in ["", "{", "null", "[]", "{\"zoom\": \"big\"}", "{\"layout\": {\"tree\": 7}}", "\u{0}\u{1}"] {
            assert_eq!(Persisted::read(text), Persisted::default(), "{text:?}");
        }
        let odd = Persisted::read(
            "{\"zoom\": 1e9, \"window\": {\"position\": [1e30, 0], \"size\": [-5, 0], \"maximized\": false}}",
        );
        assert_eq!(odd.zoom, 3.0);
        assert_eq!(odd.window, WindowPlace::default());
    }
}
