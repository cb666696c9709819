//! Keys of services, where they lie, when they were tested.

use egui::Ui;

use super::{Cx, View};
use crate::text::tr;
use crate::widgets::page_header;

#[derive(Default)]
pub struct CredentialsView {}

impl View for CredentialsView {
    fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        page_header(ui, tr("page.credentials"), |_ui| {});
    }
}
