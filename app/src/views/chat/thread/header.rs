//! The line above the messages: the chat's title, where answers are made, and what can be done with the chat.

use egui::{Align, Color32, Id, Layout, ScrollArea, Sense, Ui, vec2};

use super::{Thread, short_model};
use crate::commands::{Action, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{tr, tr_with};
use crate::views::Cx;
use crate::views::chat::choosing::Choice;
use crate::views::chat::{Deed, list};
use crate::widgets::{Chip, IconButton, TextField, Tone, speak_as};

/// What of the page is in view.
#[derive(Clone, Copy)]
pub struct Around {
    /// There is no room for the list of chats.
    pub narrow: bool,
    pub inspector: bool,
    /// There is room for the inspector.
    pub room: bool,
}

impl Thread {
    pub fn header(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        around: Around,
        model: Option<&Choice>,
        deeds: &mut Vec<Deed>,
    ) {
        let tokens = ui.tokens();
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tokens.size.header), Sense::hover());
        crate::widgets::citation::rule(ui, rect);
        let inner = rect.shrink2(vec2(tokens.space.l, 0.0));
        let open = cx.state.chats.open;
        let chats = cx.state.chats.list.get().map_or(&[][..], Vec::as_slice);
        let chat = list::open_chat(cx.state);
        let builder =
            egui::UiBuilder::new().id_salt("header").max_rect(inner).layout(Layout::right_to_left(Align::Center));
        ui.scope_builder(builder, |ui| {
            ui.spacing_mut().item_spacing.x = tokens.space.xs;
            if around.room {
                let name = if around.inspector { tr("chat.inspector.hide") } else { tr("chat.inspector.show") };
                if ui.add(IconButton::new(Icon::SidebarSimple, name)).clicked() {
                    deeds.push(Deed::ToggleInspector);
                }
            }
            if let Some(chat) = chat {
                let more = ui.add(IconButton::new(Icon::DotsThree, tr("chat.more")));
                let wish = crate::widgets::menu(&more).show(|ui| list::chat_menu(ui, cx.state, cx.commands, chat));
                match wish.and_then(|shown| shown.inner) {
                    Some(list::Wish::Rename) => self.renaming = Some(chat.title.clone()),
                    Some(list::Wish::NewFolder) => deeds.push(Deed::NewFolder(chat.id)),
                    None => {}
                }
            }
            if around.narrow {
                let other = ui.add(IconButton::new(Icon::List, tr("chat.list.title")));
                crate::widgets::menu(&other).width(tokens.size.list).show(|ui| {
                    ScrollArea::vertical().max_height(tokens.size.list * 1.5).show(ui, |ui| {
                        for one in chats.iter().take(50) {
                            if ui.selectable_label(Some(one.chat.id) == open, list::title(&one.chat.title)).clicked() {
                                cx.commands.push(UiCommand::OpenChat(one.chat.id));
                                ui.close();
                            }
                        }
                    });
                });
                if ui.add(IconButton::new(Icon::Plus, Action::NewChat.name())).clicked() {
                    cx.commands.push(UiCommand::NewChat);
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = tokens.space.s;
                if let (Some(chat), Some(name)) = (chat, &mut self.renaming) {
                    let id = Id::unique("rename-open-chat");
                    let response = TextField::new(name, tr("chat.rename")).id(id).show(ui);
                    if response.lost_focus() {
                        let kept = ui.input(|i| i.key_pressed(egui::Key::Escape)) || name.trim().is_empty();
                        if !kept && name.trim() != chat.title {
                            let title = name.trim().to_owned();
                            cx.commands.push(UiCommand::RenameChat { chat: chat.id, title });
                        }
                        self.renaming = None;
                    } else if !response.has_focus() {
                        response.request_focus();
                    }
                    return;
                }
                let title = chat.map_or(tr("chat.new"), |chat| list::title(&chat.title));
                let (badge, brief, icon, tone) = badge(model);
                // The chip says where the answer is made: before the title gives way, it leaves out the model's name.
                let natural =
                    ui.painter().layout_no_wrap(title.to_owned(), tokens.font(Type::Title), Color32::WHITE).size().x;
                let free = ui.available_width();
                let whole = Chip::new(badge).icon(icon).tone(tone);
                let chip = if natural + whole.size(ui).x + tokens.space.s > free {
                    Chip::new(brief).icon(icon).tone(tone)
                } else {
                    whole
                };
                let width = chip.size(ui).x + tokens.space.s;
                let fits = free - width >= tokens.size.list / 3.0;
                let room = if fits { free - width } else { free };
                let size = vec2(room.min(natural.ceil() + 1.0), tokens.size.control);
                let left = Layout::left_to_right(Align::Center);
                let shown = ui.allocate_ui_with_layout(size, left, |ui| {
                    ui.add(egui::Label::new(tokens.rich(Type::Title, title)).truncate())
                });
                speak_as(ui, &shown.inner, egui::Role::Heading, title);
                if fits {
                    ui.add(chip);
                }
            });
        });
    }
}

/// Where the answer is made: in many words, in few, and how it looks.
fn badge(model: Option<&Choice>) -> (String, String, Icon, Tone) {
    match model {
        None => (tr("chat.no_model").to_owned(), tr("chat.no_model").to_owned(), Icon::Cpu, Tone::Warn),
        Some(Choice { name, provider: None, .. }) => {
            let name = short_model(name);
            (tr_with("chat.local", &[("model", &name)]), tr("chat.local_short").to_owned(), Icon::Cpu, Tone::Ok)
        }
        Some(Choice { name, provider: Some(provider), .. }) => {
            let name = short_model(name);
            let whole = tr_with("chat.served", &[("provider", provider), ("model", &name)]);
            (whole, provider.clone(), Icon::PlugsConnected, Tone::Neutral)
        }
    }
}
