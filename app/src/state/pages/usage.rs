//! What the page "Usage" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct UsageState;

impl PageState for UsageState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
