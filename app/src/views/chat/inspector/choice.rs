//! Which model answered and why, and what was tried before it.

use egui::Ui;
use rspa_core::model::Message;

use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};
use crate::views::chat::message::{is_embedded, model_name};
use crate::widgets::{Chip, Tone, hairline, section_title};

pub fn ui(ui: &mut Ui, answer: &Message) {
    let Some(choice) = &answer.choice else { return };
    let tokens = ui.tokens();
    section_title(ui, tr("chat.choice.title"));
    ui.add_space(tokens.space.xs);
    ui.horizontal_wrapped(|ui| {
        ui.add(egui::Label::new(tokens.rich(Type::Body, model_name(answer))).truncate());
        let embedded = is_embedded(choice);
        let chip = match embedded {
            true => Chip::new(tr("chat.choice.here")).icon(Icon::Cpu).tone(Tone::Ok),
            false => Chip::new(choice.provider.as_str()).icon(Icon::PlugsConnected),
        };
        ui.add(chip);
        if choice.cached {
            ui.add(Chip::new(tr("chat.choice.cached")).icon(Icon::Lightning).tone(Tone::Ok));
        }
    });
    if !choice.reason.is_empty() {
        let reason = tr_with("chat.choice.reason", &[("reason", &choice.reason)]);
        ui.add(egui::Label::new(tokens.rich(Type::Secondary, reason)).wrap());
    }
    if !choice.tried.is_empty() {
        ui.add_space(tokens.space.xs);
        ui.label(tokens.rich(Type::Strong, tr("chat.choice.tried_title")));
        for tried in &choice.tried {
            let words = tr_with("chat.choice.tried_one", &[("model", &tried.model), ("why", &tried.why)]);
            ui.add(egui::Label::new(tokens.rich(Type::Secondary, words).color(tokens.color.warn)).wrap());
        }
    }
    ui.add_space(tokens.space.s);
    hairline(ui);
    ui.add_space(tokens.space.m);
}
