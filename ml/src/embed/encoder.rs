//! BERT-family sentence encoders (safetensors + tokenizer.json) through candle.

use std::path::Path;

use super::Embedder;
use crate::{Cancel, Result};

pub struct Encoder {}

impl Encoder {
    /// Loads a folder with `config.json`, `model.safetensors` and `tokenizer.json`.
    pub fn load(folder: &Path) -> Result<Self> {
        let _ = folder;
        Err(crate::Error::WorkerGone)
    }
}

impl Embedder for Encoder {
    fn id(&self) -> &str {
        ""
    }
    fn dimensions(&self) -> usize {
        384
    }
    fn embed(&self, _texts: &[&str], _cancel: &Cancel) -> Result<Vec<Vec<f32>>> {
        Err(crate::Error::WorkerGone)
    }
}
