//! The welcome at the first start: choose a folder, see which model answers, go on. Nothing is typed.

use egui::Ui;

use crate::commands::{CommandQueue, PickPurpose, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::state::AppState;
use crate::text::tr;
use crate::widgets::Button;

#[derive(Default)]
pub struct Welcome {}

impl Welcome {
    pub fn ui(&mut self, ui: &mut Ui, _state: &AppState, commands: &mut CommandQueue) {
        let tokens = ui.tokens();
        ui.label(tokens.rich(Type::Heading, tr("welcome.title")));
        if ui.add(Button::new(tr("welcome.choose_folder")).primary().icon(Icon::FolderOpen)).clicked() {
            commands.push(UiCommand::Pick(PickPurpose::FirstFolder));
        }
    }
}
