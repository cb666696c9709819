//! Commands of the page "Providers".

use crate::commands::pages::providers::ProvidersCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn providers(&mut self, command: ProvidersCommand) {
        match command {
            ProvidersCommand::Refresh => self.state.pages.opened(Page::Providers),
        }
    }
}
