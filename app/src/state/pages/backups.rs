//! What the page "Backups" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct BackupsState {}

impl PageState for BackupsState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
