//! Commands of the page "Schedules".

use rspa_core::model::ScheduleId;

use crate::commands::pages::schedules::SchedulesCommand;
use crate::shell::Shell;
use crate::state::Page;

impl Shell {
    pub(super) fn schedules(&mut self, command: SchedulesCommand) {
        match command {
            SchedulesCommand::Refresh => self.state.pages.opened(Page::Schedules),
        }
    }

    /// Opens the page "Schedules" at this one.
    pub(super) fn show_schedule(&mut self, _id: ScheduleId) {
        self.open_page(Page::Schedules);
    }

    /// Opens the page "Schedules" with the form for a new one.
    pub(super) fn new_schedule(&mut self) {
        self.open_page(Page::Schedules);
    }
}
