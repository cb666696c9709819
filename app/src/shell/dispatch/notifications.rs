//! Commands of the notification centre.

use crate::commands::pages::notifications::NotificationsCommand;
use crate::shell::Shell;
use crate::state::pages::PageState as _;

impl Shell {
    pub(super) fn notifications(&mut self, command: NotificationsCommand) {
        match command {
            NotificationsCommand::Refresh => self.state.pages.notifications.opened(),
        }
    }
}
