//! Multi-head attention of one text on its own rows (Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>).

use super::{at_least, stop_if};
use crate::kernels::gemm::{Finish, Kernel, Panels};
use crate::{Cancel, Result};

/// Queries that are computed together: their scores stay in the first-level cache.
const QUERIES: usize = 32;
/// Scores of a row are a multiple of this many.
const LANES: usize = 16;

/// The shape of attention.
pub(super) struct Attention {
    pub(super) heads: usize,
    /// Values of a head in the rows: even, so that a head begins with a word.
    pub(super) slot: usize,
    /// One over the square root of a head's true width.
    pub(super) scale: f32,
}

#[derive(Default)]
pub(super) struct Scratch {
    keys: Panels,
    values: Panels,
    scores: Vec<f32>,
    weights: Vec<u32>,
    inverse: Vec<f32>,
}

impl Attention {
    pub(super) fn new(hidden: usize, heads: usize) -> Self {
        let width = hidden / heads;
        Self { heads, slot: width.next_multiple_of(2), scale: 1.0 / (width as f32).sqrt() }
    }

    /// Words of one row of the context: all heads side by side.
    pub(super) fn context_words(&self, kernel: Kernel) -> usize {
        self.heads * kernel.words(self.slot)
    }

    /// `projected` has a row for each token: all heads' queries, then their keys, then their values.
    pub(super) fn run(
        &self,
        kernel: Kernel,
        projected: &[u32],
        context: &mut [u32],
        scratch: &mut Scratch,
        cancel: &Cancel,
    ) -> Result<()> {
        let steps = kernel.words(self.slot);
        let (part, stride) = (self.heads * steps, 3 * self.heads * steps);
        let count = projected.len() / stride;
        let width = count.next_multiple_of(LANES);
        let words = kernel.words(width);
        let Scratch { keys, values, scores, weights, inverse } = scratch;
        let scores = at_least(scores, QUERIES * width);
        let weights = at_least(weights, QUERIES * words);
        let inverse = at_least(inverse, QUERIES);
        for head in 0..self.heads {
            let column = head * steps;
            keys.fill_columns(&projected[part + column..], stride, count, steps);
            values.fill_rows(kernel, &projected[2 * part + column..], stride, count, self.slot);
            for first in (0..count).step_by(QUERIES) {
                stop_if(cancel)?;
                let rows = QUERIES.min(count - first);
                let scores = &mut scores[..rows * width];
                let weights = &mut weights[..rows * words];
                let queries = &projected[first * stride + column..];
                kernel.multiply(queries, stride, rows, keys, Finish::Store { output: scores, stride: width });
                kernel.softmax(scores, width, count, self.scale, weights, &mut inverse[..rows]);
                let output = &mut context[first * part + column..];
                let finish = Finish::Scaled { factors: inverse, output, stride: part };
                kernel.multiply(weights, words, rows, values, finish);
            }
        }
        Ok(())
    }
}
