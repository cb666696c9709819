//! What the page "Crews" reads: crews, templates, agents, runs; the run that is shown, while it goes on.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use rspa_core::api::request::agents::ListAgents;
use rspa_core::api::request::crews::{GetCrewRun, ListCrewRuns, ListCrewTemplates, ListCrews};
use rspa_core::api::{Core, Event};
use rspa_core::model::{
    Agent, AgentFilter, AgentId, Crew, CrewId, CrewProcess, CrewRun, CrewRunId, CrewRunState, CrewTemplate,
    Page as ListPage, PageRequest, StepKind, StepState, Task, TaskId, Timestamp,
};

use super::PageState;
use crate::state::Slot;

/// Runs of one crew that are listed.
pub const RUNS: u32 = 100;
/// Newest runs of all crews: for their last states and for the count of running ones.
const RECENT: u32 = 60;
/// Bytes of what is being said that are kept for one step: its end.
const LIVE: usize = 32 * 1024;

/// What the page shows beside its list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    #[default]
    Nothing,
    /// Templates and the other ways to a new crew.
    Making,
    /// A crew that is not saved yet.
    New(CrewProcess),
    /// The editor.
    Crew(CrewId),
    Runs(CrewId),
    /// The form of a run.
    Start(CrewId),
    Run(CrewRunId),
    /// The form of a replay.
    Replay(CrewRunId),
}

/// What is known of the last run of a crew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastRun {
    pub number: u64,
    pub state: CrewRunState,
    pub needs_you: bool,
    pub created: Timestamp,
}

/// What a running step does now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Doing {
    pub words: String,
    /// What its model says.
    pub said: String,
}

#[derive(Default)]
pub struct CrewsState {
    /// By name.
    pub list: Slot<Vec<Crew>>,
    pub templates: Slot<Vec<CrewTemplate>>,
    /// By name.
    pub agents: Slot<Vec<Agent>>,
    /// Of the crew that is shown, newest first.
    pub runs: Slot<ListPage<CrewRun>>,
    /// The run that is shown.
    pub run: Slot<CrewRun>,
    /// The run that the shown one replays.
    pub original: Slot<CrewRun>,
    /// What the running steps of the shown run do, by their tasks.
    pub doing: HashMap<TaskId, Doing>,
    /// Rises whenever the shown run or what its steps do changes.
    pub turn: u64,
    /// Rises with each word that is said.
    pub words: u64,
    pub last: HashMap<CrewId, LastRun>,
    /// Core was asked to do something and has not answered.
    pub saving: bool,
    /// The editor has something that is not saved.
    pub unsaved: bool,
    /// Rises when the editor must begin anew from what is stored.
    pub epoch: u64,
    /// Rises with each wish to take back a change.
    pub undo: u64,
    /// The folder that was picked last; the number rises with each.
    pub picked: Option<(u64, PathBuf)>,
    running: BTreeMap<CrewRunId, u64>,
    shown: Shown,
    open: bool,
    asked: bool,
    list_stale: bool,
    templates_stale: bool,
    recent: Slot<ListPage<CrewRun>>,
    recent_stale: bool,
    runs_stale: bool,
    run_stale: bool,
}

impl CrewsState {
    pub fn shown(&self) -> Shown {
        self.shown
    }

    pub fn crew(&self, id: CrewId) -> Option<&Crew> {
        self.list.get()?.iter().find(|crew| crew.id == id)
    }

    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get()?.iter().find(|agent| agent.id == id)
    }

    /// The crew that is shown, or whose run is.
    pub fn chosen(&self) -> Option<CrewId> {
        match self.shown {
            Shown::Crew(id) | Shown::Runs(id) | Shown::Start(id) => Some(id),
            Shown::Run(_) | Shown::Replay(_) => self.run.get().map(|run| run.crew),
            Shown::Nothing | Shown::Making | Shown::New(_) => None,
        }
    }

    /// Runs that go on, of all crews.
    pub fn running(&self) -> u64 {
        self.running.len() as u64
    }

    pub(crate) fn show(&mut self, shown: Shown) {
        let run = |shown| match shown {
            Shown::Run(id) | Shown::Replay(id) => Some(id),
            _ => None,
        };
        if run(shown) != run(self.shown) {
            if let Some(id) = run(shown)
                && self.run.get().is_none_or(|known| known.id != id)
            {
                self.run.clear();
                self.original.clear();
                self.doing.clear();
                if let Some(known) = self.runs.get().and_then(|page| page.items.iter().find(|known| known.id == id)) {
                    self.run.set(known.clone());
                }
            }
            self.turn += 1;
            self.run_stale = true;
        }
        let before = self.chosen();
        self.shown = shown;
        if self.chosen() != before {
            self.runs.clear();
        }
        self.runs_stale |= self.chosen().is_some();
        self.templates_stale |= shown == Shown::Making;
        if matches!(shown, Shown::Making | Shown::Start(_)) {
            self.picked = None;
        }
        self.saving = false;
    }

    pub(crate) fn pick(&mut self, path: PathBuf) {
        let number = self.picked.as_ref().map_or(0, |(number, _)| *number) + 1;
        self.picked = Some((number, path));
    }

    /// A changed crew, before the list comes anew.
    pub(crate) fn put(&mut self, crew: Crew) {
        if let Some(list) = self.list.get_mut() {
            match list.iter_mut().find(|known| known.id == crew.id) {
                Some(known) => *known = crew,
                None => {
                    let name = crew.settings.name.to_lowercase();
                    let at = list.partition_point(|known| known.settings.name.to_lowercase() < name);
                    list.insert(at, crew);
                }
            }
        }
        self.list_stale = true;
    }

    /// A run that began, went on or ended.
    pub(crate) fn put_run(&mut self, run: &CrewRun) {
        self.note(run);
        let of_shown = self.chosen() == Some(run.crew);
        if let Some(page) = self.runs.get_mut().filter(|_| of_shown) {
            match page.items.iter_mut().find(|known| known.id == run.id) {
                Some(known) => known.clone_from(run),
                None => page.items.insert(0, run.clone()),
            }
        }
        if self.shown_run() == Some(run.id) {
            self.doing.retain(|task, _| run.steps.iter().any(|s| s.task == Some(*task) && !s.state.is_done()));
            self.run.set(run.clone());
            self.turn += 1;
        }
    }

    fn shown_run(&self) -> Option<CrewRunId> {
        match self.shown {
            Shown::Run(id) | Shown::Replay(id) => Some(id),
            _ => None,
        }
    }

    /// What the list and the rail tell of a run.
    fn note(&mut self, run: &CrewRun) {
        if run.state.is_final() {
            self.running.remove(&run.id);
        } else {
            self.running.insert(run.id, run.number);
        }
        let newer = self.last.get(&run.crew).is_none_or(|last| last.number <= run.number);
        if newer {
            let needs_you = run.steps.iter().any(|step| step.state == StepState::NeedsYou);
            let last = LastRun { number: run.number, state: run.state, needs_you, created: run.created };
            self.last.insert(run.crew, last);
        }
    }

    fn is_step(&self, task: TaskId) -> bool {
        self.run.get().is_some_and(|run| run.steps.iter().any(|step| step.task == Some(task)))
    }

    fn hear_task(&mut self, task: &Task) {
        if !self.is_step(task.id) {
            return;
        }
        if let Some(progress) = &task.progress {
            let doing = self.doing.entry(task.id).or_default();
            if doing.words != progress.doing {
                doing.words.clone_from(&progress.doing);
                self.turn += 1;
            }
        }
    }

    fn hear_words(&mut self, task: TaskId, text: &str) {
        if !self.is_step(task) {
            return;
        }
        let said = &mut self.doing.entry(task).or_default().said;
        said.push_str(text);
        if said.len() > LIVE {
            let cut = said.ceil_char_boundary(said.len() - LIVE / 2);
            said.drain(..cut);
        }
        self.words += 1;
    }
}

