//! What the page "Tasks" reads: counts, the board, the table, one task whole, the attempt that is stepped through.

mod cards;
mod choice;
mod rows;
mod stepping;

use rspa_core::api::request::agents::ListAgents;
use rspa_core::api::request::tasks::{CountTasks, GetBoard, GetTask, ListTasks};
use rspa_core::api::{ApiError, Core, Event, Pending};
use rspa_core::model::{
    Agent, AgentFilter, Board, BoardColumn, Page as ListPage, PageRequest, Task, TaskCounts, TaskDetail, TaskFilter,
    TaskId, TaskSort,
};

pub use cards::{Cards, Moved};
pub use choice::{Shape, TasksChoice};
pub use rows::{PAGE, Rows};
pub use stepping::Stepping;

use super::PageState;
use crate::state::Slot;

/// Cards of a column that are asked for at first.
pub const FIRST_CARDS: u32 = 100;
/// Cards of a column at most: more of one answer core does not give, and the table shows all.
pub const MOST_CARDS: u32 = 1_000;

/// What the form is open for.
#[derive(Clone, Debug, PartialEq)]
pub enum Editing {
    New { column: BoardColumn },
    Change(Box<Task>),
}

#[derive(Default)]
pub struct TasksState {
    pub counts: Slot<TaskCounts>,
    /// What is shown; stays until the answer to a newer question is there.
    pub cards: Option<Cards>,
    pub rows: Option<Rows>,
    /// Why the last question for cards or rows failed.
    pub error: Option<ApiError>,
    pub agents: Slot<Vec<Agent>>,
    pub detail: Slot<TaskDetail>,
    pub stepping: Stepping,
    /// Tasks that another one can wait for, as searched in the form.
    pub others: Slot<ListPage<Task>>,
    pub editing: Option<Editing>,
    /// Rises with each opening of the form.
    pub form: u64,
    /// The form waits for core.
    pub saving: bool,
    chosen: Option<TaskId>,
    /// The person chose an attempt; else the newest is shown.
    run_chosen: bool,
    seen: bool,
    choice: TasksChoice,
    asked: Option<(TasksChoice, u32)>,
    per_column: u32,
    board_stale: bool,
    counts_stale: bool,
    counted_once: bool,
    detail_stale: bool,
    agents_stale: bool,
    others_due: Option<String>,
    needed: Option<u64>,
    board: Option<Pending<Board>>,
    more: Option<(u64, TasksChoice, Pending<ListPage<Task>>)>,
}

impl TasksState {
    pub fn chosen(&self) -> Option<TaskId> {
        self.chosen
    }

    /// The page must be asked for with this choice.
    pub fn wants(&self, choice: &TasksChoice) -> bool {
        !self.seen || self.choice != *choice
    }

    /// Cards or rows are on their way.
    pub fn is_reading(&self) -> bool {
        self.board.is_some() || self.more.is_some() || self.board_stale || self.needed.is_some()
    }

    /// The rows of this page of the table are in view and not there, and nobody has asked for them.
    pub fn lacks(&self, page: u64) -> bool {
        let asked = self.needed == Some(page) || self.more.as_ref().is_some_and(|(asked, ..)| *asked == page);
        !asked && self.error.is_none() && self.rows.as_ref().is_some_and(|rows| !rows.is_fresh(page))
    }

    /// How many cards of a column were asked for.
    pub fn per_column(&self) -> u32 {
        self.per_column.max(FIRST_CARDS)
    }

    /// A task that is at hand.
    pub fn task(&self, id: TaskId) -> Option<&Task> {
        let detail = self.detail.get().map(|detail| &detail.task).filter(|task| task.id == id);
        detail
            .or_else(|| self.cards.as_ref().and_then(|cards| cards.find(id)))
            .or_else(|| self.rows.as_ref().and_then(|rows| rows.all().map(|(_, task)| task).find(|task| task.id == id)))
    }

    pub fn agent(&self, id: rspa_core::model::AgentId) -> Option<&Agent> {
        self.agents.get()?.iter().find(|agent| agent.id == id)
    }

    pub(crate) fn choose(&mut self, choice: TasksChoice) {
        self.seen = true;
        self.error = None;
        let shape = self.choice.shape != choice.shape;
        let same = self.choice.filter() == choice.filter() && self.choice.sort == choice.sort;
        self.choice = choice;
        if !same {
            // Rows of another list would be shown at the wrong places.
            self.rows = self.rows.take().map(|rows| Rows::of(rows.total));
            self.more = None;
        }
        if shape || !same || self.asked.is_none() {
            self.read_again();
        }
    }

    fn read_again(&mut self) {
        match self.choice.shape {
            Shape::Board => self.board_stale = true,
            Shape::Table => {
                if let Some(rows) = &mut self.rows {
                    rows.age();
                } else {
                    self.needed = Some(0);
                }
                if self.rows.as_ref().is_some_and(|rows| rows.row(0).is_none()) {
                    self.needed = Some(0);
                }
            }
        }
    }

    pub(crate) fn need_rows(&mut self, page: u64) {
        self.needed = Some(page);
    }

    pub(crate) fn need_cards(&mut self, count: u32) {
        let count = count.min(MOST_CARDS);
        if count > self.per_column() {
            self.per_column = count;
            self.board_stale = true;
        }
    }

    pub(crate) fn select(&mut self, id: Option<TaskId>) {
        if self.chosen != id {
            self.detail.clear();
            self.chosen = id;
            self.detail_stale = id.is_some();
            self.run_chosen = false;
            self.stepping.choose(None);
        }
    }

    pub(crate) fn choose_run(&mut self, run: rspa_core::model::RunId) {
        self.run_chosen = true;
        self.stepping.choose(Some(run));
    }

