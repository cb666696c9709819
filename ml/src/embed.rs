//! Text to vectors: the static embedder inside the executable and BERT-family encoders.

pub mod bench;
mod bert;
mod bpe;
pub mod cross;
pub mod encoder;
#[cfg(test)]
pub(crate) mod fixture;
pub mod static_embedder;
mod tokens;

pub use tokens::{LateInteraction, TokenVectors};

use crate::{Cancel, Result};

/// Turns texts into unit-length vectors.
pub trait Embedder: Send + Sync {
    /// Names the vector space, with a fingerprint of the weights: vectors of different ids must not be compared.
    fn id(&self) -> &str;

    /// Length of each vector.
    fn dimensions(&self) -> usize;

    /// One vector of [`Embedder::dimensions`] values per text, L2-normalised; a text without any known token gives zeros.
    fn embed(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<Vec<f32>>>;

    /// As [`Embedder::embed`], on the calling thread alone where the embedder can: work in the background then yields
    /// with that thread's priority.
    fn embed_on_this_thread(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<Vec<f32>>> {
        self.embed(texts, cancel)
    }

    /// The vectors of each text's tokens, for [`LateInteraction`]; none for a text without any known token. An embedder
    /// that has no vectors of tokens gives the text's own as a single one.
    fn embed_tokens(&self, texts: &[&str], cancel: &Cancel) -> Result<Vec<TokenVectors>> {
        let single = |vector: Vec<f32>| {
            let weights = if vector.iter().any(|&value| value != 0.0) { vec![1.0] } else { Vec::new() };
            let vectors = if weights.is_empty() { Vec::new() } else { vector };
            TokenVectors { dimensions: self.dimensions(), vectors, weights, spans: Vec::new() }
        };
        Ok(self.embed(texts, cancel)?.into_iter().map(single).collect())
    }
}

/// Scales to unit length; a zero vector stays zero. Gives the length that it had.
fn normalise(vector: &mut [f32]) -> f32 {
    // Summed in lanes, which compilers turn into vector instructions.
    let (chunks, rest) = vector.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value * value);
    }
    let rest: f32 = rest.iter().map(|value| value * value).sum();
    let length = (sums.iter().sum::<f32>() + rest).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    length
}
