//! Copies of your data, and the way back to an earlier minute.

use egui::Ui;

use super::{Cx, View};
use crate::text::tr;
use crate::widgets::page_header;

#[derive(Default)]
pub struct BackupsView {}

impl View for BackupsView {
    fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        page_header(ui, tr("page.backups"), |_ui| {});
    }
}
