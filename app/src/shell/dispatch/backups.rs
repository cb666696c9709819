//! Commands of the page "Backups".

use crate::commands::pages::backups::BackupsCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn backups(&mut self, command: BackupsCommand) {
        match command {
            BackupsCommand::Refresh => self.state.pages.opened(Page::Backups),
        }
    }
}
