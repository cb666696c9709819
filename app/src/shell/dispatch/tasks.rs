//! Commands of the page "Tasks".

use rspa_core::model::TaskId;

use crate::commands::pages::tasks::TasksCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn tasks(&mut self, command: TasksCommand) {
        match command {
            TasksCommand::Refresh => self.state.pages.opened(Page::Tasks),
        }
    }

    /// Opens the page "Tasks" at this one.
    pub(super) fn show_task(&mut self, _id: TaskId) {
        self.open_page(Page::Tasks);
    }

    /// Opens the page "Tasks" with the form for a new one.
    pub(super) fn new_task(&mut self) {
        self.open_page(Page::Tasks);
    }

    /// Pauses the queue, or lets it go on.
    pub(super) fn pause_queue(&mut self) {
        self.open_page(Page::Tasks);
    }
}
