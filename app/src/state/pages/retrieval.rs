//! What the part "Retrieval tests" of the page "Knowledge" reads.

use rspa_core::api::request::knowledge::ListRetrievalTests;
use rspa_core::api::{Core, Event};
use rspa_core::model::{Passage, RetrievalTest, RetrievalTestId, RetrievalTests};

use super::PageState;
use crate::state::Slot;

#[derive(Default)]
pub struct RetrievalState {
    pub list: Slot<RetrievalTests>,
    open: bool,
    stale: bool,
}

impl RetrievalState {
    /// Whether this passage is saved as the answer to this question.
    pub fn holds(&self, question: &str, passage: &Passage) -> bool {
        let question: Vec<&str> = question.split_whitespace().collect();
        let is_it = |test: &RetrievalTest| {
            let wanted = &test.wanted;
            wanted.path == passage.path
                && (wanted.start_line, wanted.end_line) == (passage.start_line, passage.end_line)
                && test.question.split(' ').eq(question.iter().copied())
        };
        self.list.get().is_some_and(|all| all.tests.iter().any(is_it))
    }

    /// A test that was just saved.
    pub(crate) fn put(&mut self, test: RetrievalTest) {
        if let Some(all) = self.list.get_mut()
            && !all.tests.iter().any(|known| known.id == test.id)
        {
            all.tests.push(test);
        }
    }

    pub(crate) fn forget(&mut self, id: RetrievalTestId) {
        if let Some(all) = self.list.get_mut() {
            all.tests.retain(|test| test.id != id);
        }
    }
}

impl PageState for RetrievalState {
    fn opened(&mut self) {
        self.open = true;
        self.stale = true;
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::RetrievalTestsChanged | Event::ModelsChanged => self.stale = true,
            Event::SettingChanged { entry } => self.stale |= matches!(entry.group.as_str(), "knowledge" | "models"),
            Event::ProfileSwitched { .. } => {
                self.list.clear();
                self.stale = true;
            }
            _ => {}
        }
    }

    fn poll(&mut self, core: Option<&Core>) {
        self.list.poll();
        let Some(core) = core else { return };
        self.stale |= self.list.take_stale();
        if self.open && std::mem::take(&mut self.stale) {
            self.list.refresh(|| core.call(ListRetrievalTests {}));
        }
    }
}
