//! Dot products with AVX-512 and VNNI: 64 bytes or 16 floats at a time, four rows side by side.

use std::arch::x86_64::*;

use half::{bf16, f16};

use super::MISSING;
use super::scalar::row;

/// 64 codes from `at` on; those beyond the end are 0.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load(codes: &[i8], at: usize) -> __m512i {
    let left = codes.len() - at;
    if left >= 64 {
        // SAFETY: 64 bytes are left; the load needs no alignment.
        unsafe { _mm512_loadu_si512(codes.as_ptr().add(at).cast()) }
    } else {
        // SAFETY: only the bytes that are left are read.
        unsafe { _mm512_maskz_loadu_epi8((1_u64 << left) - 1, codes.as_ptr().add(at)) }
    }
}

/// 128 times the sum of the codes: what reading rows as unsigned bytes adds too much.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn excess(query: &[i8]) -> i32 {
    let half = _mm512_set1_epi8(i8::MIN);
    let mut sum = _mm512_setzero_si512();
    for at in (0..query.len()).step_by(64) {
        sum = _mm512_dpbusd_epi32(sum, half, load(query, at));
    }
    _mm512_reduce_add_epi32(sum)
}

/// # Safety
/// The processor must have AVX-512 F, BW, VL and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) unsafe fn gather(query: &[i8], rows: &[i8], ids: &[u32], output: &mut [i32]) {
    let excess = excess(query);
    let length = query.len();
    let mut fours = ids.chunks_exact(4);
    let mut outputs = output.chunks_exact_mut(4);
    for (ids, output) in fours.by_ref().zip(outputs.by_ref()) {
        let found = (
            row(rows, length, ids[0]),
            row(rows, length, ids[1]),
            row(rows, length, ids[2]),
            row(rows, length, ids[3]),
        );
        if let (Some(a), Some(b), Some(c), Some(d)) = found {
            output.copy_from_slice(&four(query, [a, b, c, d], excess));
        } else {
            single(query, rows, ids, output, excess);
        }
    }
    single(query, rows, fours.remainder(), outputs.into_remainder(), excess);
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn single(query: &[i8], rows: &[i8], ids: &[u32], output: &mut [i32], excess: i32) {
    for (output, id) in output.iter_mut().zip(ids) {
        *output = row(rows, query.len(), *id).map_or(MISSING, |row| one(query, row, excess));
    }
}

/// # Safety
/// The processor must have AVX-512 F, BW, VL and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) unsafe fn block(query: &[i8], rows: &[i8], output: &mut [i32]) {
    let excess = excess(query);
    let length = query.len();
    let mut fours = rows.chunks_exact(length * 4);
    let mut outputs = output.chunks_exact_mut(4);
    for (rows, output) in fours.by_ref().zip(outputs.by_ref()) {
        let (a, rest) = rows.split_at(length);
        let (b, rest) = rest.split_at(length);
        let (c, d) = rest.split_at(length);
        output.copy_from_slice(&four(query, [a, b, c, d], excess));
    }
    let rest = fours.remainder().chunks_exact(length);
    for (output, row) in outputs.into_remainder().iter_mut().zip(rest) {
        *output = one(query, row, excess);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn four(query: &[i8], rows: [&[i8]; 4], excess: i32) -> [i32; 4] {
    let flip = _mm512_set1_epi8(i8::MIN);
    let mut sums = [_mm512_setzero_si512(); 4];
    for at in (0..query.len()).step_by(64) {
        let wanted = load(query, at);
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum = _mm512_dpbusd_epi32(*sum, _mm512_xor_si512(load(row, at), flip), wanted);
        }
    }
    let halve = |sum: __m512i| _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64::<1>(sum));
    let ab = _mm256_hadd_epi32(halve(sums[0]), halve(sums[1]));
    let cd = _mm256_hadd_epi32(halve(sums[2]), halve(sums[3]));
    let all = _mm256_hadd_epi32(ab, cd);
    let all = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all));
    let all = _mm_sub_epi32(all, _mm_set1_epi32(excess));
    let mut output = [0; 4];
    // SAFETY: four numbers are 16 bytes; the store needs no alignment.
    unsafe { _mm_storeu_si128(output.as_mut_ptr().cast(), all) };
    output
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn one(query: &[i8], row: &[i8], excess: i32) -> i32 {
    let flip = _mm512_set1_epi8(i8::MIN);
    let mut sum = _mm512_setzero_si512();
    for at in (0..query.len()).step_by(64) {
        sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(load(row, at), flip), load(query, at));
    }
    _mm512_reduce_add_epi32(sum).wrapping_sub(excess)
}

/// 16 floats from `at` on; those beyond the end are 0.
#[inline]
#[target_feature(enable = "avx512f")]
fn floats_at(values: &[f32], at: usize) -> __m512 {
    let mask = mask(values.len() - at);
    // SAFETY: only what is left is read.
    unsafe { _mm512_maskz_loadu_ps(mask, values.as_ptr().add(at)) }
}

#[inline]
fn mask(left: usize) -> u16 {
    if left >= 16 { u16::MAX } else { (1_u16 << left) - 1 }
}

/// # Safety
/// The processor must have AVX-512 F, BW and VL; the lengths are equal.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) unsafe fn codes(query: &[f32], row: &[i8]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 2];
    for at in (0..query.len().min(row.len())).step_by(16) {
        let mask = mask(row.len() - at);
        // SAFETY: only what is left is read.
        let bytes = unsafe { _mm_maskz_loadu_epi8(mask, row.as_ptr().add(at)) };
        let values = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
        let sum = &mut sums[at / 16 % 2];
        *sum = _mm512_fmadd_ps(floats_at(query, at), values, *sum);
    }
    _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]))
}

/// # Safety
/// The processor must have AVX-512 F; the lengths are equal.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn floats(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 4];
    for at in (0..a.len().min(b.len())).step_by(16) {
        let sum = &mut sums[at / 16 % 4];
        *sum = _mm512_fmadd_ps(floats_at(a, at), floats_at(b, at), *sum);
    }
    _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])))
}

/// # Safety
/// The processor must have AVX-512 F, BW and VL; the lengths are equal.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) unsafe fn halves(query: &[f32], row: &[f16]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 2];
    for at in (0..query.len().min(row.len())).step_by(16) {
        let mask = mask(row.len() - at);
        // SAFETY: only what is left is read; a half is 16 bits.
        let short = unsafe { _mm256_maskz_loadu_epi16(mask, row.as_ptr().add(at).cast()) };
        let sum = &mut sums[at / 16 % 2];
        *sum = _mm512_fmadd_ps(floats_at(query, at), _mm512_cvtph_ps(short), *sum);
    }
    _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]))
}

/// # Safety
/// The processor must have AVX-512 F, BW and VL; the lengths are equal.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) unsafe fn brains(query: &[f32], row: &[bf16]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 2];
    for at in (0..query.len().min(row.len())).step_by(16) {
        let mask = mask(row.len() - at);
        // SAFETY: only what is left is read; a bfloat16 is 16 bits.
        let short = unsafe { _mm256_maskz_loadu_epi16(mask, row.as_ptr().add(at).cast()) };
        let values = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(short)));
        let sum = &mut sums[at / 16 % 2];
        *sum = _mm512_fmadd_ps(floats_at(query, at), values, *sum);
    }
    _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]))
}
