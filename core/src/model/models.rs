//! Installed models, the catalogue, and what fits this machine.

pub use rspa_ml::device::Hardware;
pub use rspa_ml::weights::catalogue::{CatalogueFile, CatalogueModel};
pub use rspa_ml::weights::{ModelInfo, ModelKind};
use serde::{Deserialize, Serialize};

use super::ModelId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstalledModel {
    pub id: ModelId,
    pub info: ModelInfo,
    /// Lies in the program's own model folder, so that it may be removed there.
    pub owned: bool,
    pub is_default: bool,
    /// Shows that it works, not what a model can do.
    pub demonstration: bool,
    pub loaded: bool,
    /// Decode speed last measured on this machine, tokens per second.
    pub measured_tok_s: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelList {
    pub models: Vec<InstalledModel>,
    /// Files that look like models but cannot be used: path and reason.
    pub unusable: Vec<(String, String)>,
    /// Where models are looked for.
    pub folders: Vec<String>,
}

/// What this machine is, and the model that would suit it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    pub hardware: Hardware,
    pub model: Option<CatalogueModel>,
    /// In words, with the figures.
    pub reason: String,
}

/// Hosts that hand out the files of a hub by redirect. Consent to a download from the hub covers them, so every question
/// for it names them too.
pub fn file_servers(host: &str) -> &'static [&'static str] {
    match host {
        "huggingface.co" => &[
            "cas-bridge.xethub.hf.co",
            "cdn-lfs.hf.co",
            "cdn-lfs-us-1.hf.co",
            "cdn-lfs-eu-1.hf.co",
            "cdn-lfs.huggingface.co",
            "transfer.xethub.hf.co",
        ],
        _ => &[],
    }
}
