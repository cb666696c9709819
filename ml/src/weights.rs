//! Model files: what they are, reading them, importing them into the model folder, and the catalogue.

pub mod catalogue;
pub mod gguf;
pub mod import;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// A language model that chats (GGUF).
    Chat,
    /// A sentence encoder that embeds (safetensors).
    Encoder,
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
    Err(crate::Error::NothingToImport(path.to_owned()))
}

/// All models in these folders (one level deep: files and model folders), and what could not be read.
pub fn discover(folders: &[PathBuf]) -> (Vec<ModelInfo>, Vec<(PathBuf, crate::Error)>) {
    let _ = folders;
    (Vec::new(), Vec::new())
}
