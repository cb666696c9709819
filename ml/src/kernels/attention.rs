//! Softmax attention of one query, compiled for the widest vectors of the processor.
//!
//! All versions are the same code: sums in sixteen lanes by fused multiply-adds, added up in one order, and an exponential
//! of its own. They give the same bits on every processor. The loops are written out over arrays: iterators would be
//! compiled as functions of their own, without the vectors that this one was given.

use super::exponential::exp;

/// Values side by side.
const LANES: usize = 16;

/// One query over all rows of `keys` and `values`, each as long as the query; `output` is zero at first. `scores` is
/// working space.
///
/// # Panics
/// `keys` and `values` hold different numbers of rows, or `output` is not as long as the query.
pub fn attend(query: &[f32], keys: &[f32], values: &[f32], scale: f32, scores: &mut Vec<f32>, output: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has AVX-512 F and FMA.
            return unsafe { avx512(query, keys, values, scale, scores, output) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has AVX2 and FMA.
            return unsafe { avx2(query, keys, values, scale, scores, output) };
        }
    }
    attend_one(query, keys, values, scale, scores, output);
}

/// # Safety
/// The processor must have AVX-512 F and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,fma")]
unsafe fn avx512(query: &[f32], keys: &[f32], values: &[f32], scale: f32, scores: &mut Vec<f32>, output: &mut [f32]) {
    attend_one(query, keys, values, scale, scores, output);
}

/// # Safety
/// The processor must have AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(query: &[f32], keys: &[f32], values: &[f32], scale: f32, scores: &mut Vec<f32>, output: &mut [f32]) {
    attend_one(query, keys, values, scale, scores, output);
}

#[inline(always)]
fn attend_one(query: &[f32], keys: &[f32], values: &[f32], scale: f32, scores: &mut Vec<f32>, output: &mut [f32]) {
    let length = query.len();
    assert!(keys.len() == values.len() && output.len() == length, "as many values as keys, and an output for them");
    let count = keys.len() / length.max(1);
    scores.clear();
    scores.resize(count.next_multiple_of(LANES), f32::NEG_INFINITY);
    let mut greatest = f32::NEG_INFINITY;
    let mut row = 0;
    while row < count {
        let score = dot(query, &keys[row * length..(row + 1) * length]) * scale;
        scores[row] = score;
        greatest = if score > greatest { score } else { greatest };
        row += 1;
    }
    let mut sums = [0f32; LANES];
    let lines = scores.as_chunks_mut::<LANES>().0;
    let mut line = 0;
    while line < lines.len() {
        let mut lane = 0;
        while lane < LANES {
            let weight = exp(lines[line][lane] - greatest);
            lines[line][lane] = weight;
            sums[lane] += weight;
            lane += 1;
        }
        line += 1;
    }
    let share = 1.0 / add_up(sums);
    // Four lines of the output stay in registers while all rows go by.
    let mut from = 0;
    while from < length {
        let wide = length - from;
        if wide >= 4 * LANES {
            mix::<4>(scores, values, length, from, share, count, output);
            from += 4 * LANES;
        } else if wide >= LANES {
            mix::<1>(scores, values, length, from, share, count, output);
            from += LANES;
        } else {
            while from < length {
                let mut sum = 0.0;
                let mut row = 0;
                while row < count {
                    sum = scores[row].mul_add(values[row * length + from], sum);
                    row += 1;
                }
                output[from] = sum * share;
                from += 1;
            }
        }
    }
}

/// Lines of the output from `from` on: the rows of `values` by their weights.
#[inline(always)]
fn mix<const LINES: usize>(
    weights: &[f32],
    values: &[f32],
    length: usize,
    from: usize,
    share: f32,
    count: usize,
    output: &mut [f32],
) {
    let mut sums = [[0f32; LANES]; LINES];
    let mut row = 0;
    while row < count {
        let weight = weights[row];
        let value = &values[row * length + from..][..LINES * LANES];
        let mut line = 0;
        while line < LINES {
            let mut lane = 0;
            while lane < LANES {
                sums[line][lane] = weight.mul_add(value[line * LANES + lane], sums[line][lane]);
                lane += 1;
            }
            line += 1;
        }
        row += 1;
    }
    let output = &mut output[from..][..LINES * LANES];
    let mut line = 0;
    while line < LINES {
        let mut lane = 0;
        while lane < LANES {
            output[line * LANES + lane] = sums[line][lane] * share;
            lane += 1;
        }
        line += 1;
    }
}

#[inline(always)]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    let mut line = 0;
    while line < left.len() && line < right.len() {
        let mut lane = 0;
        while lane < LANES {
            sums[lane] = left[line][lane].mul_add(right[line][lane], sums[lane]);
            lane += 1;
        }
        line += 1;
    }
    let mut rest = 0.0;
    let mut at = 0;
    while at < left_rest.len() && at < right_rest.len() {
        rest = left_rest[at].mul_add(right_rest[at], rest);
        at += 1;
    }
    add_up(sums) + rest
}

/// The lanes by halves, as vectors are added up.
#[inline(always)]
fn add_up(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        let mut lane = 0;
        while lane < width {
            lanes[lane] += lanes[lane + width];
            lane += 1;
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn all_versions_give_the_same_bits() {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(11);
        for (rows, length) in [(1, 8), (70, 64), (33, 20), (5, 128), (300, 80), (17, 96), (16, 16)] {
            let mut values =
                |count: usize| -> Vec<f32> { (0..count).map(|_| random.random::<f32>() * 4.0 - 2.0).collect() };
            let (query, keys, values) = (values(length), values(rows * length), values(rows * length));
            let (mut expected, mut got) = (vec![0.0; length], vec![0.0; length]);
            attend_one(&query, &keys, &values, 0.125, &mut Vec::new(), &mut expected);
            attend(&query, &keys, &values, 0.125, &mut Vec::new(), &mut got);
            assert_eq!(got, expected, "{rows} rows of {length}");
        }
    }
}
