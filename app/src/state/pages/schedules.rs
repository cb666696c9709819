//! What the page "Schedules" reads.

use rspa_core::api::request::agents::ListAgents;
use rspa_core::api::request::schedules::{ListBackgroundAgents, ListScheduleRuns, ListSchedules, PreviewTiming};
use rspa_core::api::{Core, Event};
use rspa_core::model::{
    Agent, AgentFilter, BackgroundAgent, Page as ListPage, PageRequest, Schedule, ScheduleId, ScheduleRun, Timing,
    TimingPreview,
};

use super::PageState;
use crate::state::Slot;

/// Next times that are shown.
const NEXT: u32 = 5;
/// Runs that are shown.
const RUNS: u32 = 100;

#[derive(Default)]
pub struct SchedulesState {
    pub list: Slot<Vec<Schedule>>,
    pub background: Slot<Vec<BackgroundAgent>>,
    pub agents: Slot<Vec<Agent>>,
    /// Of the chosen one.
    pub runs: Slot<ListPage<ScheduleRun>>,
    /// What `timing` means.
    pub preview: Slot<TimingPreview>,
    pub timing: Option<Timing>,
    pub chosen: Option<ScheduleId>,
    /// A form for a new one is wanted.
    pub wants_form: bool,
    /// Counts what was saved: the form closes then.
    pub saved: u64,
    open: bool,
    ask: bool,
    ask_runs: bool,
    ask_preview: bool,
}

impl SchedulesState {
    pub(crate) fn choose(&mut self, chosen: Option<ScheduleId>) {
        if self.chosen != chosen {
            self.runs.clear();
        }
        self.chosen = chosen;
        self.ask_runs = chosen.is_some();
    }

    pub(crate) fn preview(&mut self, timing: Timing) {
        self.timing = Some(timing);
        self.ask_preview = true;
    }
}

impl PageState for SchedulesState {
    fn opened(&mut self) {
        self.open = true;
        self.ask = true;
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::SchedulesChanged | Event::AgentsChanged => {
                self.ask |= self.open;
                self.ask_runs |= self.chosen.is_some();
                self.ask_preview |= self.timing.is_some();
            }
            Event::ProfileSwitched { .. } => {
                self.list.clear();
                self.background.clear();
                self.agents.clear();
                self.choose(None);
                self.ask |= self.open;
            }
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list.poll();
        self.background.poll();
        self.agents.poll();
        self.runs.poll();
        self.preview.poll();
        let Some(core) = core else { return };
        let stale = self.list.take_stale() | self.background.take_stale() | self.agents.take_stale();
        if std::mem::take(&mut self.ask) || stale {
            self.list.refresh(|| core.call(ListSchedules { text: String::new() }));
            self.background.refresh(|| core.call(ListBackgroundAgents {}));
            self.agents.refresh(|| core.call(ListAgents { filter: AgentFilter::default() }));
        }
        if (std::mem::take(&mut self.ask_runs) || self.runs.take_stale())
            && let Some(id) = self.chosen
        {
            let page = PageRequest { offset: 0, limit: RUNS };
            self.runs.refresh(|| core.call(ListScheduleRuns { id, page }));
        }
        if std::mem::take(&mut self.ask_preview)
            && let Some(timing) = self.timing.clone()
        {
            // Only what is typed last is worth an answer.
            self.preview.ask(core.call(PreviewTiming { timing, count: NEXT }));
        }
    }
}
