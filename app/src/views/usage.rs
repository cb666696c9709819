//! The page "Usage".

use egui::Ui;

use super::{Cx, View};
use crate::text::tr;

#[derive(Default)]
pub struct UsageView;

impl View for UsageView {
    fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        ui.label(tr("usage.title"));
    }
}
