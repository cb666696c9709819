//! The kernel for AVX-512 with VNNI: a register holds four bytes of each of sixteen rows.

use std::arch::x86_64::*;

use super::matrix::{Bits, Group};
use super::{Activations, BLOCK, ROWS, TILE};

/// Sixteen rows for `count` (1 to 8) inputs from `first` on.
///
/// # Safety
/// The processor must have AVX-512 F, BW and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn tile(group: &Group<'_>, input: &Activations, first: usize, count: usize) -> [[f32; ROWS]; TILE] {
    let mut sums = [[0f32; ROWS]; TILE];
    match count {
        1 => run::<1>(group, input, first, &mut sums),
        2 => run::<2>(group, input, first, &mut sums),
        3 => run::<3>(group, input, first, &mut sums),
        4 => run::<4>(group, input, first, &mut sums),
        5 => run::<5>(group, input, first, &mut sums),
        6 => run::<6>(group, input, first, &mut sums),
        7 => run::<7>(group, input, first, &mut sums),
        _ => run::<8>(group, input, first, &mut sums),
    }
    sums
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn run<const COUNT: usize>(group: &Group<'_>, input: &Activations, first: usize, sums: &mut [[f32; ROWS]; TILE]) {
    match (group.bits, group.minima.is_empty()) {
        (Bits::Four, true) => blocks::<COUNT, 4, false, false>(group, input, first, sums),
        (Bits::Four, false) => blocks::<COUNT, 4, true, false>(group, input, first, sums),
        (Bits::Eight, _) if group.halves => blocks::<COUNT, 8, false, true>(group, input, first, sums),
        (Bits::Eight, true) => blocks::<COUNT, 8, false, false>(group, input, first, sums),
        (Bits::Eight, false) => blocks::<COUNT, 8, true, false>(group, input, first, sums),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn blocks<const COUNT: usize, const LINES: usize, const MINIMA: bool, const HALVES: bool>(
    group: &Group<'_>,
    input: &Activations,
    first: usize,
    sums: &mut [[f32; ROWS]; TILE],
) {
    let count = input.columns / BLOCK;
    let low = _mm512_set1_epi8(0x0f);
    let mut totals = [_mm512_setzero_ps(); COUNT];
    let scales_of = |values: &[half::f16], block: usize| {
        let values = &values[block * ROWS..][..ROWS];
        // SAFETY: sixteen halves are 32 bytes; the load needs no alignment.
        _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(values.as_ptr().cast()) })
    };
    for block in 0..count {
        let lines = &group.lines[block * LINES..][..LINES];
        let mut weights = [_mm512_setzero_si512(); 8];
        for (at, line) in lines.iter().enumerate() {
            // SAFETY: a line is 64 bytes, aligned to 64.
            let codes = unsafe { _mm512_load_si512(line.0.as_ptr().cast()) };
            if LINES == 8 {
                weights[at] = codes;
            } else {
                weights[at] = _mm512_and_si512(codes, low);
                weights[at + 4] = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), low);
            }
        }
        let (scales, second_scales) = if HALVES {
            (scales_of(group.scales, block * 2), scales_of(group.scales, block * 2 + 1))
        } else {
            (scales_of(group.scales, block), _mm512_setzero_ps())
        };
        let minima = if MINIMA { scales_of(group.minima, block) } else { _mm512_setzero_ps() };
        for (at, total) in totals.iter_mut().enumerate() {
            let row = first + at;
            let codes = &input.codes[row * input.columns + block * BLOCK..][..BLOCK];
            let (scale, half_sums) = (input.scales[row * count + block], input.half_sums[row * count + block]);
            // Two chains, since each product waits for the one before it.
            let mut low = _mm512_set1_epi32(-group.offset * half_sums[0]);
            let mut high = _mm512_set1_epi32(-group.offset * half_sums[1]);
            for line in 0..4 {
                low = _mm512_dpbusd_epi32(low, weights[line], four(codes, line));
                high = _mm512_dpbusd_epi32(high, weights[line + 4], four(codes, line + 4));
            }
            let scale = _mm512_set1_ps(scale);
            if HALVES {
                let products = _mm512_cvtepi32_ps(low);
                *total = _mm512_fmadd_ps(products, _mm512_mul_ps(scales, scale), *total);
                let products = _mm512_cvtepi32_ps(high);
                *total = _mm512_fmadd_ps(products, _mm512_mul_ps(second_scales, scale), *total);
            } else {
                let products = _mm512_cvtepi32_ps(_mm512_add_epi32(low, high));
                *total = _mm512_fmadd_ps(products, _mm512_mul_ps(scales, scale), *total);
            }
            if MINIMA {
                *total = _mm512_fmadd_ps(minima, _mm512_set1_ps(input.totals[row * count + block]), *total);
            }
        }
    }
    for (sums, total) in sums.iter_mut().zip(totals) {
        // SAFETY: sixteen floats are 64 bytes; the store needs no alignment.
        unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), total) };
    }
}

/// Four codes, in every lane.
#[inline]
#[target_feature(enable = "avx512f")]
fn four(codes: &[i8], at: usize) -> __m512i {
    let codes = &codes[at * 4..][..4];
    _mm512_set1_epi32(i32::from_le_bytes([codes[0] as u8, codes[1] as u8, codes[2] as u8, codes[3] as u8]))
}
