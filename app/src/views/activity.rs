//! What happened, filtered by kind, time and text.

use egui::Ui;

use super::{Cx, View};
use crate::text::tr;
use crate::widgets::page_header;

#[derive(Default)]
pub struct ActivityView {}

impl View for ActivityView {
    fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        page_header(ui, tr("page.activity"), |_ui| {});
    }
}
