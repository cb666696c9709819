//! What the page "Backups" reads.

use rspa_core::api::request::backups::{GetHistoryRange, ListBackups, PreviewRestore};
use rspa_core::api::{Core, Event};
use rspa_core::model::{BackupList, HistoryRange, RestoreFrom, RestorePreview};

use super::PageState;
use crate::state::Slot;

#[derive(Default)]
pub struct BackupsState {
    pub list: Slot<BackupList>,
    pub range: Slot<Option<HistoryRange>>,
    /// What restoring `chosen` would change.
    pub preview: Slot<RestorePreview>,
    /// The state that the person looks at.
    pub chosen: Option<RestoreFrom>,
    /// A backup is asked for and not yet there.
    pub making: bool,
    /// A restore is asked for and not yet done.
    pub restoring: bool,
    /// The page was opened once: what it shows is kept up to date from then on.
    open: bool,
    ask: bool,
    ask_preview: bool,
}

impl BackupsState {
    pub(crate) fn choose(&mut self, from: RestoreFrom) {
        self.preview.clear();
        self.chosen = Some(from);
        self.ask_preview = true;
    }

    pub(crate) fn close_preview(&mut self) {
        self.preview.clear();
        self.chosen = None;
        self.restoring = false;
    }
}

impl PageState for BackupsState {
    fn opened(&mut self) {
        self.open = true;
        self.ask = true;
    }

    fn hear(&mut self, event: &Event) {
        let changed = match event {
            Event::BackupsChanged => true,
            Event::SettingChanged { entry } => {
                entry.key.starts_with("backups.") || entry.key.starts_with("database.history")
            }
            _ => false,
        };
        self.ask |= changed && self.open;
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list.poll();
        self.range.poll();
        self.preview.poll();
        let Some(core) = core else { return };
        if std::mem::take(&mut self.ask) || self.list.take_stale() {
            self.list.refresh(|| core.call(ListBackups {}));
            self.range.refresh(|| core.call(GetHistoryRange {}));
        }
        if std::mem::take(&mut self.ask_preview)
            && let Some(from) = self.chosen.clone()
        {
            self.preview.ask(core.call(PreviewRestore { from }));
        }
    }
}
