//! All that is known of one activity.

use egui::{Label, ScrollArea, Ui};
use rspa_core::model::Activity;

use crate::commands::UiCommand;
use crate::design::{Icon, Type, UiExt};
use crate::text::{moment, tr};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{Chip, IconButton, activity, column_header, fact};

/// True when it was closed. `alone` when it stands in the place of the list.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, one: &Activity, alone: bool) -> bool {
    let tokens = ui.tokens();
    let mut close = false;
    column_header(ui, tr("activity.detail"), |ui| {
        let button = match alone {
            true => IconButton::new(Icon::ArrowLeft, tr("common.back")),
            false => IconButton::new(Icon::X, tr("common.close")),
        };
        close = ui.add(button).clicked();
        if ui.add(IconButton::new(Icon::Copy, tr("common.copy"))).clicked() {
            cx.commands.push(UiCommand::CopyText(as_text(one)));
        }
    });
    ScrollArea::vertical().id_salt("activity detail").auto_shrink(false).show(ui, |ui| {
        padded(ui, tokens.space.l, tokens.space.l, |ui| {
            ui.add(Label::new(tokens.rich(Type::Title, &one.title)).wrap().selectable(true));
            ui.add_space(tokens.space.s);
            ui.horizontal_wrapped(|ui| {
                let chip = Chip::new(activity::words(&one.kind)).icon(activity::icon(&one.kind));
                ui.add(chip.tone(activity::tone(&one.kind)));
                if let Some(agent) = &one.agent {
                    ui.add(Chip::new(agent.as_str()).icon(Icon::Robot));
                }
            });
            ui.add_space(tokens.space.s);
            ui.label(tokens.rich(Type::Secondary, moment(one.at)));
            if !one.description.is_empty() {
                ui.add_space(tokens.space.m);
                ui.add(Label::new(tokens.rich(Type::Body, &one.description)).wrap().selectable(true));
            }
            if !one.metadata.is_empty() {
                ui.add_space(tokens.space.l);
                ui.spacing_mut().item_spacing.y = 0.0;
                for (name, value) in &one.metadata {
                    fact(ui, &name.replace('_', " "), |ui| {
                        ui.add(Label::new(tokens.rich(Type::Body, value)).wrap().selectable(true));
                    });
                }
            }
        });
    });
    close
}

fn as_text(one: &Activity) -> String {
    let mut text = format!("{}  {}\n{}\n", moment(one.at), one.kind, one.title);
    if !one.description.is_empty() {
        text.push_str(&format!("{}\n", one.description));
    }
    for (name, value) in &one.metadata {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text
}
