//! What each feature weighs. Learned, not chosen, but for what is said here: see `assets/relevance/learn.py`.

use super::FEATURES;

/// For code, where no encoder has embedded the passages yet. In the order of [`super::NAMES`].
const CODE: [f32; FEATURES] = [
    -0.0057, 0.0046, 0.1723, -0.0018, 0.1930, -0.1420, 1.6375, 8.2521, 1.7945, 1.7391, IDENTIFIER, TEST, 0.0037,
    2.0513, 0.9059, 0.0, 0.0, 0.0,
];
/// The same with an encoder's cosine.
const CODE_ENCODED: [f32; FEATURES] = [
    -0.0255, -0.0190, 0.1725, -0.0198, 0.1962, -0.1197, 1.5006, 7.2950, 1.5452, 1.9707, IDENTIFIER, TEST, -0.0431,
    1.8702, -1.0841, 6.9259, 0.0, 0.0,
];
/// For the fifty best, which were compared with the question token by token.
const CODE_COMPARED: [f32; FEATURES] = [
    -0.0447, -0.0406, 0.1887, -0.0337, 0.2455, -0.1279, 1.3329, 5.4825, 1.5569, 2.8130, IDENTIFIER, TEST, -0.2911,
    2.0940, -1.2600, 1.3883, 0.0, 12.0200,
];
/// First sentences of doc comments hardly ever write out an identifier: who does means it.
const IDENTIFIER: f32 = 2.0;
/// Learned as -5; people look for tests, too.
const TEST: f32 = -3.0;
/// Prose declares nothing: its headings and words count in place of names. Chosen so that a section under a fitting heading
/// stands beside a function of a fitting name.
const PROSE_HEADING: f32 = 0.3;
const PROSE_TEXT: f32 = 0.15;

/// A passage with this score is as likely wanted as not; how steeply that changes.
const MIDDLE: f32 = 17.8;
const SLOPE: f32 = 0.25;

/// The score of a passage that was compared token by token; only the order among such passages counts.
pub fn compared(features: &[f32; FEATURES], is_code: bool) -> f32 {
    with(&CODE_COMPARED, features, is_code)
}

/// The score of a passage; higher is better, only the order counts.
pub fn score(features: &[f32; FEATURES], is_code: bool, with_encoder: bool) -> f32 {
    let weights = if with_encoder { &CODE_ENCODED } else { &CODE };
    with(weights, features, is_code)
}

fn with(weights: &[f32; FEATURES], features: &[f32; FEATURES], is_code: bool) -> f32 {
    let learned: f32 = weights.iter().zip(features).map(|(weight, value)| weight * value).sum();
    if is_code { learned } else { learned + PROSE_TEXT * features[0] + PROSE_HEADING * features[3] }
}

/// The score as a share from 0 to 1, for people.
pub fn confidence(score: f32) -> f32 {
    1.0 / (1.0 + (SLOPE * (MIDDLE - score)).exp())
}
