//! A chat without messages: what can be done now, given what is there.

use egui::Ui;

use crate::commands::Action;
use crate::design::{Icon, UiExt};
use crate::state::{AppState, Page};
use crate::text::tr;
use crate::views::chat::Deed;
use crate::widgets::{Button, states};

pub fn ui(ui: &mut Ui, state: &AppState, deeds: &mut Vec<Deed>) {
    if let Some(slot) = state.chats.open.and_then(|chat| state.chats.messages.get(&chat)) {
        if let Some(error) = slot.error() {
            states::error(ui, error);
            return;
        }
        if slot.get().is_none() {
            states::loading(ui, tr("chat.loading"));
            return;
        }
    }
    let Some(sources) = state.knowledge.sources.get() else {
        states::loading(ui, tr("chat.loading"));
        return;
    };
    if state.has_no_sources() {
        states::empty(ui, Icon::ChatCircleText, tr("chat.empty.title"), tr("chat.empty.no_sources"), |ui| {
            if ui.add(Button::new(tr("chat.empty.folder")).primary().icon(Icon::FolderPlus)).clicked() {
                deeds.push(Deed::Run(Action::AddFolder));
            }
            ui.add_space(ui.tokens().space.xs);
            if ui.add(Button::new(tr("chat.empty.sample")).icon(Icon::Package)).clicked() {
                deeds.push(Deed::Run(Action::AddSample));
            }
        });
        return;
    }
    let sample = sources.iter().any(|status| status.source.sample);
    let detail = if sample { tr("chat.empty.sample_there") } else { tr("chat.empty.detail") };
    states::empty(ui, Icon::ChatCircleText, tr("chat.empty.title"), detail, |ui| {
        if sample {
            for text in [tr("chat.suggest.one"), tr("chat.suggest.two"), tr("chat.suggest.three")] {
                if ui.add(Button::new(text).icon(Icon::Question)).clicked() {
                    deeds.push(Deed::Suggest(text));
                }
                ui.add_space(ui.tokens().space.xs);
            }
        } else if ui.add(Button::new(tr("chat.empty.search")).icon(Icon::MagnifyingGlass)).clicked() {
            deeds.push(Deed::Page(Page::Knowledge));
        }
        if state.models.list.get().is_some() && state.chat_model().is_none() {
            let models = Button::new(tr("chat.empty.models")).primary().icon(Icon::Cpu);
            if ui.add(models).clicked() {
                deeds.push(Deed::Page(Page::Models));
            }
        }
    });
}
