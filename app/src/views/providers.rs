//! The page "Providers".

use egui::Ui;

use super::{Cx, View};
use crate::text::tr;

#[derive(Default)]
pub struct ProvidersView;

impl View for ProvidersView {
    fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        ui.label(tr("providers.title"));
    }
}
