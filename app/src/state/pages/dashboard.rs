//! What the page "Dashboard" reads.

use std::time::{Duration, Instant};

use rspa_core::api::request::dashboard::GetDashboard;
use rspa_core::api::{Core, Event};
use rspa_core::model::Dashboard;

use super::PageState;
use crate::state::Slot;

/// Windows that can be chosen, in days; the first is shown by the hour.
pub const WINDOWS: [u32; 4] = [1, 7, 30, 90];
/// The figures are asked for at most this often while work goes on.
const EVERY: Duration = Duration::from_secs(1);

pub struct DashboardState {
    pub figures: Slot<Dashboard>,
    /// The window, in days.
    pub days: u32,
    seen: bool,
    stale: bool,
    asked: Option<Instant>,
}

impl Default for DashboardState {
    fn default() -> Self {
        Self { figures: Slot::default(), days: 7, seen: false, stale: false, asked: None }
    }
}

impl DashboardState {
    /// Another window is wanted.
    pub(crate) fn want(&mut self, days: u32) {
        self.days = days;
        self.asked = None;
        self.opened();
    }
}

impl PageState for DashboardState {
    fn opened(&mut self) {
        self.seen = true;
        self.stale = true;
    }

    fn hear(&mut self, event: &Event) {
        self.stale |= matches!(
            event,
            Event::AgentsChanged
                | Event::AgentStatusChanged { .. }
                | Event::TaskChanged { .. }
                | Event::TasksChanged
                | Event::SchedulesChanged
                | Event::ApprovalAsked { .. }
                | Event::ApprovalEnded { .. }
                | Event::NotificationsChanged
                | Event::ActivityCreated { .. }
        );
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.figures.poll();
        self.stale |= self.figures.take_stale();
        let Some(core) = core else { return };
        let due = self.asked.is_none_or(|asked| asked.elapsed() >= EVERY);
        if self.seen && due && std::mem::take(&mut self.stale) {
            self.asked = Some(Instant::now());
            let days = self.days;
            self.figures.ask(core.call(GetDashboard { days }));
        }
    }
}
