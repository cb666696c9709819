//! Activations in 8 bits: per block of 32 values a scale, the codes, and their sum.

use super::BLOCK;

/// Rows of activations, each `columns` long, quantised symmetrically (GGML's Q8_1 with scales in f32).
pub struct Activations {
    pub(super) count: usize,
    pub(super) columns: usize,
    /// `[count, columns]`
    pub(super) codes: Vec<i8>,
    /// `[count, columns / 32]`
    pub(super) scales: Vec<f32>,
    /// `[count, columns / 32]`: the sum of the block's codes.
    pub(super) sums: Vec<i32>,
}

impl Activations {
    /// `values` is `[count, columns]`; `columns` must be a multiple of 32.
    pub fn quantise(values: &[f32], columns: usize) -> Self {
        assert!(columns > 0 && columns.is_multiple_of(BLOCK), "rows are whole blocks");
        assert!(values.len().is_multiple_of(columns), "values are whole rows");
        let blocks = values.len() / BLOCK;
        let mut codes = vec![0i8; values.len()];
        let mut scales = Vec::with_capacity(blocks);
        let mut sums = Vec::with_capacity(blocks);
        for (values, codes) in values.chunks_exact(BLOCK).zip(codes.chunks_exact_mut(BLOCK)) {
            let greatest = values.iter().fold(0f32, |greatest, value| greatest.max(value.abs()));
            let scale = greatest / 127.0;
            let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
            let mut sum = 0;
            for (value, code) in values.iter().zip(codes) {
                // `as` saturates and turns NaN into 0.
                *code = round_half_away(value * inverse) as i8;
                sum += i32::from(*code);
            }
            scales.push(scale);
            sums.push(sum);
        }
        Self { count: values.len() / columns, columns, codes, scales, sums }
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// As `f32::round`, but in operations that become vector instructions; exact for small magnitudes.
fn round_half_away(value: f32) -> f32 {
    (value.abs() + 0.5).trunc().copysign(value)
}
