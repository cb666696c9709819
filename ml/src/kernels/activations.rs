//! Activations in 8 bits, rounded exactly as GGML rounds them: the same noise gives the same text.

use half::f16;

use super::BLOCK;

/// Adding and taking away 1.5 · 2²³ rounds what is below 2²².
const ROUND: f32 = 12_582_912.0;

/// Which values share a scale: what GGML does depends on the type of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Thirty-two values, scales and scaled sums being f16 (GGML's Q8_0 and Q8_1).
    Blocks32,
    /// 256 values, for the K types (GGML's Q8_K).
    Blocks256,
}

/// Values of a block of [`Rounding::Blocks256`].
const LARGE: usize = 256;

/// Rows of activations, each `columns` long, in blocks of 32.
pub struct Activations {
    pub(super) count: usize,
    pub(super) columns: usize,
    /// `[count, columns]`
    pub(super) codes: Vec<i8>,
    /// `[count, columns / 32]`
    pub(super) scales: Vec<f32>,
    /// `[count, columns / 32]`: the sums of the first sixteen of the block's codes and of the others.
    pub(super) half_sums: Vec<[i32; 2]>,
    /// `[count, columns / 32]`: the sum of the block's values.
    pub(super) totals: Vec<f32>,
}

impl Activations {
    /// As GGML does for weights of this rounding. `values` is `[count, columns]`; `columns` must be a multiple of the
    /// rounding's blocks.
    pub fn quantise_as(rounding: Rounding, values: &[f32], columns: usize) -> Self {
        match rounding {
            Rounding::Blocks32 => Self::in_blocks(
                values,
                columns,
                BLOCK,
                |value| f16::from_f32(value).to_f32(),
                |values| {
                    let greatest = values.iter().fold(0f32, |greatest, value| greatest.max(value.abs()));
                    (if greatest > 0.0 { 127.0 / greatest } else { 0.0 }, greatest / 127.0)
                },
            ),
            // The value that is farthest from 0 becomes -127.
            Rounding::Blocks256 => Self::in_blocks(
                values,
                columns,
                LARGE,
                |value| value,
                |values| {
                    let farthest =
                        values.iter().fold(0f32, |far, value| if value.abs() > far.abs() { *value } else { far });
                    if farthest == 0.0 { (0.0, 0.0) } else { (-127.0 / farthest, farthest / -127.0) }
                },
            ),
        }
    }

    /// `scaling` gives what the values of a block of `size` are multiplied with, and what takes that back; `kept` is how
    /// scales and scaled sums are kept.
    fn in_blocks(
        values: &[f32],
        columns: usize,
        size: usize,
        kept: impl Fn(f32) -> f32,
        scaling: impl Fn(&[f32]) -> (f32, f32),
    ) -> Self {
        assert!(columns > 0 && columns.is_multiple_of(size), "rows are whole blocks");
        assert!(values.len().is_multiple_of(columns), "values are whole rows");
        let blocks = values.len() / BLOCK;
        let mut codes = vec![0i8; values.len()];
        let mut scales = Vec::with_capacity(blocks);
        let mut half_sums = Vec::with_capacity(blocks);
        let mut totals = Vec::with_capacity(blocks);
        for (values, codes) in values.chunks_exact(size).zip(codes.chunks_exact_mut(size)) {
            let (inverse, scale) = scaling(values);
            for (value, code) in values.iter().zip(codes.iter_mut()) {
                // To the nearest, ties to even: rounding by name calls a library where the processor's feature is unknown.
                // `as` saturates and turns NaN into 0.
                *code = (value * inverse + ROUND - ROUND) as i8;
            }
            for codes in codes.chunks_exact(BLOCK) {
                let halves = sums_of(codes);
                scales.push(kept(scale));
                half_sums.push(halves);
                totals.push(kept(scale * (halves[0] + halves[1]) as f32));
            }
        }
        Self { count: values.len() / columns, columns, codes, scales, half_sums, totals }
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// The sums of the first sixteen codes of a block and of the others.
fn sums_of(codes: &[i8]) -> [i32; 2] {
    let sum = |codes: &[i8]| codes.iter().map(|code| i32::from(*code)).sum();
    [sum(&codes[..16]), sum(&codes[16..])]
}
