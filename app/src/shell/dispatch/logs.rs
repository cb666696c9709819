//! Commands of the page "Logs".

use crate::commands::pages::logs::LogsCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn logs(&mut self, command: LogsCommand) {
        match command {
            LogsCommand::Refresh => self.state.pages.opened(Page::Logs),
        }
    }
}
