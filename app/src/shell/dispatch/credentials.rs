//! Commands of the page "Credentials".

use crate::commands::pages::credentials::CredentialsCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn credentials(&mut self, command: CredentialsCommand) {
        match command {
            CredentialsCommand::Refresh => self.state.pages.opened(Page::Credentials),
        }
    }
}
