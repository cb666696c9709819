//! What the page "Crews" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct CrewsState;

impl PageState for CrewsState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
