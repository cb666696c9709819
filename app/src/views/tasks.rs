//! Tasks as a table and as a board, and the one that is chosen.

use egui::Ui;

use super::{Cx, View};
use crate::text::tr;
use crate::widgets::page_header;

#[derive(Default)]
pub struct TasksView {}

impl View for TasksView {
    fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        page_header(ui, tr("page.tasks"), |_| {});
    }
}
