//! The kernel in plain Rust: what all others must equal.

use super::matrix::{Bits, Group};
use super::{Activations, BLOCK, ROWS, TILE};

/// Value `at` of a block of a row, before the offset is taken from it.
pub(super) fn code(group: &Group<'_>, block: usize, lane: usize, at: usize) -> i32 {
    let lines = &group.lines[block * group.bits.lines()..];
    let byte = |line: usize| lines[line].0[lane * 4 + at % 4];
    i32::from(match group.bits {
        Bits::Eight => byte(at / 4),
        Bits::Four if at < 16 => byte(at / 4) & 0x0f,
        Bits::Four => byte(at / 4 - 4) >> 4,
    })
}

/// The scale of value `at` of a block of a row.
pub(super) fn scale(group: &Group<'_>, block: usize, lane: usize, at: usize) -> f32 {
    let at = if group.halves { block * 2 + at / 16 } else { block };
    group.scales[at * ROWS + lane].to_f32()
}

/// Sixteen rows for `count` inputs from `first` on.
pub(super) fn tile(group: &Group<'_>, input: &Activations, first: usize, count: usize) -> [[f32; ROWS]; TILE] {
    let blocks = input.columns / BLOCK;
    let mut sums = [[0f32; ROWS]; TILE];
    for (at, sums) in sums[..count].iter_mut().enumerate() {
        let row = first + at;
        for (lane, sum) in sums.iter_mut().enumerate() {
            for block in 0..blocks {
                let codes = &input.codes[row * input.columns + block * BLOCK..][..BLOCK];
                let at = row * blocks + block;
                let products = |part: std::ops::Range<usize>| {
                    part.map(|at| code(group, block, lane, at) * i32::from(codes[at])).sum()
                };
                let [first, second] = input.half_sums[at];
                let (low, high): (i32, i32) = (products(0..16), products(16..BLOCK));
                let (low, high) = (low - group.offset * first, high - group.offset * second);
                if group.halves {
                    *sum = (low as f32).mul_add(scale(group, block, lane, 0) * input.scales[at], *sum);
                    *sum = (high as f32).mul_add(scale(group, block, lane, 16) * input.scales[at], *sum);
                } else {
                    *sum = ((low + high) as f32).mul_add(scale(group, block, lane, 0) * input.scales[at], *sum);
                }
                if let Some(minimum) = group.minima.get(block * ROWS + lane) {
                    *sum = minimum.to_f32().mul_add(input.totals[at], *sum);
                }
            }
        }
    }
    sums
}