impl PageState for CrewsState {
    fn opened(&mut self) {
        self.open = true;
        self.list_stale = true;
        self.templates_stale = true;
        self.recent_stale = true;
        self.runs_stale = self.chosen().is_some();
        self.run_stale = self.shown_run().is_some();
    }

    fn hear(&mut self, event: &Event) {
        match event {
            // Also while the page is closed: the rail counts the runs.
            Event::CrewRunChanged { run } => self.put_run(run),
            _ if !self.open => {}
            Event::CrewsChanged | Event::AgentsChanged => self.list_stale = true,
            Event::TaskChanged { task } => self.hear_task(task),
            Event::RunText { task: Some(task), text, .. } => self.hear_words(*task, text),
            Event::RunStepped { task: Some(task), step, .. } => {
                if matches!(step.kind, StepKind::Model { .. } | StepKind::Answer { .. })
                    && let Some(doing) = self.doing.get_mut(task)
                {
                    doing.said.clear();
                    self.words += 1;
                }
            }
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list_stale |= self.list.poll() && self.list.take_stale();
        self.list_stale |= self.agents.poll() && self.agents.take_stale();
        self.templates.poll();
        if self.recent.poll() {
            self.running.clear();
            let page = self.recent.get().map(|page| page.items.clone()).unwrap_or_default();
            page.iter().for_each(|run| self.note(run));
            // Only what the list and the rail show of them is kept.
            if let Some(page) = self.recent.get_mut() {
                page.items.clear();
            }
        }
        self.recent_stale |= self.recent.take_stale();
        self.runs_stale |= self.runs.poll() && self.runs.take_stale();
        if self.run.poll() {
            self.turn += 1;
            self.runs_stale |= self.runs.is_untouched();
        }
        self.run_stale |= self.run.take_stale();
        if self.original.poll() {
            self.turn += 1;
        }
        let Some(core) = core else { return };
        if !std::mem::replace(&mut self.asked, true) || std::mem::take(&mut self.recent_stale) {
            let page = PageRequest { offset: 0, limit: RECENT };
            self.recent.refresh(|| core.call(ListCrewRuns { crew: None, page }));
        }
        if !self.open {
            return;
        }
        if std::mem::take(&mut self.list_stale) {
            self.list.refresh(|| core.call(ListCrews {}));
            self.agents.refresh(|| core.call(ListAgents { filter: AgentFilter::default() }));
        }
        if std::mem::take(&mut self.templates_stale) {
            self.templates.refresh(|| core.call(ListCrewTemplates {}));
        }
        if std::mem::take(&mut self.runs_stale)
            && let Some(crew) = self.chosen()
        {
            let page = PageRequest { offset: 0, limit: RUNS };
            self.runs.refresh(|| core.call(ListCrewRuns { crew: Some(crew), page }));
        }
        if std::mem::take(&mut self.run_stale)
            && let Some(id) = self.shown_run()
        {
            self.run.refresh(|| core.call(GetCrewRun { id }));
        }
        if let Some(of) = self.run.get().and_then(|run| run.replay_of)
            && self.original.get().is_none_or(|known| known.id != of)
            && !self.original.is_waiting()
            && self.original.error().is_none()
        {
            self.original.ask(core.call(GetCrewRun { id: of }));
        }
    }
}
