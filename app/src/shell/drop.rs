//! Files dropped on the window: models are imported, everything else becomes a source.

use std::path::Path;

use egui::Context;

use crate::commands::{CommandQueue, UiCommand};

pub(super) fn dropped_files(ctx: &Context, commands: &mut CommandQueue) {
    let dropped = ctx.input(|i| i.raw.dropped_files.clone());
    for path in dropped.iter().map(|file| file.path().to_path_buf()) {
        commands.push(if is_model(&path) { UiCommand::ImportModel(path) } else { UiCommand::AddSource(path) });
    }
}

/// What can only be a model, by its name.
fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|e| ["gguf", "whl", "safetensors"].iter().any(|known| e.eq_ignore_ascii_case(known)))
}
