//! What the page "Providers" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct ProvidersState;

impl PageState for ProvidersState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
