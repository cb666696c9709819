//! The column of chats: search, new, rename, delete.

use egui::{Id, Key, ScrollArea, Ui};
use rspa_core::model::{ChatId, ChatSummary};

use crate::commands::{Action, CommandQueue, UiCommand};
use crate::design::{Icon, Type, UiExt};
use crate::text::{self, tr};
use crate::views::Cx;
use crate::widgets::column::padded;
use crate::widgets::{IconButton, TextField, TwoLineRow, column_header, states};

#[derive(Default)]
pub struct ChatList {
    /// None while the search field is closed.
    search: Option<String>,
    renaming: Option<(ChatId, String)>,
}

impl ChatList {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let tokens = ui.tokens();
        let searched = self.search.is_some();
        let mut opened = false;
        column_header(ui, tr("chat.list.title"), |ui| {
            if ui.add(IconButton::new(Icon::Plus, Action::NewChat.name())).clicked() {
                cx.commands.push(UiCommand::NewChat);
            }
            let find = IconButton::new(Icon::MagnifyingGlass, tr("chat.list.search")).selected(searched);
            if ui.add(find).clicked() {
                self.search = if searched { None } else { Some(String::new()) };
                opened = !searched;
            }
        });
        if let Some(search) = &mut self.search {
            let id = Id::unique("chat-list-search");
            let left = padded(ui, tokens.space.s, tokens.space.s, |ui| {
                let field = TextField::new(search, tr("chat.list.search")).hint(tr("chat.list.search_hint"));
                let response = field.icon(Icon::MagnifyingGlass).id(id).show(ui);
                if opened {
                    response.request_focus();
                }
                response.has_focus() && ui.input(|i| i.key_pressed(Key::Escape))
            });
            if left {
                self.search = None;
            }
        }
        let Some(chats) = cx.state.chats.list.get() else {
            match cx.state.chats.list.error() {
                Some(error) => {
                    states::error(ui, error);
                }
                None => states::loading(ui, tr("chat.list.loading")),
            }
            return;
        };
        let wanted = self.search.as_deref().unwrap_or_default().to_lowercase();
        let shown: Vec<&ChatSummary> = chats
            .iter()
            .filter(|one| {
                wanted.is_empty()
                    || one.chat.title.to_lowercase().contains(&wanted)
                    || one.preview.to_lowercase().contains(&wanted)
            })
            .collect();
        if shown.is_empty() {
            padded(ui, tokens.space.l, tokens.space.m, |ui| {
                let text = if wanted.is_empty() { tr("chat.list.none") } else { tr("chat.list.nothing_found") };
                ui.add(egui::Label::new(tokens.rich(Type::Secondary, text)).wrap());
            });
            return;
        }
        ScrollArea::vertical().auto_shrink(false).show_rows(ui, tokens.size.row_two_lines, shown.len(), |ui, range| {
            for one in &shown[range] {
                self.row(ui, cx, one);
            }
        });
    }

    fn row(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, one: &ChatSummary) {
        let tokens = ui.tokens();
        let chat = one.chat.id;
        if let Some((_, title)) = self.renaming.as_mut().filter(|(id, _)| *id == chat) {
            let size = egui::vec2(ui.available_width(), tokens.size.row_two_lines);
            let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
            let inner = rect.shrink2(egui::vec2(tokens.space.s, (rect.height() - tokens.size.control) / 2.0));
            let done = ui
                .scope_builder(egui::UiBuilder::new().max_rect(inner), |ui| {
                    let id = Id::unique(("rename", chat.0));
                    let response = TextField::new(title, tr("chat.rename")).id(id).show(ui);
                    if ui.memory(|memory| memory.focused().is_none()) && !response.lost_focus() {
                        response.request_focus();
                    }
                    response.lost_focus()
                })
                .inner;
            if done && let Some((chat, title)) = self.renaming.take() {
                let kept = ui.input(|i| i.key_pressed(Key::Escape)) || title.trim().is_empty();
                if !kept && title.trim() != one.chat.title {
                    cx.commands.push(UiCommand::RenameChat { chat, title: title.trim().to_owned() });
                }
            }
            return;
        }
        let title = title(&one.chat.title);
        let row = TwoLineRow::new(title, without_marks(&one.preview))
            .right(text::ago(one.chat.updated, cx.state.now))
            .selected(cx.state.chats.open == Some(chat));
        let response = ui.push_id(chat.0, |ui| ui.add(row)).inner;
        if response.clicked() {
            cx.commands.push(UiCommand::OpenChat(chat));
        }
        if response.has_focus() {
            if ui.input(|i| i.key_pressed(Key::F2)) {
                self.renaming = Some((chat, one.chat.title.clone()));
            }
            if ui.input(|i| i.key_pressed(Key::Delete)) {
                delete(cx.commands, chat);
            }
        }
        crate::widgets::context_menu(&response).show(|ui| {
            if ui.button(tr("chat.rename")).clicked() {
                self.renaming = Some((chat, one.chat.title.clone()));
            }
            if ui.button(tr("chat.delete")).clicked() {
                delete(cx.commands, chat);
            }
        });
    }
}

/// The first words of an answer without the marks of Markdown, which mean nothing in one line.
fn without_marks(preview: &str) -> String {
    let text = preview.trim_start_matches(['#', '>', '-', ' ']);
    text.chars().filter(|letter| !matches!(letter, '*' | '`')).collect()
}

/// The title, or words for a chat that has none yet.
pub fn title(title: &str) -> &str {
    if title.is_empty() { tr("chat.untitled") } else { title }
}

/// No question first: the notice that follows takes it back.
pub fn delete(commands: &mut CommandQueue, chat: ChatId) {
    commands.push(UiCommand::DeleteChat(chat));
}
