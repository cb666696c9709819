//! What the approval prompts read.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct ApprovalsState {}

impl PageState for ApprovalsState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
