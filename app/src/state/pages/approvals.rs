//! What the approval prompts read: what waits for the person, what was answered, what is allowed once for all.

use rspa_core::api::request::approvals::{ListApprovalRules, ListApprovals};
use rspa_core::api::{Core, Event};
use rspa_core::model::{Approval, ApprovalId, ApprovalRule, Page as ListPage, PageRequest, TaskId};

use super::PageState;
use crate::state::Slot;

/// Answered ones that are asked for at once.
pub const HISTORY: u32 = 100;
/// Waiting ones that are shown.
const WAITING: u32 = 200;

/// What the panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    #[default]
    Waiting,
    Answered,
    Rules,
}

#[derive(Default)]
pub struct ApprovalsState {
    /// Oldest first.
    pub waiting: Slot<ListPage<Approval>>,
    /// Newest first.
    pub history: Slot<ListPage<Approval>>,
    pub rules: Slot<Vec<ApprovalRule>>,
    pub open: bool,
    pub part: Part,
    /// The one that is shown whole; none takes the oldest.
    pub shown: Option<ApprovalId>,
    /// Answered by the person; core has not confirmed it yet.
    answered: Vec<ApprovalId>,
    history_limit: u32,
    asked_once: bool,
    waiting_stale: bool,
    history_stale: bool,
    rules_stale: bool,
}

impl ApprovalsState {
    /// Those that wait for the person's word, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = &Approval> {
        let all = self.waiting.get().map_or(&[][..], |page| page.items.as_slice());
        all.iter().filter(|approval| !self.answered.contains(&approval.id))
    }

    pub fn of_task(&self, task: TaskId) -> Option<&Approval> {
        self.waiting().find(|approval| approval.task == Some(task))
    }

    /// The one that the panel shows whole.
    pub fn current(&self) -> Option<&Approval> {
        self.waiting().find(|approval| Some(approval.id) == self.shown).or_else(|| self.waiting().next())
    }

    pub(crate) fn answer_sent(&mut self, id: ApprovalId) {
        self.answered.push(id);
    }

    /// Core did not take the answer: it waits again.
    pub(crate) fn answer_failed(&mut self, id: ApprovalId) {
        self.answered.retain(|known| *known != id);
        self.waiting_stale = true;
    }

    pub(crate) fn turn(&mut self, part: Part) {
        self.part = part;
        self.history_stale |= part == Part::Answered;
        self.rules_stale |= part == Part::Rules;
    }

    pub(crate) fn older(&mut self) {
        self.history_limit = self.history_limit.max(HISTORY).saturating_add(HISTORY).min(5_000);
        self.history_stale = true;
    }

    pub(crate) fn ended(&mut self, approval: &Approval) {
        self.answered.retain(|known| *known != approval.id);
        if let Some(page) = self.waiting.get_mut() {
            page.items.retain(|known| known.id != approval.id);
            page.total = page.total.saturating_sub(1);
        }
        // It may be among those that are on their way.
        self.waiting_stale |= self.waiting.is_waiting();
        if self.open {
            self.history_stale = true;
            self.rules_stale = true;
        }
    }
}

impl PageState for ApprovalsState {
    fn opened(&mut self) {
        self.waiting_stale = true;
        self.history_stale = true;
        self.rules_stale = true;
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::ApprovalAsked { approval } => match self.waiting.get_mut() {
                Some(page) => {
                    if page.items.iter().all(|known| known.id != approval.id) {
                        page.items.push((**approval).clone());
                        page.total += 1;
                    }
                }
                None => {
                    self.waiting.set(ListPage { items: vec![(**approval).clone()], total: 1, offset: 0 });
                    self.waiting_stale = true;
                }
            },
            Event::ApprovalEnded { approval } => self.ended(approval),
            Event::AgentsChanged if self.open => self.rules_stale = true,
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.waiting.poll();
        self.waiting_stale |= self.waiting.take_stale();
        self.history.poll();
        self.history_stale |= self.history.take_stale();
        self.rules.poll();
        self.rules_stale |= self.rules.take_stale();
        let Some(core) = core else { return };
        let list = |waiting, limit| ListApprovals { waiting, task: None, page: PageRequest { offset: 0, limit } };
        if std::mem::take(&mut self.waiting_stale) || !self.asked_once {
            self.asked_once = true;
            self.waiting.refresh(|| core.call(list(true, WAITING)));
        }
        if self.open && self.part == Part::Answered && std::mem::take(&mut self.history_stale) {
            let limit = self.history_limit.max(HISTORY);
            self.history.refresh(|| core.call(list(false, limit)));
        }
        if self.open && self.part == Part::Rules && std::mem::take(&mut self.rules_stale) {
            self.rules.refresh(|| core.call(ListApprovalRules {}));
        }
    }
}
