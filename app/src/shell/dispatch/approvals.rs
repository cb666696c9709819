//! Commands of approval prompts.

use crate::commands::pages::approvals::ApprovalsCommand;
use crate::shell::Shell;
use crate::state::Page;
use crate::state::pages::PageState as _;

impl Shell {
    pub(super) fn approvals(&mut self, command: ApprovalsCommand) {
        match command {
            ApprovalsCommand::Refresh => self.state.pages.approvals.opened(),
        }
    }

    /// Shows what waits for the person.
    pub(super) fn show_approvals(&mut self) {
        self.open_page(Page::Tasks);
    }
}
