//! Commands of the page "Trash".

use crate::commands::pages::trash::TrashCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn trash(&mut self, command: TrashCommand) {
        match command {
            TrashCommand::Refresh => self.state.pages.opened(Page::Trash),
        }
    }
}
