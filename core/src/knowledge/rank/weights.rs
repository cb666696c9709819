//! What each feature weighs. Learned, not chosen: see `assets/relevance/learn.py`.

use super::FEATURES;

/// A passage with this score is as likely wanted as not.
const MIDDLE: f32 = 12.0;
/// Where no encoder has embedded the passages yet.
pub const WITHOUT_ENCODER: [f32; FEATURES] =
    [0.05, 0.0, 0.14, 0.08, 0.17, 0.2, 1.0, 8.0, 1.9, 5.1, 2.0, -4.0, -0.5, 4.0, 3.0, 0.0, 0.0, 0.0];
pub const WITH_ENCODER: [f32; FEATURES] =
    [0.05, 0.0, 0.14, 0.08, 0.17, 0.2, 1.0, 8.0, 1.9, 5.1, 2.0, -4.0, -0.5, 4.0, 1.5, 8.0, 0.0, 0.0];

/// The score of a passage; higher is better, only the order counts.
pub fn score(features: &[f32; FEATURES], with_encoder: bool) -> f32 {
    let weights = if with_encoder { &WITH_ENCODER } else { &WITHOUT_ENCODER };
    weights.iter().zip(features).map(|(weight, value)| weight * value).sum()
}

/// The score as a share from 0 to 1, for people.
pub fn confidence(score: f32) -> f32 {
    1.0 / (1.0 + (MIDDLE - score).exp())
}
