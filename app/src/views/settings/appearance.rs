//! What belongs to the window alone: theme, contrast, motion, zoom.

use egui::Ui;

use super::row::frame;
use crate::commands::Action;
use crate::design::{Icon, Type, UiExt};
use crate::state::persisted::ThemeChoice;
use crate::text::tr;
use crate::views::Cx;
use crate::widgets::{IconButton, section_title, select, toggle};

pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let look = &cx.state.ui;
    section_title(ui, tr("settings.appearance"));
    ui.add_space(tokens.space.xs);
    frame(ui, tr("settings.theme"), tr("settings.theme_text"), |ui| {
        let choices = [
            (ThemeChoice::System, Action::ThemeSystem),
            (ThemeChoice::Dark, Action::ThemeDark),
            (ThemeChoice::Light, Action::ThemeLight),
        ];
        let names: Vec<String> = choices.iter().map(|(_, action)| action.name().to_owned()).collect();
        let chosen = choices.iter().position(|(choice, _)| *choice == look.theme).unwrap_or_default();
        if let Some(picked) = select(ui, tr("settings.theme"), &names, chosen, 180.0) {
            cx.commands.run(choices[picked].1);
        }
    });
    frame(ui, tr("settings.contrast"), tr("settings.contrast_text"), |ui| {
        let mut on = look.high_contrast;
        if toggle(ui, &mut on, tr("settings.contrast")).changed() {
            cx.commands.run(Action::HighContrast);
        }
    });
    frame(ui, tr("settings.motion"), tr("settings.motion_text"), |ui| {
        let mut on = look.reduce_motion;
        if toggle(ui, &mut on, tr("settings.motion")).changed() {
            cx.commands.run(Action::ReduceMotion);
        }
    });
    frame(ui, tr("settings.zoom"), tr("settings.zoom_text"), |ui| {
        if ui.add(IconButton::new(Icon::Plus, Action::ZoomIn.name()).enabled(look.zoom < 2.99)).clicked() {
            cx.commands.run(Action::ZoomIn);
        }
        ui.label(tokens.rich(Type::Body, format!("{:.0} %", look.zoom * 100.0)));
        if ui.add(IconButton::new(Icon::Minus, Action::ZoomOut.name()).enabled(look.zoom > 0.51)).clicked() {
            cx.commands.run(Action::ZoomOut);
        }
    });
    ui.add_space(tokens.space.xl);
}
