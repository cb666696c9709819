//! The models that the program can name and fetch: addresses, sizes and checksums, as data.

use serde::{Deserialize, Serialize};

use super::ModelKind;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogueFile {
    pub name: String,
    pub url: String,
    pub size_bytes: u64,
    /// Lower-case hex; empty where it is not known, then only the size is checked and the person is told so.
    #[serde(default)]
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogueModel {
    pub id: String,
    pub name: String,
    pub kind: ModelKind,
    pub family: String,
    pub quantisation: String,
    pub license: String,
    pub context_length: usize,
    /// Memory to run it with an 8k context, in bytes.
    pub memory_bytes: u64,
    /// True for models that show that it works, not what it can do.
    #[serde(default)]
    pub demonstration: bool,
    /// One sentence: what it is good for.
    pub summary: String,
    pub files: Vec<CatalogueFile>,
}

/// The catalogue inside the executable (`assets/models.json`).
pub fn built_in() -> Vec<CatalogueModel> {
    Vec::new()
}
