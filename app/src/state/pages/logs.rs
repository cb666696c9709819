//! What the page "Logs" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct LogsState {}

impl PageState for LogsState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
