//! The kernel for AVX2 and FMA, for codes of four bits: a register holds four bytes of each of eight rows.

use std::arch::x86_64::*;

use super::matrix::Group;
use super::{Activations, BLOCK, ROWS, TILE};

const LINES: usize = 4;

/// Sixteen rows for `count` (1 to 8) inputs from `first` on; `group` must have codes of four bits.
///
/// # Safety
/// The processor must have AVX2, FMA and F16C.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn tile(group: &Group<'_>, input: &Activations, first: usize, count: usize) -> [[f32; ROWS]; TILE] {
    let mut sums = [[0f32; ROWS]; TILE];
    // Four inputs at a time: their sums and the weights fit in sixteen registers.
    for at in (0..count).step_by(4) {
        for half in 0..2 {
            match count - at {
                1 => blocks::<1>(group, input, first + at, half, &mut sums[at..]),
                2 => blocks::<2>(group, input, first + at, half, &mut sums[at..]),
                3 => blocks::<3>(group, input, first + at, half, &mut sums[at..]),
                _ => blocks::<4>(group, input, first + at, half, &mut sums[at..]),
            }
        }
    }
    sums
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn blocks<const COUNT: usize>(
    group: &Group<'_>,
    input: &Activations,
    first: usize,
    half: usize,
    sums: &mut [[f32; ROWS]],
) {
    let count = input.columns / BLOCK;
    let low = _mm256_set1_epi8(0x0f);
    let ones = _mm256_set1_epi16(1);
    let mut totals = [_mm256_setzero_ps(); COUNT];
    let scales_of = |values: &[half::f16], block: usize| {
        let values = &values[block * ROWS + half * 8..][..8];
        // SAFETY: eight halves are 16 bytes; the load needs no alignment.
        _mm256_cvtph_ps(unsafe { _mm_loadu_si128(values.as_ptr().cast()) })
    };
    for block in 0..count {
        let lines = &group.lines[block * LINES..][..LINES];
        let mut products = [_mm256_setzero_si256(); COUNT];
        for (line_at, line) in lines.iter().enumerate() {
            let bytes = &line.0[half * 32..][..32];
            // SAFETY: 32 bytes; the load needs no alignment.
            let codes = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
            let below = _mm256_and_si256(codes, low);
            let above = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), low);
            for (at, product) in products.iter_mut().enumerate() {
                let codes = &input.codes[(first + at) * input.columns + block * BLOCK..][..BLOCK];
                // At most 4 × 15 × 128: sixteen bits hold the sum of both halves.
                let pairs = _mm256_add_epi16(
                    _mm256_maddubs_epi16(below, four(codes, line_at)),
                    _mm256_maddubs_epi16(above, four(codes, line_at + 4)),
                );
                *product = _mm256_add_epi32(*product, _mm256_madd_epi16(pairs, ones));
            }
        }
        let scales = scales_of(group.scales, block);
        for (at, (total, product)) in totals.iter_mut().zip(products).enumerate() {
            let row = first + at;
            let (scale, sum) = (input.scales[row * count + block], input.half_sums[row * count + block]);
            let product = _mm256_sub_epi32(product, _mm256_set1_epi32(group.offset * (sum[0] + sum[1])));
            let product = _mm256_cvtepi32_ps(product);
            *total = _mm256_fmadd_ps(product, _mm256_mul_ps(scales, _mm256_set1_ps(scale)), *total);
            if !group.minima.is_empty() {
                *total = _mm256_fmadd_ps(
                    scales_of(group.minima, block),
                    _mm256_set1_ps(input.totals[row * count + block]),
                    *total,
                );
            }
        }
    }
    for (sums, total) in sums.iter_mut().zip(totals) {
        let sums = &mut sums[half * 8..][..8];
        // SAFETY: eight floats are 32 bytes; the store needs no alignment.
        unsafe { _mm256_storeu_ps(sums.as_mut_ptr(), total) };
    }
}

/// Four codes, in every lane.
#[inline]
#[target_feature(enable = "avx2")]
fn four(codes: &[i8], at: usize) -> __m256i {
    let codes = &codes[at * 4..][..4];
    _mm256_set1_epi32(i32::from_le_bytes([codes[0] as u8, codes[1] as u8, codes[2] as u8, codes[3] as u8]))
}
