//! Commands of the page "Dashboard".

use rspa_core::api::request::agents::AddSampleData;

use crate::commands::pages::dashboard::DashboardCommand;
use crate::shell::Shell;
use crate::state::{NoticeKind, Page};
use crate::text::tr_count;

impl Shell {
    pub(super) fn dashboard(&mut self, command: DashboardCommand) {
        match command {
            DashboardCommand::Refresh => self.state.pages.opened(Page::Dashboard),
            DashboardCommand::Window(days) => self.state.pages.dashboard.want(days),
            DashboardCommand::AddSample => self.engine.send(&mut self.state, AddSampleData {}, |state, _, made| {
                state.notices.push(state.now, NoticeKind::Done, tr_count("dashboard.sample_added", made), "");
                state.pages.opened(Page::Dashboard);
            }),
        }
    }
}
