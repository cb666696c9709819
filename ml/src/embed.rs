//! Text to vectors: the static embedder inside the executable and BERT-family encoders.

pub mod encoder;
pub mod static_embedder;

use crate::{Cancel, Result};

/// Turns texts into unit-length vectors.
pub trait Embedder: Send + Sync {
    /// Names the vector space, with a fingerprint of the weights: vectors of different ids must not be compared.
    fn id(&self) -> &str;

    /// Length of each vector.
    fn dimensions(&self) -> usize;

    /// One vector of [`Embedder::dimensions`] values per text, L2-normalised; a text without any known token gives zeros.
    fn embed(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<Vec<f32>>>;
}
