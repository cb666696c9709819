//! What the page "Activity" reads.

use rspa_core::api::request::activities::{ListActivities, ListActivityAgents, ListActivityKinds};
use rspa_core::api::{Core, Event};
use rspa_core::model::{Activity, ActivityFilter, Page as ListPage, PageRequest};

use super::PageState;
use crate::state::Slot;

/// Rows that are asked for at once.
pub const PAGE: u32 = 400;

#[derive(Default)]
pub struct ActivityState {
    pub list: Slot<ListPage<Activity>>,
    /// The kinds and agents that occur, for the choices of the filter.
    pub kinds: Slot<Vec<String>>,
    pub agents: Slot<Vec<String>>,
    /// What the page shows; none while it was never opened.
    pub wanted: Option<(ActivityFilter, u64)>,
    stale: bool,
    stale_choices: bool,
}

impl ActivityState {
    /// Another filter or another part of the list is wanted. An older question is dropped, which ends its work.
    pub(crate) fn want(&mut self, filter: ActivityFilter, offset: u64) {
        let same_filter = self.wanted.as_ref().is_some_and(|(before, _)| *before == filter);
        if !same_filter {
            self.list.clear();
        }
        self.stale_choices |= self.wanted.is_none();
        self.wanted = Some((filter, offset));
        self.stale = true;
    }

    fn request(&self) -> Option<ListActivities> {
        let (filter, offset) = self.wanted.clone()?;
        Some(ListActivities { filter, page: PageRequest { offset, limit: PAGE } })
    }
}

impl PageState for ActivityState {
    fn opened(&mut self) {
        self.stale = true;
        self.stale_choices = true;
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::ActivityCreated { activity } => {
                self.stale = true;
                let known = |slot: &Slot<Vec<String>>, name: &String| slot.get().is_some_and(|all| all.contains(name));
                self.stale_choices |= !known(&self.kinds, &activity.kind)
                    || activity.agent.as_ref().is_some_and(|agent| !known(&self.agents, agent));
            }
            Event::ProfileSwitched { .. } => {
                self.list.clear();
                self.opened();
            }
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list.poll();
        self.kinds.poll();
        self.agents.poll();
        let Some(core) = core else { return };
        self.stale |= self.list.take_stale();
        let Some(request) = self.request() else { return };
        if std::mem::take(&mut self.stale) {
            // While events pour in, one question after the other; another filter does not wait for the old one.
            if self.list.get().is_some() {
                self.list.refresh(|| core.call(request));
            } else {
                self.list.ask(core.call(request));
            }
        }
        if std::mem::take(&mut self.stale_choices) {
            self.kinds.refresh(|| core.call(ListActivityKinds {}));
            self.agents.refresh(|| core.call(ListActivityAgents {}));
        }
    }
}
