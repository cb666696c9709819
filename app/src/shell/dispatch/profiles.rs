//! Commands of the page "Profiles & network".

use crate::commands::pages::profiles::ProfilesCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn profiles(&mut self, command: ProfilesCommand) {
        match command {
            ProfilesCommand::Refresh => self.state.pages.opened(Page::Profiles),
        }
    }
}
