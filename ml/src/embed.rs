//! Text to vectors: the static embedder inside the executable and BERT-family encoders.

pub mod bench;
mod bpe;
pub mod encoder;
#[cfg(test)]
pub(crate) mod fixture;
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

/// Scales to unit length; a zero vector stays zero.
fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
}
