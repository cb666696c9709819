//! Commands about settings.

use rspa_core::api::request::settings::{ListSettings, ResetSetting, SetSetting};
use rspa_core::model::SettingValue;

use crate::shell::Shell;

impl Shell {
    pub(super) fn set_setting(&mut self, key: String, value: SettingValue) {
        let read_again = self.engine.core().cloned();
        let then = |state: &mut crate::state::AppState,
                    _: &mut crate::commands::CommandQueue,
                    entry: rspa_core::model::SettingEntry| {
            let known = state.settings.get_mut().and_then(|all| all.iter_mut().find(|known| known.key == entry.key));
            if let Some(known) = known {
                *known = entry;
            }
        };
        // A refused value: the field shows again what is in force.
        let otherwise = move |state: &mut crate::state::AppState| {
            if let Some(core) = read_again {
                state.settings.ask(core.call(ListSettings {}));
            }
        };
        self.engine.send_or(&mut self.state, SetSetting { key, value }, then, otherwise);
    }

    pub(super) fn reset_setting(&mut self, key: Option<String>) {
        self.engine.send(&mut self.state, ResetSetting { key }, |state, _, all| state.settings.set(all));
    }
}
