//! What the page "Activity" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct ActivityState {}

impl PageState for ActivityState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
