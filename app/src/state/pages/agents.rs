//! What the page "Agents" reads: all agents, types and tools, and what belongs to the one that is chosen.

use std::path::PathBuf;

use rspa_core::api::request::activities::ListActivities;
use rspa_core::api::request::agents::{GetAgentMetrics, ListAgentData, ListAgentTypes, ListAgents, ListTools};
use rspa_core::api::request::tasks::ListTasks;
use rspa_core::api::{Core, Event};
use rspa_core::model::{
    Activity, ActivityFilter, Agent, AgentDatum, AgentFilter, AgentId, AgentMetrics, AgentTypeList, Page as ListPage,
    PageRequest, Task, TaskFilter, TaskSort, ToolInfo,
};

use super::PageState;
use crate::state::Slot;

/// Rows of the history of one agent.
pub const ROWS: u32 = 200;

/// What the form is open for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Editing {
    New,
    Change(AgentId),
}

pub struct AgentsState {
    /// By name.
    pub list: Slot<Vec<Agent>>,
    pub types: Slot<AgentTypeList>,
    pub tools: Slot<Vec<ToolInfo>>,
    pub metrics: Slot<AgentMetrics>,
    pub data: Slot<Vec<AgentDatum>>,
    pub tasks: Slot<ListPage<Task>>,
    pub activities: Slot<ListPage<Activity>>,
    pub editing: Option<Editing>,
    /// Rises with each opening of the form.
    pub form: u64,
    /// The form waits for core.
    pub saving: bool,
    /// The folder that was picked last for the form; the number rises with each.
    pub picked: Option<(u64, PathBuf)>,
    /// Days that the figures show.
    pub days: u32,
    chosen: Option<AgentId>,
    open: bool,
    list_stale: bool,
    types_stale: bool,
    detail_stale: bool,
}

impl Default for AgentsState {
    fn default() -> Self {
        Self {
            list: Slot::default(),
            types: Slot::default(),
            tools: Slot::default(),
            metrics: Slot::default(),
            data: Slot::default(),
            tasks: Slot::default(),
            activities: Slot::default(),
            editing: None,
            form: 0,
            saving: false,
            picked: None,
            days: 14,
            chosen: None,
            open: false,
            list_stale: false,
            types_stale: false,
            detail_stale: false,
        }
    }
}

impl AgentsState {
    /// The agent that is shown.
    pub fn chosen(&self) -> Option<&Agent> {
        let id = self.chosen?;
        self.agent(id)
    }

    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.list.get()?.iter().find(|agent| agent.id == id)
    }

    pub(crate) fn select(&mut self, id: Option<AgentId>) {
        if self.chosen != id {
            self.metrics.clear();
            self.data.clear();
            self.tasks.clear();
            self.activities.clear();
            self.chosen = id;
            self.detail_stale = id.is_some();
        }
    }

    pub(crate) fn edit(&mut self, editing: Editing) {
        self.editing = Some(editing);
        self.form += 1;
        self.saving = false;
        self.picked = None;
        self.types_stale = true;
    }

    pub(crate) fn pick(&mut self, path: PathBuf) {
        let number = self.picked.as_ref().map_or(0, |(number, _)| *number) + 1;
        self.picked = Some((number, path));
    }

    pub(crate) fn close_form(&mut self) {
        self.editing = None;
        self.saving = false;
    }

    /// A changed agent, before the list comes anew.
    pub(crate) fn put(&mut self, agent: Agent) {
        if let Some(list) = self.list.get_mut() {
            match list.iter_mut().find(|known| known.id == agent.id) {
                Some(known) => *known = agent,
                None => list.push(agent),
            }
        }
        self.list_stale = true;
    }

    pub(crate) fn show_days(&mut self, days: u32) {
        self.days = days;
        self.detail_stale = true;
    }
}

impl PageState for AgentsState {
    fn opened(&mut self) {
        self.open = true;
        self.list_stale = true;
        self.types_stale = true;
        self.detail_stale = self.chosen.is_some();
    }

    fn hear(&mut self, event: &Event) {
        if !self.open {
            return;
        }
        match event {
            Event::AgentsChanged | Event::AgentStatusChanged { .. } => {
                self.list_stale = true;
                self.detail_stale |= self.chosen.is_some();
            }
            Event::TaskChanged { task } => self.detail_stale |= self.chosen.is_some() && task.agent == self.chosen,
            Event::TasksChanged => self.detail_stale |= self.chosen.is_some(),
            Event::ActivityCreated { activity } => {
                let own = self.chosen().map(|agent| agent.settings.name.clone());
                self.detail_stale |= own.is_some() && activity.agent == own;
            }
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list_stale |= self.list.poll() && self.list.take_stale();
        self.types.poll();
        self.tools.poll();
        self.metrics.poll();
        self.data.poll();
        self.tasks.poll();
        self.activities.poll();
        let stale =
            [self.metrics.take_stale(), self.data.take_stale(), self.tasks.take_stale(), self.activities.take_stale()];
        self.detail_stale |= stale.contains(&true);
        let Some(core) = core.filter(|_| self.open) else { return };
        if std::mem::take(&mut self.list_stale) {
            self.list.refresh(|| core.call(ListAgents { filter: AgentFilter::default() }));
        }
        if std::mem::take(&mut self.types_stale) {
            self.types.refresh(|| core.call(ListAgentTypes {}));
            self.tools.refresh(|| core.call(ListTools {}));
        }
        let Some(id) = self.chosen else { return };
        let Some(name) = self.chosen().map(|agent| agent.settings.name.clone()) else { return };
        if !std::mem::take(&mut self.detail_stale) {
            return;
        }
        let page = PageRequest { offset: 0, limit: ROWS };
        let days = self.days;
        self.metrics.refresh(|| core.call(GetAgentMetrics { id, days }));
        self.data.refresh(|| core.call(ListAgentData { id }));
        let filter = TaskFilter { agent: Some(id), ..TaskFilter::default() };
        self.tasks.refresh(|| core.call(ListTasks { filter, sort: TaskSort::Created, page }));
        let filter = ActivityFilter { agent: Some(name), ..ActivityFilter::default() };
        self.activities.refresh(|| core.call(ListActivities { filter, page }));
    }
}
