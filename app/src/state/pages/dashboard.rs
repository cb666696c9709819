//! What the page "Dashboard" reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct DashboardState {}

impl PageState for DashboardState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
