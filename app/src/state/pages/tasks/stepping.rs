//! The attempt that is stepped through: its recorded steps, and what its model says now.

use rspa_core::api::request::runs::GetRunSteps;
use rspa_core::api::{ApiError, Core, Pending};
use rspa_core::model::{Page, PageRequest, RunId, RunStep, StepKind};

/// Steps that are asked for at once, and at most in all.
const AT_ONCE: u32 = 200;
const MOST: usize = 5_000;
/// Bytes of what is being said that are kept: its end.
const LIVE: usize = 32 * 1024;

#[derive(Default)]
pub struct Stepping {
    pub run: Option<RunId>,
    pub steps: Vec<RunStep>,
    /// Of the step that goes on.
    pub live: String,
    pub error: Option<ApiError>,
    /// All steps there are were read once.
    pub read: bool,
    due: bool,
    pending: Option<Pending<Page<RunStep>>>,
}

impl Stepping {
    /// Shows another run; the same one is only read again.
    pub fn choose(&mut self, run: Option<RunId>) {
        if self.run != run {
            *self = Self { run, due: run.is_some(), ..Self::default() };
        }
    }

    pub fn is_waiting(&self) -> bool {
        self.due || self.pending.is_some()
    }

    pub fn again(&mut self) {
        self.due = self.run.is_some();
    }

    pub fn stepped(&mut self, run: RunId, step: &RunStep) {
        if self.run != Some(run) {
            return;
        }
        if matches!(step.kind, StepKind::Model { .. } | StepKind::Answer { .. }) {
            self.live.clear();
        }
        let next = self.steps.len();
        match self.steps.iter_mut().find(|known| known.index == step.index) {
            Some(known) => known.clone_from(step),
            None if step.index as usize == next && next < MOST => self.steps.push(step.clone()),
            // One before it is missing.
            None => self.due = true,
        }
    }

    pub fn said(&mut self, run: RunId, text: &str) {
        if self.run != Some(run) {
            return;
        }
        self.live.push_str(text);
        if self.live.len() > LIVE {
            let mut cut = self.live.len() - LIVE / 2;
            while !self.live.is_char_boundary(cut) {
                cut += 1;
            }
            self.live.drain(..cut);
        }
    }

    pub fn poll(&mut self, core: Option<&Core>) {
        if let Some(reply) = self.pending.as_mut().and_then(Pending::poll_now) {
            self.pending = None;
            match reply {
                Ok(page) => self.take(page),
                Err(error) => self.error = Some(error),
            }
        }
        if self.due
            && self.pending.is_none()
            && let (Some(core), Some(id)) = (core, self.run)
        {
            self.due = false;
            let page = PageRequest { offset: self.first_missing(), limit: AT_ONCE };
            self.pending = Some(core.call(GetRunSteps { id, page }));
        }
    }

    fn first_missing(&self) -> u64 {
        self.steps.iter().zip(0..).take_while(|(step, index)| step.index == *index).count() as u64
    }

    fn take(&mut self, page: Page<RunStep>) {
        self.error = None;
        let got = !page.items.is_empty();
        for step in page.items {
            match self.steps.binary_search_by_key(&step.index, |known| known.index) {
                Ok(at) => self.steps[at] = step,
                Err(at) => self.steps.insert(at, step),
            }
        }
        self.read = true;
        self.due |= got && (self.steps.len() as u64) < page.total && self.steps.len() < MOST;
    }

    #[cfg(test)]
    pub fn showing(run: RunId, steps: Vec<RunStep>) -> Self {
        Self { run: Some(run), steps, read: true, ..Self::default() }
    }
}
