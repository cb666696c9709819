//! What the page "Tool servers" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct ServersState;

impl PageState for ServersState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
