//! What the page "Profiles & network" reads: the profiles (the status bar too), and the network ledger.

pub mod ledger;

use rspa_core::api::request::profiles::ListProfiles;
use rspa_core::api::{Core, Event};
use rspa_core::model::{Profile, ProfileList};

use super::PageState;
use crate::state::Slot;

/// The parts of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    #[default]
    Profiles,
    Ledger,
}

#[derive(Default)]
pub struct ProfilesState {
    pub list: Slot<ProfileList>,
    pub ledger: ledger::Ledger,
    /// Which rows of the ledger are shown.
    pub filter: ledger::LedgerFilter,
    pub part: Part,
    /// The page was opened: the ledger is kept up to date.
    shown: bool,
    list_due: bool,
}

impl ProfilesState {
    /// The profile that the person works in.
    pub fn active(&self) -> Option<&Profile> {
        let list = self.list.get()?;
        list.profiles.iter().find(|profile| profile.id == list.active)
    }

    /// Something asked to leave this computer, in whichever profile.
    pub(crate) fn ledger_changed(&mut self) {
        if self.shown {
            self.ledger.refresh();
        }
    }
}

impl PageState for ProfilesState {
    fn opened(&mut self) {
        self.shown = true;
        self.list_due = true;
        self.ledger.refresh();
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
        self.ledger.poll(core);
        let Some(core) = core else { return };
        // The status bar shows the profile from the start on.
        if (self.list_due || self.list.is_untouched()) && !self.list.is_waiting() {
            self.list_due = false;
            self.list.ask(core.call(ListProfiles {}));
        }
    }
}
