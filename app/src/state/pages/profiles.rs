//! What the page "Profiles & network" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct ProfilesState {}

impl PageState for ProfilesState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
