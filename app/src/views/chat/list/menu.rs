//! What can be done with one chat, as entries of a menu.

use egui::Ui;
use rspa_core::model::{Chat, ChatFormat};

use super::groups::shown;
use crate::commands::pages::chats::ChatsCommand;
use crate::commands::{CommandQueue, Confirmation, PickPurpose, UiCommand};
use crate::state::AppState;
use crate::text::{tr, tr_count, tr_with};

/// What needs a field to type into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Rename,
    /// A new folder for this chat.
    NewFolder,
}

pub fn chat_menu(ui: &mut Ui, state: &AppState, commands: &mut CommandQueue, chat: &Chat) -> Option<Wish> {
    let mut wish = None;
    let mut run = |command| commands.push(UiCommand::Chats(command));
    if ui.button(tr("chat.rename")).clicked() {
        wish = Some(Wish::Rename);
    }
    if ui.button(if chat.pinned { tr("chat.unpin") } else { tr("chat.pin") }).clicked() {
        run(ChatsCommand::Pin { chat: chat.id, pinned: !chat.pinned });
    }
    ui.menu_button(tr("chat.move"), |ui| {
        let folders = state.chats.folders.get().map_or(&[][..], Vec::as_slice);
        egui::ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
            if ui.selectable_label(chat.folder.is_empty(), tr("chat.folder.none")).clicked() {
                run(ChatsCommand::Move { chat: chat.id, folder: String::new() });
            }
            for folder in folders {
                if ui.selectable_label(chat.folder == *folder, shown(folder)).clicked() {
                    run(ChatsCommand::Move { chat: chat.id, folder: folder.clone() });
                }
            }
        });
        ui.separator();
        if ui.button(tr("chat.folder.new")).clicked() {
            wish = Some(Wish::NewFolder);
        }
    });
    ui.separator();
    let export = |format| UiCommand::Pick(PickPurpose::ChatExport(chat.id, format));
    if ui.button(tr("chat.export.markdown")).clicked() {
        commands.push(export(ChatFormat::Markdown));
    }
    if ui.button(tr("chat.export.json")).clicked() {
        commands.push(export(ChatFormat::Json));
    }
    ui.separator();
    if ui.button(tr("chat.delete")).clicked() {
        super::delete(commands, chat.id);
    }
    wish
}

/// Asks first: a folder has no way back, though its chats stay.
pub fn delete_folder(name: &str, chats: usize) -> UiCommand {
    let count = tr_count("chat.list.chats", chats as u64);
    UiCommand::Confirm(Confirmation {
        title: tr_with("chat.folder.delete_title", &[("name", &shown(name))]),
        consequence: tr_with("chat.folder.delete_detail", &[("chats", &count)]),
        verb: tr("chat.folder.delete").to_owned(),
        danger: false,
        then: Box::new(UiCommand::Chats(ChatsCommand::DeleteFolder(name.to_owned()))),
    })
}
