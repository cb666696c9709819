//! One installed model: what it is, how fast it was here, and what can be done with it.

use egui::{Align, Layout, Ui};
use rspa_core::model::{InstalledModel, ModelKind};

use crate::commands::{Confirmation, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{bytes, number, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, IconButton, Tone, card};

pub fn row(ui: &mut Ui, model: &InstalledModel, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let info = &model.info;
    card(ui, |ui| {
        ui.take_available_width();
        ui.horizontal(|ui| {
            ui.label(Icon::Cube.rich(tokens.size.icon).color(tokens.color.text_2));
            ui.label(tokens.rich(Type::Strong, &info.name));
            if model.is_default {
                ui.add(Chip::new(tr("models.default")).tone(Tone::Accent));
            }
            if model.loaded {
                ui.add(Chip::new(tr("models.loaded")).tone(Tone::Ok));
            }
            if model.demonstration {
                ui.add(Chip::new(tr("models.demonstration")).tone(Tone::Warn))
                    .on_hover_text(tr("models.demonstration_tip"));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if model.owned {
                    let name = tr_with("models.delete", &[("name", &info.name)]);
                    if ui.add(IconButton::new(Icon::Trash, name)).clicked() {
                        cx.commands.push(UiCommand::Confirm(Confirmation {
                            title: tr_with("models.delete_title", &[("name", &info.name)]),
                            consequence: tr_with(
                                "models.delete_text",
                                &[("size", &bytes(info.size_bytes)), ("path", &info.path.display())],
                            ),
                            verb: tr("common.delete").to_owned(),
                            danger: true,
                            then: Box::new(UiCommand::RemoveModel(model.id.clone())),
                        }));
                    }
                }
                if !model.is_default && ui.add(Button::new(tr("models.make_default")).quiet()).clicked() {
                    cx.commands.push(UiCommand::SetDefaultModel(model.id.clone()));
                }
            });
        });
        let mut facts = vec![info.quantisation.clone(), parameters(info.parameters), bytes(info.size_bytes)];
        facts.push(tr_with("models.context", &[("n", &number(info.context_length as u64))]));
        if let Some(speed) = model.measured_tok_s {
            facts.push(tr_with("models.speed", &[("n", &format!("{speed:.1}"))]));
        }
        if let Some(license) = &info.license {
            facts.push(license.clone());
        }
        if info.kind == ModelKind::Chat && !info.has_chat_template {
            facts.push(tr("models.no_template").to_owned());
        }
        facts.retain(|fact| !fact.is_empty());
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, facts.join("  ·  "))).truncate());
        let place = crate::text::path(&info.path);
        ui.add(egui::Label::new(tokens.rich(Type::Label, place)).truncate());
    });
    ui.add_space(tokens.space.s);
}

/// 135 M, 1.7 B parameters.
fn parameters(n: u64) -> String {
    match n {
        0 => String::new(),
        n if n < 1_000_000_000 => tr_with("models.parameters", &[("n", &format!("{:.0} M", n as f64 / 1e6))]),
        n => tr_with("models.parameters", &[("n", &format!("{:.1} B", n as f64 / 1e9))]),
    }
}
