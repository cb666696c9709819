//! What the page "Schedules" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct SchedulesState {}

impl PageState for SchedulesState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
