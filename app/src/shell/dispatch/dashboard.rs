//! Commands of the page "Dashboard".

use crate::commands::pages::dashboard::DashboardCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn dashboard(&mut self, command: DashboardCommand) {
        match command {
            DashboardCommand::Refresh => self.state.pages.opened(Page::Dashboard),
        }
    }
}
