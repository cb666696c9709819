//! Agents: a list, and the one that is chosen.

use egui::Ui;

use super::{Cx, View};
use crate::text::tr;
use crate::widgets::page_header;

#[derive(Default)]
pub struct AgentsView {}

impl View for AgentsView {
    fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        page_header(ui, tr("page.agents"), |_| {});
    }
}
