//! Every kernel against plain sums in f64 over the same words, on any shape.

use half::bf16;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};

use super::*;

fn random(count: usize, seed: u64) -> Vec<f32> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| random.random::<f32>() * 2.0 - 1.0).collect()
}

/// The value that a word keeps of `value`.
fn kept(kernel: Kernel, value: f32) -> f64 {
    f64::from(if kernel.pairs() { bf16::from_f32(value).to_f32() } else { value })
}

/// Rows as words, `extra` words further apart than they are long.
fn words(kernel: Kernel, values: &[f32], width: usize, extra: usize) -> (Vec<u32>, usize) {
    let stride = kernel.words(width) + extra;
    let mut words = vec![0xffff_ffff; values.len() / width * stride];
    for (row, words) in values.chunks(width).zip(words.chunks_mut(stride)) {
        kernel.to_words(row, &mut words[..kernel.words(width)]);
    }
    (words, stride)
}

/// Value `column` of a row of words.
fn value(kernel: Kernel, row: &[u32], column: usize) -> f64 {
    if kernel.pairs() {
        f64::from(bf16::from_bits((row[column / 2] >> (column % 2 * 16)) as u16).to_f32())
    } else {
        f64::from(f32::from_bits(row[column]))
    }
}

/// What rounding to a word may change.
fn rounding(kernel: Kernel, value: f64) -> f64 {
    if kernel.pairs() { value.abs() / 256.0 + 1e-5 } else { value.abs() * 1e-6 + 1e-5 }
}

