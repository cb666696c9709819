//! Activations in 8 bits, rounded exactly as GGML rounds them: the same noise gives the same text.

use half::f16;

use super::BLOCK;

/// Rows of activations, each `columns` long, in blocks of 32 (GGML's Q8_0 and Q8_1: scales and scaled sums are f16).
pub struct Activations {
    pub(super) count: usize,
    pub(super) columns: usize,
    /// `[count, columns]`
    pub(super) codes: Vec<i8>,
    /// `[count, columns / 32]`
    pub(super) scales: Vec<f32>,
    /// `[count, columns / 32]`: the sum of the block's codes.
    pub(super) sums: Vec<i32>,
    /// `[count, columns / 32]`: the sum of the block's values.
    pub(super) totals: Vec<f32>,
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
        let mut totals = Vec::with_capacity(blocks);
        for (values, codes) in values.chunks_exact(BLOCK).zip(codes.chunks_exact_mut(BLOCK)) {
            let greatest = values.iter().fold(0f32, |greatest, value| greatest.max(value.abs()));
            let scale = greatest / 127.0;
            let inverse = if greatest > 0.0 { 127.0 / greatest } else { 0.0 };
            let mut sum = 0;
            for (value, code) in values.iter().zip(codes) {
                // `as` saturates and turns NaN into 0.
                *code = (value * inverse).round_ties_even() as i8;
                sum += i32::from(*code);
            }
            scales.push(f16::from_f32(scale).to_f32());
            sums.push(sum);
            totals.push(f16::from_f32(scale * sum as f32).to_f32());
        }
        Self { count: values.len() / columns, columns, codes, scales, sums, totals }
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.count
    }
}
