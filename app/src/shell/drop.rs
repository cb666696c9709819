//! Files dropped on the window: models are imported; on the chat everything else comes along with the question, elsewhere
//! it becomes a source.

use std::path::Path;

use egui::Context;
use rspa_core::model::Mentioned;

use crate::commands::pages::chats::ChatsCommand;
use crate::commands::{CommandQueue, UiCommand};
use crate::state::Page;

pub(super) fn dropped_files(ctx: &Context, page: Option<Page>, commands: &mut CommandQueue) {
    let dropped = ctx.input(|i| i.raw.dropped_files.clone());
    let mut attached = Vec::new();
    for path in dropped.iter().map(|file| file.path().to_path_buf()) {
        if is_model(&path) {
            commands.push(UiCommand::ImportModel(path));
        } else if page == Some(Page::Chat) {
            // One look at a path that the person just held in the hand.
            attached.push(if path.is_dir() { Mentioned::Folder { path } } else { Mentioned::File { path } });
        } else {
            commands.push(UiCommand::AddSource(path));
        }
    }
    if !attached.is_empty() {
        commands.push(UiCommand::Chats(ChatsCommand::Attach(attached)));
    }
}

/// What can only be a model, by its name.
fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|e| ["gguf", "whl", "safetensors"].iter().any(|known| e.eq_ignore_ascii_case(known)))
}
