//! What the page "Tasks" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct TasksState {}

impl PageState for TasksState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
