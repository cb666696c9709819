//! Dot products in plain Rust: what the others must equal.

use half::{bf16, f16};

use super::MISSING;

pub(super) fn gather(query: &[i8], rows: &[i8], ids: &[u32], output: &mut [i32]) {
    for (output, id) in output.iter_mut().zip(ids) {
        *output = row(rows, query.len(), *id).map_or(MISSING, |row| dot(query, row));
    }
}

pub(super) fn block(query: &[i8], rows: &[i8], output: &mut [i32]) {
    for (output, row) in output.iter_mut().zip(rows.chunks_exact(query.len())) {
        *output = dot(query, row);
    }
}

/// Row `id` of rows of so many codes.
#[inline(always)]
pub(super) fn row(rows: &[i8], length: usize, id: u32) -> Option<&[i8]> {
    let from = (id as usize).checked_mul(length)?;
    rows.get(from..from.checked_add(length)?)
}

pub(super) fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).fold(0_i32, |sum, (a, b)| sum.wrapping_add(i32::from(*a) * i32::from(*b)))
}

pub(super) fn codes(query: &[f32], row: &[i8]) -> f32 {
    lanes(query.len(), |at| query[at] * f32::from(row[at]))
}

pub(super) fn floats(a: &[f32], b: &[f32]) -> f32 {
    lanes(a.len(), |at| a[at] * b[at])
}

pub(super) fn halves(query: &[f32], row: &[f16]) -> f32 {
    lanes(query.len(), |at| query[at] * row[at].to_f32())
}

pub(super) fn brains(query: &[f32], row: &[bf16]) -> f32 {
    lanes(query.len(), |at| query[at] * row[at].to_f32())
}

/// Sums in eight lanes, which compilers turn into vector instructions.
#[inline(always)]
fn lanes(length: usize, product: impl Fn(usize) -> f32) -> f32 {
    let mut sums = [0_f32; 8];
    let whole = length / 8 * 8;
    for from in (0..whole).step_by(8) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += product(from + lane);
        }
    }
    sums.iter().sum::<f32>() + (whole..length).map(product).sum::<f32>()
}
