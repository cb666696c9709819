//! Products with AVX-512, of f32 or of pairs of bf16: eight rows by forty-eight columns in registers.

use std::arch::x86_64::*;

use half::bf16;

use super::{Isa, LANES, Operation, Tile};

struct Avx512;
struct Avx512Bf16;

/// Runs `operation` with AVX-512 on f32.
///
/// # Safety
/// The processor must have AVX-512 F.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn enter(operation: impl Operation) {
    operation.run::<Avx512>();
}

/// Runs `operation` with AVX-512 on pairs of bf16.
///
/// # Safety
/// The processor must have AVX-512 F, BW and BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn enter_bf16(operation: impl Operation) {
    operation.run::<Avx512Bf16>();
}

impl Isa for Avx512 {
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
        // SAFETY: the caller vouches for the pointers and for the instructions; stores go to slices of sixteen floats.
        unsafe {
            let mut sums = [[_mm512_setzero_ps(); VECTORS]; ROWS];
            for step in 0..steps {
                let mut weights = [_mm512_setzero_ps(); VECTORS];
                for (vector, weights) in weights.iter_mut().enumerate() {
                    *weights = _mm512_load_ps(panel.add((step * VECTORS + vector) * LANES).cast());
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let value = _mm512_set1_ps(*input.add(row * stride + step).cast::<f32>());
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = _mm512_fmadd_ps(value, weights, *sum);
                    }
                }
            }
            store_sums(&sums, tile);
        }
    }
}

impl Isa for Avx512Bf16 {
    const PAIRS: bool = true;

    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn store(values: &[f32], words: &mut [u32]) {
        let (blocks, rest) = values.as_chunks::<{ 2 * LANES }>();
        let (halves, rest) = if rest.len() >= LANES { rest.split_at(LANES) } else { rest.split_at(0) };
        let (block_words, words) = words.split_at_mut(blocks.len() * LANES);
        for (block, words) in blocks.iter().zip(block_words.as_chunks_mut::<LANES>().0) {
            // SAFETY: loads and store are as long as the arrays; `enter_bf16` stands for the instructions.
            unsafe {
                let low = _mm512_loadu_ps(block.as_ptr());
                let high = _mm512_loadu_ps(block.as_ptr().add(LANES));
                let packed: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(high, low));
                _mm512_storeu_si512(words.as_mut_ptr().cast(), packed);
            }
        }
        let (half_words, words) = words.split_at_mut(halves.len() / 2);
        if !halves.is_empty() {
            // SAFETY: as above: sixteen values, eight words.
            unsafe {
                let packed: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(_mm512_loadu_ps(halves.as_ptr())));
                _mm256_storeu_si256(half_words.as_mut_ptr().cast(), packed);
            }
        }
        for (word, pair) in words.iter_mut().zip(rest.chunks(2)) {
            let half = |at: usize| pair.get(at).map_or(0, |&value| u32::from(bf16::from_f32(value).to_bits()));
            *word = half(0) | half(1) << 16;
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
        // SAFETY: the caller vouches for the pointers and for the instructions; both types are 512 bits of any value.
        unsafe {
            let mut sums = [[_mm512_setzero_ps(); VECTORS]; ROWS];
            for step in 0..steps {
                let mut weights = [std::mem::transmute::<__m512i, __m512bh>(_mm512_setzero_si512()); VECTORS];
                for (vector, weights) in weights.iter_mut().enumerate() {
                    let line = _mm512_load_si512(panel.add((step * VECTORS + vector) * LANES).cast());
                    *weights = std::mem::transmute::<__m512i, __m512bh>(line);
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let value = std::mem::transmute::<__m512i, __m512bh>(_mm512_set1_epi32(
                        *input.add(row * stride + step) as i32,
                    ));
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = _mm512_dpbf16_ps(*sum, value, weights);
                    }
                }
            }
            store_sums(&sums, tile);
        }
    }
}

/// # Safety
/// The processor must have AVX-512 F.
#[inline(always)]
unsafe fn store_sums<const ROWS: usize, const VECTORS: usize>(sums: &[[__m512; VECTORS]; ROWS], tile: &mut Tile) {
    for (results, sums) in tile.iter_mut().zip(sums) {
        for (results, sum) in results.as_chunks_mut::<LANES>().0.iter_mut().zip(sums) {
            // SAFETY: the array is sixteen floats; the caller stands for the instructions.
            unsafe { _mm512_storeu_ps(results.as_mut_ptr(), *sum) };
        }
    }
}
