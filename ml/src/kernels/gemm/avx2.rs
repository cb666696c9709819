//! Products with AVX2 and FMA: four rows by sixteen columns at a time.

use std::arch::x86_64::*;

use super::{Isa, LANES, Operation, Tile};

/// Rows whose sums fit into the registers.
const ROWS_AT_ONCE: usize = 4;

struct Avx2;

/// Runs `operation` with these instructions.
///
/// # Safety
/// The processor must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn enter(operation: impl Operation) {
    operation.run::<Avx2>();
}

impl Isa for Avx2 {
    const PAIRS: bool = false;

    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
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
        let mut row = 0;
        while row < ROWS {
            for vector in 0..VECTORS {
                // SAFETY: the caller vouches for `ROWS` rows and the panel; `row` and `vector` stay inside them.
                unsafe {
                    let (input, panel) = (input.add(row * stride), panel.add(vector * LANES));
                    if ROWS - row >= ROWS_AT_ONCE {
                        part::<ROWS_AT_ONCE, VECTORS>(input, stride, panel, steps, &mut tile[row..], vector);
                    } else if ROWS - row >= 2 {
                        part::<2, VECTORS>(input, stride, panel, steps, &mut tile[row..], vector);
                    } else {
                        part::<1, VECTORS>(input, stride, panel, steps, &mut tile[row..], vector);
                    }
                }
            }
            row += ROWS_AT_ONCE.min(ROWS);
        }
    }
}

/// Sixteen columns for `COUNT` rows.
///
/// # Safety
/// As [`Isa::tile`], with `panel` at the first of the sixteen columns.
#[inline(always)]
unsafe fn part<const COUNT: usize, const VECTORS: usize>(
    input: *const u32,
    stride: usize,
    panel: *const u32,
    steps: usize,
    tile: &mut [[f32; super::PANEL]],
    vector: usize,
) {
    // SAFETY: the caller vouches for the pointers and for the instructions; stores go to slices of sixteen floats.
    unsafe {
        let mut sums = [[_mm256_setzero_ps(); 2]; COUNT];
        for step in 0..steps {
            let line = panel.add(step * VECTORS * LANES).cast::<f32>();
            let weights = [_mm256_loadu_ps(line), _mm256_loadu_ps(line.add(8))];
            for (row, sums) in sums.iter_mut().enumerate() {
                let value = _mm256_broadcast_ss(&*input.add(row * stride + step).cast::<f32>());
                sums[0] = _mm256_fmadd_ps(value, weights[0], sums[0]);
                sums[1] = _mm256_fmadd_ps(value, weights[1], sums[1]);
            }
        }
        for (results, sums) in tile.iter_mut().zip(sums) {
            let results = &mut results[vector * LANES..][..LANES];
            _mm256_storeu_ps(results.as_mut_ptr(), sums[0]);
            _mm256_storeu_ps(results.as_mut_ptr().add(8), sums[1]);
        }
    }
}
