//! Separate worlds, and what may leave this computer from each.

use egui::Ui;

use super::{Cx, View};
use crate::text::tr;
use crate::widgets::page_header;

#[derive(Default)]
pub struct ProfilesView {}

impl View for ProfilesView {
    fn ui(&mut self, ui: &mut Ui, _cx: &mut Cx<'_>) {
        page_header(ui, tr("page.profiles"), |_ui| {});
    }
}