    pub(crate) fn find_others(&mut self, text: String) {
        self.others_due = Some(text);
    }

    /// Counts are read again, and whatever is shown.
    pub(crate) fn all_stale(&mut self) {
        self.counts_stale = true;
        self.detail_stale = self.chosen.is_some();
        self.others.clear();
        if self.seen {
            self.read_again();
        }
    }

    /// Takes a changed task in.
    pub(crate) fn changed(&mut self, task: &Task) {
        self.counts_stale = true;
        let filtered = !self.choice.is_everything();
        if let Some(cards) = &mut self.cards
            && (filtered || !cards.change(task))
        {
            self.board_stale = true;
        }
        if let Some(rows) = &mut self.rows
            && !rows.change(task)
        {
            rows.age();
        }
        if self.chosen == Some(task.id) {
            if let Some(detail) = self.detail.get_mut() {
                detail.task.clone_from(task);
            }
            self.detail_stale = true;
        }
    }

    fn ask(&mut self, core: &Core) {
        if std::mem::take(&mut self.counts_stale) || !self.counted_once {
            self.counted_once = true;
            self.counts.refresh(|| core.call(CountTasks {}));
        }
        if self.seen && !self.counts.is_waiting() && self.agents.is_untouched() {
            self.agents_stale = true;
        }
        if std::mem::take(&mut self.agents_stale) {
            self.agents.refresh(|| core.call(ListAgents { filter: AgentFilter::default() }));
        }
        if self.board_stale && self.board.is_none() && self.choice.shape == Shape::Board {
            self.board_stale = false;
            self.asked = Some((self.choice.clone(), self.per_column()));
            let request = GetBoard { filter: self.choice.filter(), per_column: self.per_column() };
            self.board = Some(core.call(request));
        }
        if self.more.is_none()
            && let Some(page) = self.needed.take()
        {
            self.asked = Some((self.choice.clone(), self.per_column()));
            let request = ListTasks {
                filter: self.choice.filter(),
                sort: self.choice.sort,
                page: PageRequest { offset: page * u64::from(PAGE), limit: PAGE },
            };
            self.more = Some((page, self.choice.clone(), core.call(request)));
        }
        if let Some(id) = self.chosen
            && std::mem::take(&mut self.detail_stale)
        {
            self.detail.refresh(|| core.call(GetTask { id }));
        }
        if let Some(text) = self.others_due.take() {
            let filter = TaskFilter { text, ..TaskFilter::default() };
            let page = PageRequest { offset: 0, limit: 8 };
            self.others.ask(core.call(ListTasks { filter, sort: TaskSort::Updated, page }));
        }
    }

    fn take_replies(&mut self) {
        self.counts.poll();
        self.counts_stale |= self.counts.take_stale();
        self.agents.poll();
        self.agents_stale |= self.agents.take_stale();
        self.others.poll();
        if self.detail.poll() {
            self.show_newest_run();
        }
        self.detail_stale |= self.detail.take_stale();
        if let Some(reply) = self.board.as_mut().and_then(Pending::poll_now) {
            self.board = None;
            match reply {
                Ok(board) => {
                    self.error = None;
                    match &mut self.cards {
                        Some(cards) => cards.renew(board),
                        None => self.cards = Some(Cards::new(board)),
                    }
                }
                Err(error) => self.error = Some(error),
            }
        }
        if let Some((page, choice, pending)) = &mut self.more
            && let Some(reply) = pending.poll_now()
        {
            let (page, same) = (*page, choice.filter() == self.choice.filter() && choice.sort == self.choice.sort);
            self.more = None;
            match reply {
                Ok(found) if same => {
                    self.error = None;
                    self.rows.get_or_insert_default().put(page, found);
                }
                Ok(_) => {}
                Err(error) => self.error = Some(error),
            }
        }
    }

    /// The newest attempt is stepped through, unless the person chose one.
    fn show_newest_run(&mut self) {
        let newest = self.detail.get().and_then(|detail| detail.runs.last()).map(|run| run.id);
        if !self.run_chosen {
            self.stepping.choose(newest);
        }
    }

    /// A state that shows these: for tests.
    #[cfg(test)]
    pub fn showing(choice: TasksChoice, cards: Option<Cards>, rows: Option<ListPage<Task>>) -> Self {
        let rows = rows.map(|page| {
            let mut rows = Rows::default();
            rows.put(0, page);
            rows
        });
        Self { seen: true, asked: Some((choice.clone(), FIRST_CARDS)), choice, cards, rows, ..Self::default() }
    }

    #[cfg(test)]
    pub fn with_detail(mut self, detail: TaskDetail) -> Self {
        self.chosen = Some(detail.task.id);
        self.detail = Slot::with(detail);
        self.show_newest_run();
        self
    }
}

impl PageState for TasksState {
    fn opened(&mut self) {
        self.all_stale();
        self.agents_stale = true;
        self.seen = false;
        self.asked = None;
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::TaskChanged { task } => self.changed(task),
            Event::TasksChanged => self.all_stale(),
            Event::RunStepped { run, task, step } => {
                self.stepping.stepped(*run, step);
                // A new attempt.
                let known = self.detail.get().is_some_and(|detail| detail.runs.iter().any(|known| known.id == *run));
                if task.is_some() && *task == self.chosen && !known {
                    self.detail_stale = true;
                }
            }
            Event::RunText { run, text, .. } => self.stepping.said(*run, text),
            Event::AgentsChanged | Event::AgentStatusChanged { .. } if self.seen => self.agents_stale = true,
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.take_replies();
        self.stepping.poll(core);
        if let Some(core) = core {
            self.ask(core);
        }
    }
}
