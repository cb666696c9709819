//! What the page "Credentials" reads.

use std::collections::BTreeSet;

use rspa_core::api::request::credentials::{ListCredentials, ListGrants};
use rspa_core::api::{Core, Event};
use rspa_core::model::{CredentialList, Grant};

use super::PageState;
use crate::state::Slot;

#[derive(Default)]
pub struct CredentialsState {
    pub list: Slot<CredentialList>,
    pub grants: Slot<Vec<Grant>>,
    /// Services that are being asked whether they know their key.
    pub testing: BTreeSet<String>,
    /// Something was sent to the vault and is not confirmed yet.
    pub busy: bool,
    /// Rises with everything that the vault confirmed: a form that waits for it closes.
    pub confirmed: u64,
    /// The page was opened, and something changed since it was read.
    due: bool,
    opened: bool,
}

impl PageState for CredentialsState {
    fn opened(&mut self) {
        self.opened = true;
        self.due = true;
    }

    fn hear(&mut self, event: &Event) {
        let touches = match event {
            Event::CredentialsChanged | Event::ProfileSwitched { .. } => true,
            Event::SettingChanged { entry } => entry.group == "security",
            _ => false,
        };
        self.due |= touches && self.opened;
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list.poll();
        self.grants.poll();
        let Some(core) = core else { return };
        let stale = self.list.take_stale() | self.grants.take_stale();
        if std::mem::take(&mut self.due) || stale {
            self.list.refresh(|| core.call(ListCredentials {}));
            self.grants.refresh(|| core.call(ListGrants {}));
        }
    }
}
