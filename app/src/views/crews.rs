//! The page "Crews".

use egui::Ui;

use super::{Cx, View};
use crate::text::tr;

#[derive(Default)]
pub struct CrewsView;

impl View for CrewsView {
    fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        ui.label(tr("crews.title"));
    }
}
