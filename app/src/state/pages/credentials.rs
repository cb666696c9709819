//! What the page "Credentials" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct CredentialsState {}

impl PageState for CredentialsState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
