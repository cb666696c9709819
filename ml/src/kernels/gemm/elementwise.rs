//! What an encoder does between its products: GELU, layer norm, softmax, written so that compilers make vectors of it.

use super::{Isa, LANES, LayerNorm, Operation};

/// `x · Φ(x)` (Hendrycks and Gimpel 2016, <https://arxiv.org/abs/1606.08415>), the exact form; within 5e-7 · (1 + |x|).
#[inline(always)]
pub(super) fn gelu<I: Isa>(x: f32) -> f32 {
    let half = 0.5 * x;
    I::mul_add(half, erf::<I>(x * std::f32::consts::FRAC_1_SQRT_2), half)
}

/// The error function as a quotient of polynomials on [-4, 4], where it is ±1 in f32 beyond; the coefficients are those
/// of Eigen's float version (<https://eigen.tuxfamily.org>).
#[inline(always)]
pub(super) fn erf<I: Isa>(x: f32) -> f32 {
    let x = if x > 4.0 { 4.0 } else { x };
    let x = if x < -4.0 { -4.0 } else { x };
    let square = x * x;
    let mut upper = -2.726_142e-10_f32;
    for coefficient in [2.770_681_4e-8, -2.101_024e-6, -5.692_506_5e-5, -7.349_906e-4, -2.954_6e-3, -1.609_603_3e-2] {
        upper = I::mul_add(upper, square, coefficient);
    }
    let mut lower = -1.456_607_2e-5_f32;
    for coefficient in [-2.133_740_5e-4, -1.682_827e-3, -7.373_329e-3, -1.426_474e-2] {
        lower = I::mul_add(lower, square, coefficient);
    }
    x * upper / lower
}

/// `e^x` for `x` up to 0, within 2e-7 of it; below -87 the smallest normal value. Cephes' polynomial
/// (<https://www.netlib.org/cephes>).
#[inline(always)]
pub(super) fn exp<I: Isa>(x: f32) -> f32 {
    /// Adding it leaves the nearest whole number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x > -87.0 { x } else { -87.0 };
    let shifted = I::mul_add(x, std::f32::consts::LOG2_E, ROUND);
    let whole = shifted - ROUND;
    let rest = I::mul_add(whole, -0.693_359_4, x);
    let rest = I::mul_add(whole, 2.121_944_4e-4, rest);
    let mut sum = 1.987_569_1e-4_f32;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        sum = I::mul_add(sum, rest, coefficient);
    }
    let sum = I::mul_add(sum, rest * rest, rest) + 1.0;
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    sum * f32::from_bits(power)
}

pub(super) struct Softmax<'a> {
    pub(super) scores: &'a mut [f32],
    pub(super) width: usize,
    pub(super) count: usize,
    pub(super) scale: f32,
    pub(super) words: &'a mut [u32],
    pub(super) inverse: &'a mut [f32],
}

impl Operation for Softmax<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let words = if I::PAIRS { self.width / 2 } else { self.width };
        let rows = self.scores.chunks_exact_mut(self.width).zip(self.words.chunks_exact_mut(words));
        for ((row, words), inverse) in rows.zip(self.inverse) {
            row[self.count..].fill(f32::NEG_INFINITY);
            let mut greatest = [f32::NEG_INFINITY; LANES];
            for chunk in row.as_chunks::<LANES>().0 {
                for (greatest, &score) in greatest.iter_mut().zip(chunk) {
                    *greatest = if score > *greatest { score } else { *greatest };
                }
            }
            let greatest = greatest.into_iter().fold(f32::NEG_INFINITY, f32::max) * self.scale;
            for score in row.iter_mut() {
                *score = exp::<I>(I::mul_add(*score, self.scale, -greatest));
            }
            *inverse = 1.0 / sum(row, |value| value);
            I::store(row, words);
        }
    }
}

pub(super) struct Normalise<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) norm: &'a LayerNorm,
    pub(super) words: &'a mut [u32],
}

impl Operation for Normalise<'_> {
    #[inline(always)]
    fn run<I: Isa>(self) {
        let (gain, bias) = (&self.norm.gain, &self.norm.bias);
        let width = gain.len();
        let words = if I::PAIRS { width.div_ceil(2) } else { width };
        for (row, words) in self.values.chunks_exact_mut(width).zip(self.words.chunks_exact_mut(words)) {
            let mean = sum(row, |value| value) / width as f32;
            let variance = sum(row, |value| (value - mean) * (value - mean)) / width as f32;
            let factor = 1.0 / (variance + self.norm.epsilon).sqrt();
            for ((value, gain), bias) in row.iter_mut().zip(gain).zip(bias) {
                *value = I::mul_add((*value - mean) * factor, *gain, *bias);
            }
            I::store(row, words);
        }
    }
}

#[inline(always)]
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += of(value);
        }
    }
    add_lanes(sums) + rest.iter().map(|&value| of(value)).sum::<f32>()
}

#[inline(always)]
fn add_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}
