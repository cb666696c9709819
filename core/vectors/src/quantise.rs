//! Vectors as two bytes per dimension: a coarse code, and a fine one for what the coarse one leaves.
//!
//! A value is about `scale * (coarse + fine / 254)`: 16 bits in all, of which searching reads the first eight.

use rspa_ml::kernels::distance;

/// Steps of a fine code in one of a coarse code.
const FINE: f32 = 254.0;
const LARGEST: f32 = 127.0;

/// Fills the codes of a vector. Values that are no numbers count as 0.
///
/// # Returns
/// The scale; 0 for a vector of zeros.
pub fn quantise(vector: &[f32], coarse: &mut [i8], fine: &mut [i8]) -> f32 {
    let largest = vector.iter().filter(|value| value.is_finite()).fold(0.0_f32, |most, value| most.max(value.abs()));
    let scale = largest / LARGEST;
    if scale < f32::MIN_POSITIVE {
        coarse.fill(0);
        fine.fill(0);
        return 0.0;
    }
    for ((value, coarse), fine) in vector.iter().zip(coarse).zip(fine) {
        let steps = if value.is_finite() { (value / scale).clamp(-LARGEST, LARGEST) } else { 0.0 };
        let whole = steps.round();
        *coarse = whole as i8;
        *fine = ((steps - whole) * FINE).round().clamp(-LARGEST, LARGEST) as i8;
    }
    scale
}

/// The product of a query with a row's codes, nearly exact.
pub fn exact(query: &[f32], coarse: &[i8], fine: &[i8], scale: f32) -> f32 {
    scale * (distance::codes(query, coarse) + distance::codes(query, fine) / FINE)
}

/// A query at unit length with its codes.
#[derive(Default)]
pub struct Query {
    pub values: Vec<f32>,
    pub codes: Vec<i8>,
    fine: Vec<i8>,
    /// What products of codes are multiplied with, beside the scale of a row.
    pub scale: f32,
}

impl Query {
    /// False for a vector without a direction.
    pub fn set(&mut self, vector: &[f32]) -> bool {
        let length = distance::floats(vector, vector).sqrt();
        if !length.is_finite() || length <= f32::MIN_POSITIVE {
            return false;
        }
        self.values.clear();
        self.values.extend(vector.iter().map(|value| value / length));
        self.codes.resize(vector.len(), 0);
        self.fine.resize(vector.len(), 0);
        self.scale = quantise(&self.values, &mut self.codes, &mut self.fine);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn codes_keep_fifteen_bits(values in proptest::collection::vec(-1.0_f32..1.0, 1..300)) {
            let (mut coarse, mut fine) = (vec![0; values.len()], vec![0; values.len()]);
            let scale = quantise(&values, &mut coarse, &mut fine);
            let largest = values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            for (at, value) in values.iter().enumerate() {
                let back = scale * (f32::from(coarse[at]) + f32::from(fine[at]) / FINE);
                prop_assert!((back - value).abs() <= largest * 2e-5 + 1e-7, "{value} became {back}");
            }
        }
    }

    #[test]
    fn odd_vectors_become_zeros() {
        let (mut coarse, mut fine) = ([1; 3], [1; 3]);
        assert_eq!(quantise(&[f32::NAN, f32::INFINITY, 0.0], &mut coarse, &mut fine), 0.0);
        assert_eq!((coarse, fine), ([0; 3], [0; 3]));
        let mut query = Query::default();
        assert!(!query.set(&[0.0; 4]) && !query.set(&[f32::NAN, 1.0]) && !query.set(&[f32::MAX, f32::MAX]));
        assert!(query.set(&[3.0, 4.0]));
        assert_eq!(query.values, [0.6, 0.8]);
    }
}
