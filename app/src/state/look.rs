//! The look of the window as the settings have it.

use rspa_core::model::{SettingEntry, SettingValue};

use super::AppState;
use super::persisted::{ThemeChoice, ZOOM};

impl AppState {
    /// Takes theme, contrast, motion and zoom over from the settings, unless newer choices are on their way to them.
    pub(crate) fn adopt_look(&mut self) {
        if self.look_waits > 0 {
            return;
        }
        let Some(entries) = self.settings.get() else { return };
        let ui = &mut self.ui;
        for SettingEntry { key, value, .. } in entries {
            match (key.as_str(), value) {
                ("ui.theme", SettingValue::Text(theme)) => ui.theme = ThemeChoice::named(theme),
                ("ui.high_contrast", SettingValue::Bool(on)) => ui.high_contrast = *on,
                ("ui.reduce_motion", SettingValue::Bool(on)) => ui.reduce_motion = *on,
                ("ui.zoom", SettingValue::Number(zoom)) => ui.zoom = (*zoom as f32).clamp(*ZOOM.start(), *ZOOM.end()),
                ("ui.zoom", SettingValue::Integer(zoom)) => ui.zoom = (*zoom as f32).clamp(*ZOOM.start(), *ZOOM.end()),
                _ => {}
            }
        }
    }
}

impl ThemeChoice {
    /// As the setting `ui.theme` writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }

    fn named(name: &str) -> Self {
        [Self::Dark, Self::Light].into_iter().find(|choice| choice.name() == name).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use rspa_core::model::{SettingKind, SettingOrigin};

    use super::*;
    use crate::state::Slot;

    #[test]
    fn settings_win_unless_a_newer_choice_is_on_its_way() {
        let entry = |key: &str, value: SettingValue| SettingEntry {
            key: key.into(),
            group: "ui".into(),
            label: String::new(),
            description: String::new(),
            kind: SettingKind::Text,
            default: value.clone(),
            value,
            origin: SettingOrigin::File,
            place: None,
            needs_restart: false,
            waiting_for_restart: false,
            held: None,
            problem: None,
        };
        let entries =
            vec![entry("ui.theme", SettingValue::Text("light".into())), entry("ui.zoom", SettingValue::Integer(2))];
        let mut state = AppState { settings: Slot::with(entries), look_waits: 1, ..AppState::default() };
        state.adopt_look();
        assert_eq!((state.ui.theme, state.ui.zoom), (ThemeChoice::System, 1.0));
        state.look_waits = 0;
        state.adopt_look();
        assert_eq!((state.ui.theme, state.ui.zoom), (ThemeChoice::Light, 2.0));
    }
}
