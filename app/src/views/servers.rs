//! The page "Tool servers".

use egui::Ui;

use super::{Cx, View};
use crate::text::tr;

#[derive(Default)]
pub struct ServersView;

impl View for ServersView {
    fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        ui.label(tr("servers.title"));
    }
}
