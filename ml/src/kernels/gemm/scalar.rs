//! Plain code for products, which compilers turn into the vectors that every processor of its kind has.

use super::{Isa, LANES, Tile};

pub(super) struct Scalar;

impl Isa for Scalar {
    const PAIRS: bool = false;

    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        // Without the instruction, a fused multiply-add is a slow library call.
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) { a.mul_add(b, c) } else { a * b + c }
    }

    #[inline(always)]
    fn store(values: &[f32], words: &mut [u32]) {
        for (word, value) in words.iter_mut().zip(values) {
            *word = value.to_bits();
        }
    }

    #[inline(always)]
    unsafe fn tile<const ROWS: usize, const VECTORS: usize>(
        input: *const u32,
        stride: usize,
        panel: *const u32,
        steps: usize,
        tile: &mut Tile,
    ) {
        let width = VECTORS * LANES;
        for (row, results) in tile.iter_mut().enumerate().take(ROWS) {
            // SAFETY: the caller vouches for `ROWS` rows of `steps` words and for the panel's size.
            let (input, panel) = unsafe {
                (
                    std::slice::from_raw_parts(input.add(row * stride), steps),
                    std::slice::from_raw_parts(panel, steps * width),
                )
            };
            for vector in 0..VECTORS {
                let mut sums = [0.0; LANES];
                for (line, &word) in panel.chunks_exact(width).zip(input) {
                    let input = f32::from_bits(word);
                    for (sum, &weight) in sums.iter_mut().zip(&line[vector * LANES..][..LANES]) {
                        *sum = Self::mul_add(input, f32::from_bits(weight), *sum);
                    }
                }
                results[vector * LANES..][..LANES].copy_from_slice(&sums);
            }
        }
    }
}
