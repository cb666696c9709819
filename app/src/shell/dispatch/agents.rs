//! Commands of the page "Agents".

use rspa_core::model::AgentId;

use crate::commands::pages::agents::AgentsCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn agents(&mut self, command: AgentsCommand) {
        match command {
            AgentsCommand::Refresh => self.state.pages.opened(Page::Agents),
        }
    }

    /// Opens the page "Agents" at this one.
    pub(super) fn show_agent(&mut self, _id: AgentId) {
        self.open_page(Page::Agents);
    }

    /// Opens the page "Agents" with the form for a new one.
    pub(super) fn new_agent(&mut self) {
        self.open_page(Page::Agents);
    }
}
