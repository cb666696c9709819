//! What the notification centre reads.

use rspa_core::api::{Core, Event};

use super::PageState;

#[derive(Default)]
pub struct NotificationsState {}

impl PageState for NotificationsState {
    fn opened(&mut self) {}

    fn hear(&mut self, _event: &Event) {}

    fn poll(&mut self, _core: Option<&Core>) {}
}
