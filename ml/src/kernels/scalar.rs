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
                let products = codes.iter().enumerate().map(|(at, x)| code(group, block, lane, at) * i32::from(*x));
                let product = products.sum::<i32>() - group.offset * input.sums[at];
                *sum = (product as f32).mul_add(group.scales[block * ROWS + lane].to_f32() * input.scales[at], *sum);
                if let Some(minimum) = group.minima.get(block * ROWS + lane) {
                    *sum = minimum.to_f32().mul_add(input.totals[at], *sum);
                }
            }
        }
    }
    sums
}
