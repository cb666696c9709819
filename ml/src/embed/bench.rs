//! Measures an embedder: texts per second over given texts.

use std::time::Instant;

use super::Embedder;
use crate::{Cancel, Result};

/// What one measurement gave.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedMeasurement {
    pub texts: usize,
    /// Length of each vector.
    pub dimensions: usize,
    pub seconds: f64,
    pub texts_per_second: f64,
    /// One vector per text, in order.
    pub vectors: Vec<Vec<f32>>,
}

/// Embeds the first 16 texts once so that lazy loading is not measured, then times all of them.
pub fn measure(embedder: &dyn Embedder, texts: &[&str], cancel: &Cancel) -> Result<EmbedMeasurement> {
    embedder.embed(&texts[..texts.len().min(16)], cancel)?;
    let start = Instant::now();
    let vectors = embedder.embed(texts, cancel)?;
    let seconds = start.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
    Ok(EmbedMeasurement {
        texts: texts.len(),
        dimensions: embedder.dimensions(),
        seconds,
        texts_per_second: texts.len() as f64 / seconds,
        vectors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::static_embedder::StaticEmbedder;

    #[test]
    fn a_measurement_holds_one_vector_per_text_and_a_rate() {
        let embedder = StaticEmbedder::built_in().unwrap();
        let measured = measure(&embedder, &["one", "two", "three"], &Cancel::new()).unwrap();
        assert_eq!((measured.texts, measured.dimensions, measured.vectors.len()), (3, 256, 3));
        assert!((measured.texts_per_second * measured.seconds - 3.0).abs() < 1e-6);
    }
}
