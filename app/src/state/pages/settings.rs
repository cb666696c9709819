//! What the settings page reads beyond the settings: problems of whole files, and an import that waits for a yes.

use std::path::PathBuf;

use rspa_core::api::request::settings::ListSettingProblems;
use rspa_core::api::{Core, Event};
use rspa_core::model::SettingsImport;

use super::PageState;
use crate::state::Slot;

#[derive(Default)]
pub struct SettingsState {
    /// In words with the place.
    pub problems: Slot<Vec<String>>,
    /// A file that was chosen and what it would change.
    pub import: Option<(PathBuf, SettingsImport)>,
    due: bool,
}

impl PageState for SettingsState {
    fn opened(&mut self) {
        self.due = true;
    }

    fn hear(&mut self, event: &Event) {
        self.due |= matches!(event, Event::SettingChanged { .. });
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.problems.poll();
        if let Some(core) = core
            && self.due
            && !self.problems.is_waiting()
        {
            self.due = false;
            self.problems.ask(core.call(ListSettingProblems {}));
        }
    }
}
