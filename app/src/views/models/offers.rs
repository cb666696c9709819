//! What suits this machine and what the catalogue has, each with its size and need.

use egui::{Align, Layout, Ui};
use rspa_core::model::{CatalogueModel, Hardware};

use crate::commands::consent;
use crate::design::{Icon, Type, UiExt};
use crate::text::{bytes, tr, tr_with};
use crate::views::Cx;
use crate::widgets::{Button, Chip, Tone, card, section_title, states};

/// The recommended model for this machine, with the reason.
pub fn recommendation(ui: &mut Ui, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let state = cx.state;
    section_title(ui, tr("models.recommended"));
    ui.add_space(tokens.space.xs);
    let Some(found) = state.models.recommendation.get() else {
        let words = state.models.recommendation.error().map_or(tr("models.looking"), |error| &error.message);
        ui.label(tokens.rich(Type::Secondary, words));
        return;
    };
    card(ui, |ui| {
        ui.take_available_width();
        ui.label(tokens.rich(Type::Label, hardware(&found.hardware)));
        ui.add_space(tokens.space.xs);
        match &found.model {
            Some(model) => offer(ui, model, cx),
            None => states::banner(ui, Tone::Neutral, Icon::Info, tr("models.no_recommendation")),
        }
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, &found.reason)).wrap());
    });
}

/// The whole catalogue, folded away until it is wanted.
pub fn catalogue(ui: &mut Ui, cx: &mut Cx<'_>, open: &mut bool) {
    let tokens = ui.tokens();
    let state = cx.state;
    let Some(all) = state.models.catalogue.get().filter(|all| !all.is_empty()) else { return };
    let icon = if *open { Icon::CaretDown } else { Icon::CaretRight };
    let label = tr_with("models.catalogue", &[("n", &all.len())]);
    if ui.add(Button::new(label).icon(icon).quiet()).clicked() {
        *open = !*open;
    }
    if *open {
        ui.add_space(tokens.space.xs);
        for model in all {
            card(ui, |ui| {
                ui.take_available_width();
                offer(ui, model, cx);
            });
            ui.add_space(tokens.space.s);
        }
    }
}

/// A model that can be downloaded: name, need, and a button that asks first.
pub fn offer(ui: &mut Ui, model: &CatalogueModel, cx: &mut Cx<'_>) {
    let tokens = ui.tokens();
    let installed = cx
        .state
        .models
        .list
        .get()
        .is_some_and(|list| list.models.iter().any(|m| m.id.0.eq_ignore_ascii_case(&model.id)));
    ui.horizontal(|ui| {
        ui.label(tokens.rich(Type::Strong, &model.name));
        ui.label(tokens.rich(Type::Label, &model.quantisation));
        if model.demonstration {
            ui.add(Chip::new(tr("models.demonstration")).tone(Tone::Warn));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if installed {
                ui.add(Chip::new(tr("models.installed")).tone(Tone::Ok));
            } else {
                let label = tr_with("models.download", &[("size", &bytes(consent::size(model)))]);
                let button = Button::new(label).icon(Icon::DownloadSimple);
                if ui.add(button).clicked()
                    && let Some(question) = consent::question(model)
                {
                    cx.commands.push(question);
                }
            }
        });
    });
    let need = tr_with("models.need", &[("memory", &bytes(model.memory_bytes)), ("license", &model.license)]);
    ui.label(tokens.rich(Type::Secondary, need));
    ui.add(egui::Label::new(tokens.rich(Type::Secondary, &model.summary)).wrap());
}

/// "8 cores · AVX2 · 23 GB memory".
pub fn hardware(hardware: &Hardware) -> String {
    let mut parts = vec![hardware.cpu.clone(), tr_with("models.cores", &[("n", &hardware.cores)])];
    parts.push(tr_with("models.memory", &[("n", &bytes(hardware.memory_bytes))]));
    parts.extend(hardware.accelerators.iter().cloned());
    parts.retain(|part| !part.is_empty());
    parts.join("  ·  ")
}
