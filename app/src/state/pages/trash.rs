//! What the page "Trash" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct TrashState {}

impl PageState for TrashState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
