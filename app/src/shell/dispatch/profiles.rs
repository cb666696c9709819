//! Commands of the page "Profiles & network".

use rspa_core::api::request::profiles::{
    CreateProfile, DeleteProfile, RenameProfile, SetProfileNetwork, SwitchProfile,
};

use crate::commands::pages::profiles::ProfilesCommand;
use crate::shell::Shell;
use crate::state::{NoticeKind, Page};
use crate::text::tr_with;

impl Shell {
    pub(super) fn profiles(&mut self, command: ProfilesCommand) {
        use ProfilesCommand as P;
        // The list itself follows by event.
        match command {
            P::Refresh => self.state.pages.opened(Page::Profiles),
            P::Ledger(offset) => self.state.pages.profiles.turn_to(offset),
            P::Create { name, network } => {
                self.engine.send(&mut self.state, CreateProfile { name, network }, |state, _, made| {
                    let title = tr_with("profiles.created", &[("name", &made.name)]);
                    state.notices.push(state.now, NoticeKind::Done, title, "");
                });
            }
            P::Rename { id, name } => {
                self.engine.send(&mut self.state, RenameProfile { id, name }, |_, _, _| {});
            }
            P::SetNetwork { id, network } => {
                // A refused change: the page shows again what is in force.
                let again = |state: &mut crate::state::AppState| state.pages.opened(Page::Profiles);
                let request = SetProfileNetwork { id, network };
                self.engine.send_or(&mut self.state, request, |_, _, _| {}, again);
            }
            P::Switch(id) => {
                self.store_now();
                self.engine.send(&mut self.state, SwitchProfile { id }, |_, _, _| {});
            }
            P::Delete { id, typed } => {
                let request = DeleteProfile { id, confirmed_name: typed.clone() };
                self.engine.send(&mut self.state, request, move |state, _, _| {
                    let title = tr_with("profiles.deleted", &[("name", &typed)]);
                    state.notices.push(state.now, NoticeKind::Done, title, "");
                });
            }
        }
    }
}
