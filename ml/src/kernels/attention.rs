//! Softmax attention of one query, compiled for the widest vectors of the processor.
//!
//! All versions are the same code without fused operations: the same bits on every processor.

/// One query over all rows of `keys` and `values`, each as long as the query; `output` is zero at first. `scores` is
/// working space.
pub fn attend(query: &[f32], keys: &[f32], values: &[f32], scale: f32, scores: &mut Vec<f32>, output: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has AVX-512 F.
            return unsafe { avx512(query, keys, values, scale, scores, output) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            return unsafe { avx2(query, keys, values, scale, scores, output) };
        }
    }
    attend_one(query, keys, values, scale, scores, output);
}

/// # Safety
/// The processor must have AVX-512 F.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(query: &[f32], keys: &[f32], values: &[f32], scale: f32, scores: &mut Vec<f32>, output: &mut [f32]) {
    attend_one(query, keys, values, scale, scores, output);
}

/// # Safety
/// The processor must have AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2(query: &[f32], keys: &[f32], values: &[f32], scale: f32, scores: &mut Vec<f32>, output: &mut [f32]) {
    attend_one(query, keys, values, scale, scores, output);
}

#[inline(always)]
fn attend_one(query: &[f32], keys: &[f32], values: &[f32], scale: f32, scores: &mut Vec<f32>, output: &mut [f32]) {
    let length = query.len();
    scores.clear();
    scores.extend(keys.chunks_exact(length).map(|key| dot(query, key) * scale));
    let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (score, value) in scores.iter().zip(values.chunks_exact(length)) {
        let weight = (score - greatest).exp();
        sum += weight;
        for (output, value) in output.iter_mut().zip(value) {
            *output += weight * value;
        }
    }
    for output in output {
        *output /= sum;
    }
}

/// Sums in sixteen lanes, which compilers turn into vector instructions.
#[inline(always)]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let (left, right) = (left.chunks_exact(16), right.chunks_exact(16));
    let rest: f32 = left.remainder().iter().zip(right.remainder()).map(|(a, b)| a * b).sum();
    for (left, right) in left.zip(right) {
        for ((lane, a), b) in lanes.iter_mut().zip(left).zip(right) {
            *lane += a * b;
        }
    }
    let mut width = 8;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0] + rest
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn all_versions_give_the_same_bits() {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(11);
        for (rows, length) in [(1, 8), (70, 64), (33, 20), (5, 128), (300, 80)] {
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
