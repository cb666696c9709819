//! The line below the text: attach, where to search, who answers, how full the context would be, Send or Stop.

use egui::{Align, Layout, PopupCloseBehavior, Ui};
use rspa_core::model::{MessageId, ModelId};

use super::{Composer, Scope};
use crate::commands::pages::chats::ChatsCommand;
use crate::commands::{PickPurpose, UiCommand};
use crate::design::{Icon, UiExt};
use crate::state::AppState;
use crate::text::{tr, tr_count, tr_with};
use crate::views::Cx;
use crate::views::chat::choosing;
use crate::views::chat::thread::short_model;
use crate::widgets::{Button, Chip, IconButton, Tone};

impl Composer {
    /// Whether Send, and whether the meter was pressed.
    pub(super) fn bar(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, running: &[MessageId]) -> (bool, bool) {
        let tokens = ui.tokens();
        let (mut sent, mut shown) = (false, false);
        let size = egui::vec2(ui.available_width(), tokens.size.control);
        ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = tokens.space.s;
            if running.is_empty() {
                let ready = !self.text.trim().is_empty() && !cx.state.chats.sending;
                let button = Button::new(tr("chat.send")).primary().icon(Icon::ArrowUp).enabled(ready);
                sent = ui.add(button.tooltip(tr("chat.send_tip"))).clicked();
            } else if ui.add(Button::new(tr("chat.stop")).icon(Icon::Stop)).clicked() {
                running.iter().for_each(|answer| cx.commands.push(UiCommand::StopAnswer(*answer)));
            }
            if ui.available_width() > tokens.size.list * 1.25 {
                let context = self.answering(cx.state).and_then(|choice| choice.context);
                shown = self.meter.ui(ui, cx.state, &self.text, context);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = tokens.space.xs;
                attach(ui, cx);
                self.scope_chip(ui, cx.state);
                if ui.available_width() > tokens.size.list / 3.0 {
                    self.model_chip(ui, cx);
                }
                if ui.available_width() > tokens.size.control {
                    self.beside_chip(ui, cx);
                }
            });
        });
        (sent, shown)
    }

    fn scope_chip(&mut self, ui: &mut Ui, state: &AppState) {
        let sources = state.knowledge.sources.get().map_or(&[][..], Vec::as_slice);
        let label = match &self.scope {
            Scope::All => tr("chat.scope.all").to_owned(),
            Scope::Nothing => tr("chat.scope.none").to_owned(),
            Scope::Some(chosen) => match chosen.as_slice() {
                [one] => sources
                    .iter()
                    .find(|status| status.source.id == *one)
                    .map_or_else(|| tr_count("chat.scope.some", 1), |status| status.source.name.clone()),
                chosen => tr_count("chat.scope.some", chosen.len() as u64),
            },
        };
        let tone = match self.scope {
            Scope::All => Tone::Neutral,
            Scope::Some(_) => Tone::Accent,
            Scope::Nothing => Tone::Warn,
        };
        let chip = ui.add(Chip::new(label).icon(Icon::Books).tone(tone).selectable(false));
        let chip = chip.on_hover_text(tr("chat.scope.tip"));
        let menu = crate::widgets::menu(&chip).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        menu.width(ui.tokens().size.list).show(|ui| {
            if ui.radio(self.scope == Scope::All, tr("chat.scope.all")).clicked() {
                self.scope = Scope::All;
                ui.close();
            }
            if ui.radio(self.scope == Scope::Nothing, tr("chat.scope.none")).clicked() {
                self.scope = Scope::Nothing;
                ui.close();
            }
            if sources.is_empty() {
                return;
            }
            ui.separator();
            let mut chosen = match &self.scope {
                Scope::Some(chosen) => chosen.clone(),
                _ => Vec::new(),
            };
            for status in sources {
                let source = status.source.id;
                let mut on = chosen.contains(&source);
                if ui.checkbox(&mut on, &status.source.name).changed() {
                    chosen.retain(|one| *one != source);
                    if on {
                        chosen.push(source);
                    }
                    self.scope = if chosen.is_empty() { Scope::All } else { Scope::Some(chosen.clone()) };
                }
            }
        });
    }

    fn model_chip(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let default = cx.state.chat_model().map(|model| model.info.name.clone());
        let Some(answering) = self.answering(cx.state) else {
            // Without a model of its own, the program can still ask a provider's.
            self.model_menu(ui, cx, Chip::new(tr("chat.no_model")).icon(Icon::Cpu), default);
            return;
        };
        let icon = if answering.provider.is_some() { Icon::PlugsConnected } else { Icon::Cpu };
        self.model_menu(ui, cx, Chip::new(short_model(&answering.name)).icon(icon), default);
    }

    fn model_menu(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, chip: Chip<'_>, default: Option<String>) {
        let chip = ui.add(chip.selectable(false)).on_hover_text(tr("chat.model_tip"));
        crate::widgets::menu(&chip).width(ui.tokens().size.list).show(|ui| {
            let automatic = match &default {
                Some(name) => tr_with("chat.models.automatic", &[("model", name)]),
                None => tr("chat.models.automatic_plain").to_owned(),
            };
            if ui.selectable_label(self.model.is_none(), automatic).clicked() {
                self.model = None;
            }
            if let Some(model) = list(ui, cx, self.model.as_ref()) {
                self.model = Some(model);
            }
        });
    }

    /// The second model, which answers side by side.
    fn beside_chip(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let response = match &self.beside {
            Some(id) => {
                let name = short_model(&choosing::find(cx.state, id).name);
                ui.add(Chip::new(name).icon(Icon::Columns).tone(Tone::Accent).selectable(true))
            }
            None => ui.add(IconButton::new(Icon::Columns, tr("chat.beside.name"))),
        };
        let response = response.on_hover_text(tr("chat.beside.tip"));
        crate::widgets::menu(&response).width(ui.tokens().size.list).show(|ui| {
            if ui.selectable_label(self.beside.is_none(), tr("chat.beside.none")).clicked() {
                self.beside = None;
            }
            if let Some(model) = list(ui, cx, self.beside.as_ref()) {
                self.beside = Some(model);
            }
        });
    }
}

fn list(ui: &mut Ui, cx: &mut Cx<'_>, chosen: Option<&ModelId>) -> Option<ModelId> {
    let mut wanted = false;
    let picked = choosing::entries(ui, cx.state, chosen, &mut wanted);
    if wanted {
        cx.commands.push(UiCommand::Chats(ChatsCommand::ListModels));
    }
    picked
}

fn attach(ui: &mut Ui, cx: &mut Cx<'_>) {
    let button = ui.add(IconButton::new(Icon::Paperclip, tr("chat.attach.name")));
    crate::widgets::menu(&button).show(|ui| {
        if ui.button(tr("chat.attach.file")).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::AttachFile));
        }
        if ui.button(tr("chat.attach.folder")).clicked() {
            cx.commands.push(UiCommand::Pick(PickPurpose::AttachFolder));
        }
        ui.separator();
        choosing::note(ui, tr("chat.attach.note"));
    });
}
