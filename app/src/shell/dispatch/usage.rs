//! Commands of the page "Usage".

use crate::commands::pages::usage::UsageCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn usage(&mut self, command: UsageCommand) {
        match command {
            UsageCommand::Refresh => self.state.pages.opened(Page::Usage),
        }
    }
}
