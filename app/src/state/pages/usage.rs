//! What the page "Usage" reads: tokens, time and cost of a period, and which features are used.

use rspa_core::api::request::usage::{GetUsage, ListFeatureUse};
use rspa_core::api::{Core, Event};
use rspa_core::model::{FeatureUse, MessageState, UsageGroup, UsageQuery, UsageReport};

use super::PageState;
use crate::state::Slot;

pub struct UsageState {
    pub report: Slot<UsageReport>,
    pub features: Slot<Vec<FeatureUse>>,
    pub query: UsageQuery,
    open: bool,
    stale: bool,
}

impl Default for UsageState {
    fn default() -> Self {
        Self {
            report: Slot::default(),
            features: Slot::default(),
            query: UsageQuery { days: 30, by: UsageGroup::Model },
            open: false,
            stale: false,
        }
    }
}

impl UsageState {
    pub(crate) fn ask_for(&mut self, query: UsageQuery) {
        self.query = query;
        self.stale = true;
    }
}

impl PageState for UsageState {
    fn opened(&mut self) {
        self.open = true;
        self.stale = true;
    }

    fn hear(&mut self, event: &Event) {
        if !self.open {
            return;
        }
        self.stale |= match event {
            Event::SettingChanged { entry } => entry.group == "usage",
            Event::MessageChanged { message } => message.state == MessageState::Complete,
            Event::TaskChanged { task } => task.status.is_final(),
            _ => false,
        };
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.stale |= self.report.poll() && self.report.take_stale();
        self.features.poll();
        let Some(core) = core.filter(|_| self.open) else { return };
        if std::mem::take(&mut self.stale) {
            let query = self.query.clone();
            self.report.refresh(|| core.call(GetUsage { query }));
            self.features.refresh(|| core.call(ListFeatureUse {}));
        }
    }
}
