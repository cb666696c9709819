//! Dot products with AVX2 and FMA: 32 bytes or 8 floats at a time; what is left over goes the plain way.

use std::arch::x86_64::*;

use half::{bf16, f16};

use super::MISSING;
use super::scalar::{self, row};

/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn gather(query: &[i8], rows: &[i8], ids: &[u32], output: &mut [i32]) {
    for (output, id) in output.iter_mut().zip(ids) {
        *output = row(rows, query.len(), *id).map_or(MISSING, |row| one(query, row));
    }
}

/// # Safety
/// The processor must have AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn block(query: &[i8], rows: &[i8], output: &mut [i32]) {
    for (output, row) in output.iter_mut().zip(rows.chunks_exact(query.len())) {
        *output = one(query, row);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn one(query: &[i8], row: &[i8]) -> i32 {
    let ones = _mm256_set1_epi16(1);
    let mut sum = _mm256_setzero_si256();
    let (wanted, rows) = (query.chunks_exact(32), row.chunks_exact(32));
    let rest = scalar::dot(wanted.remainder(), rows.remainder());
    for (wanted, row) in wanted.zip(rows) {
        // SAFETY: 32 bytes each; the loads need no alignment.
        let (wanted, row) =
            unsafe { (_mm256_loadu_si256(wanted.as_ptr().cast()), _mm256_loadu_si256(row.as_ptr().cast())) };
        // Magnitudes of rows are unsigned; their signs go to the query. Pairs stay within 2 × 128 × 127.
        let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(row), _mm256_sign_epi8(wanted, row));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    let half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let half = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    let half = _mm_add_epi32(half, _mm_shuffle_epi32::<0b10_11_00_01>(half));
    rest.wrapping_add(_mm_cvtsi128_si32(half))
}

#[inline]
#[target_feature(enable = "avx2")]
fn total(sums: [__m256; 2]) -> f32 {
    let sum = _mm256_add_ps(sums[0], sums[1]);
    let half = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum));
    let half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)))
}

/// # Safety
/// The processor must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn codes(query: &[f32], row: &[i8]) -> f32 {
    let mut sums = [_mm256_setzero_ps(); 2];
    let (queries, rows) = (query.chunks_exact(8), row.chunks_exact(8));
    let rest = scalar::codes(queries.remainder(), rows.remainder());
    for (at, (query, row)) in queries.zip(rows).enumerate() {
        // SAFETY: eight floats and eight bytes; the loads need no alignment.
        let (query, row) = unsafe { (_mm256_loadu_ps(query.as_ptr()), _mm_loadl_epi64(row.as_ptr().cast())) };
        let row = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(row));
        sums[at % 2] = _mm256_fmadd_ps(query, row, sums[at % 2]);
    }
    total(sums) + rest
}

/// # Safety
/// The processor must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn floats(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [_mm256_setzero_ps(); 2];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = scalar::floats(left.remainder(), right.remainder());
    for (at, (left, right)) in left.zip(right).enumerate() {
        // SAFETY: eight floats each; the loads need no alignment.
        let (left, right) = unsafe { (_mm256_loadu_ps(left.as_ptr()), _mm256_loadu_ps(right.as_ptr())) };
        sums[at % 2] = _mm256_fmadd_ps(left, right, sums[at % 2]);
    }
    total(sums) + rest
}

/// # Safety
/// The processor must have AVX2, FMA and F16C.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn halves(query: &[f32], row: &[f16]) -> f32 {
    let mut sums = [_mm256_setzero_ps(); 2];
    let (queries, rows) = (query.chunks_exact(8), row.chunks_exact(8));
    let rest = scalar::halves(queries.remainder(), rows.remainder());
    for (at, (query, row)) in queries.zip(rows).enumerate() {
        // SAFETY: eight floats and eight halves; the loads need no alignment.
        let (query, row) = unsafe { (_mm256_loadu_ps(query.as_ptr()), _mm_loadu_si128(row.as_ptr().cast())) };
        sums[at % 2] = _mm256_fmadd_ps(query, _mm256_cvtph_ps(row), sums[at % 2]);
    }
    total(sums) + rest
}

/// # Safety
/// The processor must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn brains(query: &[f32], row: &[bf16]) -> f32 {
    let mut sums = [_mm256_setzero_ps(); 2];
    let (queries, rows) = (query.chunks_exact(8), row.chunks_exact(8));
    let rest = scalar::brains(queries.remainder(), rows.remainder());
    for (at, (query, row)) in queries.zip(rows).enumerate() {
        // SAFETY: eight floats and eight values of 16 bits; the loads need no alignment.
        let (query, row) = unsafe { (_mm256_loadu_ps(query.as_ptr()), _mm_loadu_si128(row.as_ptr().cast())) };
        let row = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(row)));
        sums[at % 2] = _mm256_fmadd_ps(query, row, sums[at % 2]);
    }
    total(sums) + rest
}