fn exact_gelu(x: f64) -> f64 {
    // The series of Φ around 0 (Marsaglia 2004, <https://doi.org/10.18637/jss.v011.i04>).
    let (mut sum, mut term, mut at) = (x, x, 1.0);
    while sum + term != sum {
        at += 2.0;
        term *= x * x / at;
        sum += term;
    }
    x * (0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn products_are_those_of_plain_sums(
        rows in 1usize..40, inner in 1usize..90, columns in 1usize..130, extra in 0usize..3, seed in 0u64..1000,
    ) {
        let (input, weights) = (random(rows * inner, seed), random(columns * inner, seed + 1));
        let (bias, base) = (random(columns, seed + 2), random(rows * columns, seed + 3));
        let factors = random(rows, seed + 4);
        for kernel in Kernel::available() {
            let panels = Panels::pack(kernel, &weights, columns, inner);
            let (words, stride) = words(kernel, &input, inner, extra);
            let mut added = base.clone();
            kernel.multiply(&words, stride, rows, &panels, Finish::Add { bias: &bias, output: &mut added, stride: columns });
            let mut stored = vec![f32::NAN; rows * columns];
            kernel.multiply(&words, stride, rows, &panels, Finish::Store { output: &mut stored, stride: columns });
            let width = kernel.words(columns);
            let mut activated = vec![0; rows * width];
            let finish = Finish::Words { bias: &bias, gelu: true, output: &mut activated, stride: width };
            kernel.multiply(&words, stride, rows, &panels, finish);
            let mut scaled = vec![0; rows * width];
            let finish = Finish::Scaled { factors: &factors, output: &mut scaled, stride: width };
            kernel.multiply(&words, stride, rows, &panels, finish);
            for row in 0..rows {
                for column in 0..columns {
                    let at = row * columns + column;
                    let product: f64 = (0..inner)
                        .map(|i| kept(kernel, input[row * inner + i]) * kept(kernel, weights[column * inner + i]))
                        .sum();
                    let near = |got: f64, expected: f64| (got - expected).abs() < 3e-5;
                    prop_assert!(near(f64::from(stored[at]), product), "{:?} {} {}", kernel, stored[at], product);
                    let biased = product + f64::from(bias[column]);
                    prop_assert!(near(f64::from(added[at]), biased + f64::from(base[at])), "{:?}", kernel);
                    let expected = exact_gelu(biased);
                    let got = value(kernel, &activated[row * width..], column);
                    prop_assert!((got - expected).abs() < rounding(kernel, expected) + 3e-5, "{:?} {} {}", kernel, got, expected);
                    let expected = product * f64::from(factors[row]);
                    let got = value(kernel, &scaled[row * width..], column);
                    prop_assert!((got - expected).abs() < rounding(kernel, expected) + 3e-5, "{:?}", kernel);
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours(rows in 1usize..30, inner in 1usize..70, columns in 1usize..100, seed in 0u64..1000) {
        let (input, weights) = (random(rows * inner, seed), random(columns * inner, seed + 1));
        for kernel in Kernel::available() {
            let panels = Panels::pack(kernel, &weights, columns, inner);
            let (words, stride) = words(kernel, &input, inner, 0);
            let mut together = vec![0.0; rows * columns];
            kernel.multiply(&words, stride, rows, &panels, Finish::Store { output: &mut together, stride: columns });
            for row in 0..rows {
                let mut alone = vec![0.0; columns];
                let finish = Finish::Store { output: &mut alone, stride: columns };
                kernel.multiply(&words[row * stride..][..stride], stride, 1, &panels, finish);
                prop_assert_eq!(&together[row * columns..][..columns], &alone, "{:?}", kernel);
            }
        }
    }

    #[test]
    fn keys_and_values_are_packed_as_attention_reads_them(
        count in 1usize..120, half in 1usize..40, other in 1usize..20, seed in 0u64..1000,
    ) {
        let dimensions = half * 2;
        let rows = random(count * dimensions, seed);
        let queries = random(other * dimensions, seed + 1);
        let weights = random(other * count, seed + 2);
        for kernel in Kernel::available() {
            let mut panels = Panels::default();
            // What was there before must not shine through.
            let (stale, stride) = words(kernel, &random(200 * 60, 9), 60, 0);
            panels.fill_rows(kernel, &stale, stride, 200, 60);
            let (words_of_rows, stride) = words(kernel, &rows, dimensions, 2);
            panels.fill_columns(&words_of_rows, stride, count, kernel.words(dimensions));
            let mut scores = vec![0.0; other * count];
            let (words_of_queries, query_stride) = words(kernel, &queries, dimensions, 0);
            kernel.multiply(&words_of_queries, query_stride, other, &panels, Finish::Store { output: &mut scores, stride: count });
            for (at, score) in scores.iter().enumerate() {
                let (query, key) = (&queries[at / count * dimensions..], &rows[at % count * dimensions..]);
                let expected: f64 = (0..dimensions).map(|i| kept(kernel, query[i]) * kept(kernel, key[i])).sum();
                prop_assert!((f64::from(*score) - expected).abs() < 3e-5, "{:?}", kernel);
            }
            panels.fill_rows(kernel, &words_of_rows, stride, count, dimensions);
            let (words_of_weights, weight_stride) = words(kernel, &weights, count, 0);
            let mut sums = vec![0.0; other * dimensions];
            kernel.multiply(&words_of_weights, weight_stride, other, &panels, Finish::Store { output: &mut sums, stride: dimensions });
            for (at, sum) in sums.iter().enumerate() {
                let (row, column) = (at / dimensions, at % dimensions);
                let expected: f64 = (0..count)
                    .map(|i| kept(kernel, weights[row * count + i]) * kept(kernel, rows[i * dimensions + column]))
                    .sum();
                prop_assert!((f64::from(*sum) - expected).abs() < 3e-5, "{:?}", kernel);
            }
        }
    }

    #[test]
    fn softmax_and_layer_norm_are_those_of_the_formulas(rows in 1usize..6, count in 1usize..100, spread in 0.1f32..60.0, seed in 0u64..1000) {
        let values: Vec<f32> = random(rows * count, seed).iter().map(|value| value * spread).collect();
        let width = count.next_multiple_of(LANES);
        let norm = LayerNorm { gain: random(count, seed + 1), bias: random(count, seed + 2), epsilon: 1e-5 };
        for kernel in Kernel::available() {
            let mut scores = vec![f32::NAN; rows * width];
            for (scores, values) in scores.chunks_mut(width).zip(values.chunks(count)) {
                scores[..count].copy_from_slice(values);
            }
            let stride = kernel.words(width);
            let (mut weights, mut inverse) = (vec![0; rows * stride], vec![0.0; rows]);
            kernel.softmax(&mut scores, width, count, 0.5, &mut weights, &mut inverse);
            let mut normal = values.clone();
            let mut normal_words = vec![0; rows * kernel.words(count)];
            kernel.layer_norm(&mut normal, &norm, &mut normal_words);
            for (row, values) in values.chunks(count).enumerate() {
                let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let exponentials: Vec<f64> = values.iter().map(|value| (f64::from(value - greatest) * 0.5).exp()).collect();
                let total: f64 = exponentials.iter().sum();
                let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count as f64;
                let variance = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count as f64;
                for column in 0..count {
                    let expected = exponentials[column] / total;
                    let got = value(kernel, &weights[row * stride..], column) * f64::from(inverse[row]);
                    prop_assert!((got - expected).abs() < rounding(kernel, expected), "{:?} {} {}", kernel, got, expected);
                    let expected = (f64::from(values[column]) - mean) / (variance + 1e-5).sqrt() * f64::from(norm.gain[column])
                        + f64::from(norm.bias[column]);
                    let got = f64::from(normal[row * count + column]);
                    prop_assert!((got - expected).abs() < 2e-4, "{:?} {} {}", kernel, got, expected);
                    let word = value(kernel, &normal_words[row * kernel.words(count)..], column);
                    prop_assert!((word - got).abs() <= rounding(kernel, got));
                }
                for column in count..width {
                    prop_assert!(value(kernel, &weights[row * stride..], column) < 1e-30);
                }
            }
        }
    }
}

#[test]
fn gelu_is_exact_to_float_precision_everywhere() {
    for at in -80_000..=80_000 {
        let x = at as f32 / 10_000.0;
        let expected = exact_gelu(f64::from(x));
        let got = f64::from(gelu::<scalar::Scalar>(x));
        assert!(
            (got - expected).abs() <= 5e-7 * (1.0 + f64::from(x).abs()),
            "gelu({x}) is {got} instead of {expected}"
        );
    }
    for (x, expected) in [(100.0, 100.0), (-100.0, 0.0)] {
        assert!((gelu::<scalar::Scalar>(x) - expected).abs() < 5e-5);
    }
    assert!(gelu::<scalar::Scalar>(f32::NAN).is_nan());
}

#[test]
fn exponentials_are_exact_to_float_precision_down_to_the_smallest() {
    for at in 0..=87_000 {
        let x = -at as f32 / 1000.0;
        let (got, expected) = (f64::from(elementwise::exp::<scalar::Scalar>(x)), f64::from(x).exp());
        assert!((got / expected - 1.0).abs() < 3e-7, "exp({x}) is {got} instead of {expected}");
    }
    assert!(elementwise::exp::<scalar::Scalar>(f32::NEG_INFINITY) < 1e-37);
}

#[test]
#[should_panic(expected = "stride")]
fn an_input_that_is_too_short_is_refused() {
    let kernel = Kernel::best_f32();
    let panels = Panels::pack(kernel, &[1.0; 12], 3, 4);
    kernel.multiply(&[0; 7], 4, 2, &panels, Finish::Store { output: &mut [0.0; 6], stride: 3 });
}
