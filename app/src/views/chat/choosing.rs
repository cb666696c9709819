//! The models that may answer, as entries of a menu: those on this computer first, then those of each provider.

use egui::{ScrollArea, Ui};
use rspa_core::model::{ModelId, ModelKind, ProviderModel};

use crate::design::{Type, UiExt};
use crate::state::AppState;
use crate::text::{sentence, tr};

/// Height of the list.
const HIGHEST: f32 = 320.0;

/// A model that may answer, and what people call it.
pub struct Choice {
    pub id: ModelId,
    pub name: String,
    /// None on this computer.
    pub provider: Option<String>,
    /// Tokens that it reads at most.
    pub context: Option<u64>,
}

/// Those inside this program.
pub fn embedded(state: &AppState) -> impl Iterator<Item = Choice> {
    let models = state.models.list.get().map_or(&[][..], |list| list.models.as_slice());
    models.iter().filter(|model| model.info.kind == ModelKind::Chat).map(|model| Choice {
        id: model.id.clone(),
        name: model.info.name.clone(),
        provider: None,
        context: Some(model.info.context_length as u64),
    })
}

fn served(state: &AppState) -> impl Iterator<Item = Choice> {
    let models = state.chats.models.get().map_or(&[][..], Vec::as_slice);
    let chats = |model: &&ProviderModel| model.embeds != Some(true) && !model.id.split().0.is_embedded();
    models.iter().filter(chats).map(|model| Choice {
        id: model.id.clone(),
        name: if model.name.is_empty() { model.id.split().1.to_owned() } else { model.name.clone() },
        provider: Some(model.id.split().0.to_string()),
        context: model.context_length.map(u64::from),
    })
}

/// The model of this id, also when nobody has listed its provider's models.
pub fn find(state: &AppState, id: &ModelId) -> Choice {
    embedded(state).chain(served(state)).find(|choice| choice.id == *id).unwrap_or_else(|| {
        let (provider, name) = id.split();
        let provider = (!provider.is_embedded()).then(|| provider.to_string());
        Choice { id: id.clone(), name: name.to_owned(), provider, context: None }
    })
}

/// Draws the entries; returns the one that is picked. `wanted` becomes true when the lists of providers must be read.
pub fn entries(ui: &mut Ui, state: &AppState, chosen: Option<&ModelId>, wanted: &mut bool) -> Option<ModelId> {
    let mut picked = None;
    *wanted |= state.chats.models.is_untouched();
    ScrollArea::vertical().max_height(HIGHEST).show(ui, |ui| {
        let mut heading = None;
        for choice in embedded(state).chain(served(state)) {
            if heading.as_ref() != Some(&choice.provider) {
                let title = choice.provider.as_deref().unwrap_or(tr("chat.models.here"));
                note(ui, title);
                heading = Some(choice.provider.clone());
            }
            if ui.selectable_label(chosen == Some(&choice.id), &choice.name).clicked() {
                picked = Some(choice.id);
            }
        }
        let slot = &state.chats.models;
        match (slot.error(), slot.is_waiting()) {
            (Some(error), _) => note(ui, &sentence(&error.message)),
            (None, true) if slot.get().is_none() => note(ui, tr("chat.models.reading")),
            _ => {}
        }
    });
    picked
}

/// A line between the entries, as far in as their words.
pub fn note(ui: &mut Ui, words: &str) {
    let tokens = ui.tokens();
    let margin = egui::Margin::symmetric(ui.spacing().button_padding.x as i8, 2);
    egui::Frame::new().inner_margin(margin).show(ui, |ui| {
        ui.add(egui::Label::new(tokens.rich(Type::Label, words)).wrap());
    });
}
