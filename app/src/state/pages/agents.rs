//! What the page "Agents" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct AgentsState {}

impl PageState for AgentsState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
