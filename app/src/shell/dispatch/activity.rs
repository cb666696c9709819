//! Commands of the page "Activity".

use crate::commands::pages::activity::ActivityCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn activity(&mut self, command: ActivityCommand) {
        match command {
            ActivityCommand::Refresh => self.state.pages.opened(Page::Activity),
        }
    }
}
