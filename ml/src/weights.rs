//! Model files: what they are, reading them, importing them into the model folder, and the catalogue.

pub mod catalogue;
pub mod gguf;
pub mod import;
mod inspect;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// A language model that chats (GGUF).
    Chat,
    /// A sentence encoder that embeds (safetensors).
    Encoder,
    /// A cross-encoder that says how well a passage answers a question (safetensors).
    Reranker,
}

/// What a model's header says; nothing here needs the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Stable id made from the file or folder name, lower case, `a-z0-9.-_`.
    pub id: String,
    /// Name for people.
    pub name: String,
    pub kind: ModelKind,
    /// `general.architecture` of a GGUF, `model_type` of a config.json.
    pub family: String,
    /// Such as `Q4_1`, `F32`.
    pub quantisation: String,
    /// The .gguf file, or the folder.
    pub path: PathBuf,
    pub size_bytes: u64,
    /// In tokens.
    pub context_length: usize,
    /// Number of weights.
    pub parameters: u64,
    pub license: Option<String>,
    pub has_chat_template: bool,
}

/// Reads the header of a .gguf file, or the configuration of an encoder folder.
pub fn inspect(path: &Path) -> Result<ModelInfo> {
    let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, error))?;
    if metadata.is_dir() {
        inspect::encoder_folder(path)
    } else if has_gguf_name(path) {
        inspect::gguf_file(&gguf::Gguf::open(path)?)
    } else {
        Err(Error::NothingToImport(path.to_owned()))
    }
}

/// All models in these folders (one level deep: files and model folders), and what could not be read. Both are
/// sorted by path; a folder that does not exist holds no models.
pub fn discover(folders: &[PathBuf]) -> (Vec<ModelInfo>, Vec<(PathBuf, Error)>) {
    let mut models = Vec::new();
    let mut failures = Vec::new();
    for folder in folders {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                failures.push((folder.clone(), Error::io(folder, error)));
                continue;
            }
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| is_candidate(path)) {
            match inspect(&path) {
                Ok(info) => models.push(info),
                Err(error) => failures.push((path, error)),
            }
        }
    }
    (models, failures)
}

/// Hidden names are downloads and imports in progress.
fn is_candidate(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    !hidden && if path.is_dir() { path.join("config.json").is_file() } else { has_gguf_name(path) }
}

fn has_gguf_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}
