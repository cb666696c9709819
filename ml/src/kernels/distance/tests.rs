//! Every kernel of this processor against the scalar one, for all lengths.

use proptest::prelude::*;

use super::*;

fn byte_codes(length: usize) -> impl Strategy<Value = Vec<i8>> {
    proptest::collection::vec(-127_i8..=127, length)
}

/// What hostile files may hold too.
fn any_codes(length: usize) -> impl Strategy<Value = Vec<i8>> {
    proptest::collection::vec(any::<i8>(), length)
}

fn values(length: usize) -> impl Strategy<Value = Vec<f32>> {
    proptest::collection::vec(-2.0_f32..2.0, length)
}

/// A millionth of the sum of magnitudes per thousand dimensions, and what is lost at least.
fn tolerance(products: impl Iterator<Item = f32>) -> f32 {
    1e-6 * products.map(f32::abs).sum::<f32>() + 1e-6
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn byte_products_are_exact(
        (length, query, rows, ids) in (1_usize..300, 0_usize..14).prop_flat_map(|(length, count)| (
            Just(length),
            byte_codes(length),
            any_codes(length * count),
            proptest::collection::vec(0_u32..16, 0..40),
        ))
    ) {
        let count = rows.len() / length;
        let exact = |id: usize| -> i64 {
            rows[id * length..(id + 1) * length].iter().zip(&query).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum()
        };
        for kernels in available() {
            let mut found = vec![7; ids.len()];
            // SAFETY: the kernel is one of those that this processor can run.
            unsafe { (kernels.gather)(&query, &rows, &ids, &mut found) };
            for (id, found) in ids.iter().zip(found) {
                let wanted = if (*id as usize) < count { exact(*id as usize) } else { i64::from(MISSING) };
                prop_assert_eq!(i64::from(found), wanted, "{} of {}", kernels.name, length);
            }
            let mut found = vec![7; count];
            // SAFETY: the kernel is one of those that this processor can run; there are `count` rows.
            unsafe { (kernels.block)(&query, &rows, &mut found) };
            for (id, found) in found.into_iter().enumerate() {
                prop_assert_eq!(i64::from(found), exact(id), "{} of {}", kernels.name, length);
            }
        }
    }

    #[test]
    fn float_products_agree((query, row, bytes) in (0_usize..600).prop_flat_map(|length| (
        values(length), values(length), any_codes(length),
    ))) {
        let halves: Vec<f16> = row.iter().map(|value| f16::from_f32(*value)).collect();
        let brains: Vec<bf16> = row.iter().map(|value| bf16::from_f32(*value)).collect();
        for kernels in available() {
            // SAFETY: the kernel is one of those that this processor can run; the lengths are equal.
            let found = unsafe {
                [
                    (kernels.floats)(&query, &row),
                    (kernels.halves)(&query, &halves),
                    (kernels.brains)(&query, &brains),
                    (kernels.codes)(&query, &bytes),
                ]
            };
            let wanted = [
                scalar::floats(&query, &row),
                scalar::halves(&query, &halves),
                scalar::brains(&query, &brains),
                scalar::codes(&query, &bytes),
            ];
            let near = tolerance(query.iter().zip(&row).map(|(a, b)| a * b));
            let coarse = tolerance(query.iter().zip(&bytes).map(|(a, b)| a * f32::from(*b)));
            for (at, (found, wanted)) in found.into_iter().zip(wanted).enumerate() {
                let tolerance = if at == 3 { coarse } else { near };
                prop_assert!((found - wanted).abs() <= tolerance, "{} {at}: {found} {wanted}", kernels.name);
            }
        }
    }

    #[test]
    fn numbers_become_bytes_and_numbers_again(numbers in proptest::collection::vec(any::<u32>(), 0..50)) {
        let bytes = bytes_of(&numbers);
        prop_assert_eq!(view::<u32>(bytes), Some(numbers.as_slice()));
        if !bytes.is_empty() {
            prop_assert_eq!(view::<u32>(&bytes[1..]), None);
            prop_assert_eq!(view::<u32>(&bytes[..bytes.len() - 1]), None);
        }
    }
}

#[test]
fn sums_stay_exact_at_the_largest_dimensions() {
    let (query, row) = (vec![127_i8; 65_536], vec![-128_i8; 65_536]);
    let mut output = [0];
    block(&query, &row, &mut output);
    assert_eq!(output, [127 * -128 * 65_536]);
    // Out of range in every way: nothing happens.
    prefetch(&row, 70_000, usize::MAX);
    prefetch(&row, 65_000, usize::MAX);
}
