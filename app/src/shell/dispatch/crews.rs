//! Commands of the page "Crews".

use crate::commands::pages::crews::CrewsCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn crews(&mut self, command: CrewsCommand) {
        match command {
            CrewsCommand::Refresh => self.state.pages.opened(Page::Crews),
        }
    }
}
