//! The exponential, with the same bits alone and in vectors of any width.

/// The exponential of a number that is not above 0 (one that is counts as 0, what is no number as the least), within two units in the last place; below -87 it is 0.
///
/// 2 to the whole part of `value / ln 2`, times a polynomial over the rest (Cephes, Moshier 1989), with operations that are
/// the same alone and in vectors.
#[inline(always)]
pub(super) fn exp(value: f32) -> f32 {
    /// Adding and taking away 1.5 · 2²³ rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first with few bits, so that a whole multiple of it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let clamped = if value > -87.0 { value } else { -87.0 };
    let clamped = if clamped < 0.0 { clamped } else { 0.0 };
    let whole = clamped.mul_add(std::f32::consts::LOG2_E, ROUND) - ROUND;
    let rest = whole.mul_add(-LN_2_HIGH, clamped);
    let rest = whole.mul_add(-LN_2_LOW, rest);
    let mut sum = 1.987_569_1e-4_f32;
    sum = sum.mul_add(rest, 1.398_2e-3);
    sum = sum.mul_add(rest, 8.333_452e-3);
    sum = sum.mul_add(rest, 4.166_579_6e-2);
    sum = sum.mul_add(rest, 1.666_666_5e-1);
    sum = sum.mul_add(rest, 0.5);
    sum = sum.mul_add(rest * rest, rest) + 1.0;
    let power = f32::from_bits(((whole as i32 + 127) << 23) as u32);
    if value > -87.0 { sum * power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_the_library() {
        for step in 0..200_000 {
            let value = -87.0 * step as f32 / 200_000.0;
            let (ours, exact) = (f64::from(exp(value)), f64::from(value).exp());
            assert!((ours / exact - 1.0).abs() < 2.5e-7, "{value}: {ours} instead of {exact}");
        }
        assert_eq!((exp(0.0), exp(-1_000.0), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
    }
}
