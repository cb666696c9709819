//! Commands about settings, and the look of the window, which is kept in them.

use std::path::PathBuf;

use rspa_core::api::request::settings::{
    AcceptSetting, ExportSettings, ImportFrom, ImportSettings, ListSettings, ResetSetting, SetSetting,
};
use rspa_core::model::{SettingEntry, SettingValue, SettingsFormat};

use crate::shell::Shell;
use crate::state::persisted::{ThemeChoice, ZOOM};
use crate::state::{AppState, NoticeKind};
use crate::text::{tr_count, tr_with};

impl Shell {
    pub(super) fn set_setting(&mut self, key: String, value: SettingValue) {
        let read_again = self.engine.core().cloned();
        // A refused value: the page shows again what is in force.
        let otherwise = move |state: &mut AppState| {
            if let Some(core) = read_again {
                state.settings.ask(core.call(ListSettings {}));
            }
        };
        self.engine.send_or(&mut self.state, SetSetting { key, value }, |state, _, entry| put(state, entry), otherwise);
    }

    pub(super) fn refresh_settings(&mut self) {
        if let Some(core) = self.engine.core() {
            self.state.settings.ask(core.call(ListSettings {}));
        }
    }

    pub(super) fn reset_setting(&mut self, key: Option<String>) {
        self.engine.send(&mut self.state, ResetSetting { key }, |state, _, changed| {
            changed.into_iter().for_each(|entry| put(state, entry));
        });
    }

    pub(super) fn accept_setting(&mut self, key: String) {
        self.engine.send(&mut self.state, AcceptSetting { key }, |state, _, entry| put(state, entry));
    }

    pub(super) fn export_settings(&mut self, folder: PathBuf) {
        let to = folder.join("rspa-settings.toml");
        let request = ExportSettings { format: SettingsFormat::Toml, to: Some(to.clone()) };
        self.engine.send(&mut self.state, request, move |state, _, _text| {
            let title = tr_with("settings.exported", &[("path", &crate::text::path(&to))]);
            state.notices.push(state.now, NoticeKind::Done, title, "");
        });
    }

    /// Shows first what would change; the values follow as events when they are taken over.
    pub(super) fn import_settings(&mut self, path: PathBuf, preview: bool) {
        let request = ImportSettings { from: ImportFrom::File { path: path.clone() }, preview };
        self.engine.send(&mut self.state, request, move |state, _, import| {
            if import.applied {
                state.pages.settings.import = None;
                let title = tr_count("settings.imported", import.changes.len() as u64);
                state.notices.push(state.now, NoticeKind::Done, title, "");
            } else {
                state.pages.settings.import = Some((path, import));
            }
        });
    }

    pub(super) fn set_theme(&mut self, theme: ThemeChoice) {
        self.state.ui.theme = theme;
        self.store_look("ui.theme", SettingValue::Text(theme.name().to_owned()));
    }

    pub(super) fn set_high_contrast(&mut self, on: bool) {
        self.state.ui.high_contrast = on;
        self.store_look("ui.high_contrast", SettingValue::Bool(on));
    }

    pub(super) fn set_reduce_motion(&mut self, on: bool) {
        self.state.ui.reduce_motion = on;
        self.store_look("ui.reduce_motion", SettingValue::Bool(on));
    }

    /// In steps of a tenth, from 50 to 300 %.
    pub(super) fn set_zoom(&mut self, zoom: f32) {
        let tenths = (zoom * 10.0).round().clamp(ZOOM.start() * 10.0, ZOOM.end() * 10.0);
        self.state.ui.zoom = tenths / 10.0;
        self.store_look("ui.zoom", SettingValue::Number(f64::from(tenths) / 10.0));
    }

    /// The window changes at once; the setting follows.
    fn store_look(&mut self, key: &str, value: SettingValue) {
        let Some(core) = self.engine.core().cloned() else { return };
        self.state.look_waits += 1;
        let stored = |state: &mut AppState, _: &mut crate::commands::CommandQueue, entry| {
            state.look_waits -= 1;
            put(state, entry);
        };
        let refused = move |state: &mut AppState| {
            state.look_waits -= 1;
            state.settings.ask(core.call(ListSettings {}));
        };
        self.engine.send_or(&mut self.state, SetSetting { key: key.to_owned(), value }, stored, refused);
    }
}

/// Puts a changed setting over its older self.
fn put(state: &mut AppState, entry: SettingEntry) {
    let known = state.settings.get_mut().and_then(|all| all.iter_mut().find(|known| known.key == entry.key));
    if let Some(known) = known {
        *known = entry;
    }
    state.adopt_look();
}
