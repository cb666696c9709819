//! A document in a pane of its own, opened at the lines that were cited.

use egui::Ui;

use super::Cx;
use crate::state::DocumentTarget;
use crate::widgets::page_header;

#[derive(Default)]
pub struct DocumentView {}

impl DocumentView {
    pub fn show(&mut self, target: &DocumentTarget, ui: &mut Ui, _cx: &mut Cx<'_>) {
        page_header(ui, &crate::text::path(&target.path), |_| {});
    }
}
