//! Commands of the page "Tool servers".

use crate::commands::pages::servers::ServersCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn servers(&mut self, command: ServersCommand) {
        match command {
            ServersCommand::Refresh => self.state.pages.opened(Page::Servers),
        }
    }
}
