//! Dot products for nearest-neighbour search, chosen once at run time: bytes, halves and floats.
//!
//! Products of bytes are exact, the same on every processor, for up to 65,536 dimensions. Products of floats are summed
//! in the order that the processor's vectors give: versions differ by rounding, at most about 1e-6 of the sum of the
//! products' magnitudes per thousand dimensions.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod plain;
mod scalar;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use half::{bf16, f16};

pub use plain::{Plain, bytes_of, view};

/// What a row that is not there scores.
pub const MISSING: i32 = i32::MIN;

/// The products of a query with the rows that ids name.
type Gather = unsafe fn(&[i8], &[i8], &[u32], &mut [i32]);

/// The kernels of one instruction set. All take slices whose lengths the callers below have checked.
#[derive(Clone, Copy)]
struct Kernels {
    name: &'static str,
    gather: Gather,
    block: unsafe fn(&[i8], &[i8], &mut [i32]),
    codes: unsafe fn(&[f32], &[i8]) -> f32,
    floats: unsafe fn(&[f32], &[f32]) -> f32,
    halves: unsafe fn(&[f32], &[f16]) -> f32,
    brains: unsafe fn(&[f32], &[bf16]) -> f32,
}

const SCALAR: Kernels = Kernels {
    name: "scalar",
    gather: scalar::gather,
    block: scalar::block,
    codes: scalar::codes,
    floats: scalar::floats,
    halves: scalar::halves,
    brains: scalar::brains,
};

/// All that this processor can run, the best first.
fn available() -> Vec<Kernels> {
    let mut found = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let half = is_x86_feature_detected!("f16c");
        let avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        if avx512 && is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512vl") {
            found.push(Kernels {
                name: "AVX-512 VNNI",
                gather: avx512::gather,
                block: avx512::block,
                codes: avx512::codes,
                floats: avx512::floats,
                halves: avx512::halves,
                brains: avx512::brains,
            });
        }
        if avx2 && half {
            found.push(Kernels {
                name: "AVX2",
                gather: avx2::gather,
                block: avx2::block,
                codes: avx2::codes,
                floats: avx2::floats,
                halves: avx2::halves,
                brains: avx2::brains,
            });
        }
    }
    found.push(SCALAR);
    found
}

fn best() -> &'static Kernels {
    static BEST: OnceLock<Kernels> = OnceLock::new();
    BEST.get_or_init(|| available().into_iter().next().unwrap_or(SCALAR))
}

/// What the products are computed with, in words.
pub fn instructions() -> &'static str {
    best().name
}

/// The product of `query` with the rows that `ids` name, each as long as the query; [`MISSING`] for ids beyond the
/// rows. `output` takes one number per id.
///
/// Codes of the query lie in -127..=127.
///
/// # Panics
/// When `output` is shorter than `ids`, or the query is empty.
pub fn gather(query: &[i8], rows: &[i8], ids: &[u32], output: &mut [i32]) {
    let output = &mut output[..ids.len()];
    assert!(!query.is_empty(), "a query has dimensions");
    // SAFETY: the kernel is one that this processor can run.
    unsafe { (best().gather)(query, rows, ids, output) }
}

/// The product of `query` with each of the rows, which lie one after the other.
///
/// Codes of the query lie in -127..=127.
///
/// # Panics
/// When `rows` is not as long as the query times `output`.
pub fn block(query: &[i8], rows: &[i8], output: &mut [i32]) {
    assert_eq!(rows.len(), query.len() * output.len(), "rows of the query's length");
    if query.is_empty() {
        return output.fill(0);
    }
    // SAFETY: the kernel is one that this processor can run.
    unsafe { (best().block)(query, rows, output) }
}

/// The product of floats with codes.
///
/// # Panics
/// When the lengths differ.
pub fn codes(query: &[f32], row: &[i8]) -> f32 {
    assert_eq!(query.len(), row.len(), "a row of the query's length");
    // SAFETY: the kernel is one that this processor can run; the lengths are equal.
    unsafe { (best().codes)(query, row) }
}

/// The product of floats.
///
/// # Panics
/// When the lengths differ.
pub fn floats(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "vectors of one length");
    // SAFETY: the kernel is one that this processor can run; the lengths are equal.
    unsafe { (best().floats)(a, b) }
}

/// The product of floats with half-precision values.
///
/// # Panics
/// When the lengths differ.
pub fn halves(query: &[f32], row: &[f16]) -> f32 {
    assert_eq!(query.len(), row.len(), "a row of the query's length");
    // SAFETY: the kernel is one that this processor can run; the lengths are equal.
    unsafe { (best().halves)(query, row) }
}

/// The product of floats with values in bfloat16.
///
/// # Panics
/// When the lengths differ.
pub fn brains(query: &[f32], row: &[bf16]) -> f32 {
    assert_eq!(query.len(), row.len(), "a row of the query's length");
    // SAFETY: the kernel is one that this processor can run; the lengths are equal.
    unsafe { (best().brains)(query, row) }
}

/// Brings `count` values from `from` on towards the first cache, without waiting. Beyond the end it does nothing.
#[inline]
pub fn prefetch<T>(values: &[T], from: usize, count: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let Some(part) = values.get(from..from.saturating_add(count).min(values.len())) else { return };
        let start: *const i8 = part.as_ptr().cast();
        for offset in (0..size_of_val(part)).step_by(64) {
            // SAFETY: the offset lies within the slice; a prefetch reads nothing and never faults.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _unused = (values, from, count);
    }
}
