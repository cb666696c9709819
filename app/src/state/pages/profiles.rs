//! What the page "Profiles & network" reads: the profiles (the status bar too), and a page of the ledger.

use rspa_core::api::request::profiles::ListProfiles;
use rspa_core::api::request::system::ListLedger;
use rspa_core::api::{Core, Event};
use rspa_core::model::{LedgerEntry, Page, PageRequest, Profile, ProfileList};

use super::PageState;
use crate::state::Slot;

/// Rows of the ledger that are shown at once.
pub const LEDGER_ROWS: u32 = 50;

#[derive(Default)]
pub struct ProfilesState {
    pub list: Slot<ProfileList>,
    pub ledger: Slot<Page<LedgerEntry>>,
    /// First row of the ledger that is shown.
    pub offset: u64,
    /// The page was opened: the ledger is kept up to date.
    shown: bool,
    list_due: bool,
    ledger_due: bool,
}

impl ProfilesState {
    /// The profile that the person works in.
    pub fn active(&self) -> Option<&Profile> {
        let list = self.list.get()?;
        list.profiles.iter().find(|profile| profile.id == list.active)
    }

    /// Shows the ledger from this row on.
    pub(crate) fn turn_to(&mut self, offset: u64) {
        self.offset = offset;
        self.ledger_due = true;
    }

    /// Something asked to leave this computer, in whichever profile.
    pub(crate) fn ledger_changed(&mut self) {
        self.ledger_due |= self.shown;
    }
}

impl PageState for ProfilesState {
    fn opened(&mut self) {
        self.shown = true;
        self.list_due = true;
        self.ledger_due = true;
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::ProfilesChanged | Event::ProfileSwitched { .. } | Event::SourceRemoved { .. } => {
                self.list_due = true
            }
            Event::ChatsChanged if self.shown => self.list_due = true,
            Event::NetworkChanged { .. } => self.ledger_changed(),
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list.poll();
        self.ledger.poll();
        let Some(core) = core else { return };
        // The status bar shows the profile from the start on.
        if (self.list_due || self.list.is_untouched()) && !self.list.is_waiting() {
            self.list_due = false;
            self.list.ask(core.call(ListProfiles {}));
        }
        if self.ledger_due && !self.ledger.is_waiting() {
            self.ledger_due = false;
            let page = PageRequest { offset: self.offset, limit: LEDGER_ROWS };
            self.ledger.ask(core.call(ListLedger { page }));
        }
    }
}
