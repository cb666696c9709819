//! Choosing the next token: penalties, then top-k, top-p, min-p, temperature and a draw (SPEC ML-3).
//!
//! The order is llama.cpp's. top-p: Holtzman et al. 2020; min-p: Nguyen et al. 2024; penalty: Keskar et al. 2019.

use std::cmp::Ordering;
use std::collections::HashSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::SamplingParams;
use crate::{Error, Result};

/// Draws tokens for one answer. The same parameters, seed and logits give the same tokens.
pub struct Sampler {
    params: SamplingParams,
    random: ChaCha8Rng,
    /// The last `repeat_last_n` tokens of prompt and answer.
    recent: Vec<u32>,
}

impl Sampler {
    pub fn new(params: SamplingParams, prompt: &[u32]) -> Self {
        let kept = prompt.len().min(params.repeat_last_n);
        let recent = prompt[prompt.len() - kept..].to_vec();
        Self { random: ChaCha8Rng::seed_from_u64(params.seed), recent, params }
    }

    /// The next token, given one logit per token of the vocabulary. Fails when no logit is a number.
    pub fn next(&mut self, logits: &[f32]) -> Result<u32> {
        let mut candidates: Vec<(u32, f32)> = logits
            .iter()
            .enumerate()
            .filter(|(_, logit)| !logit.is_nan() && **logit != f32::NEG_INFINITY)
            .map(|(id, &logit)| (id as u32, logit.min(f32::MAX)))
            .collect();
        if candidates.is_empty() {
            return Err(Error::Compute(candle_core::Error::msg("the model gave no usable probabilities")));
        }
        self.penalise(&mut candidates);
        let greedy = self.params.temperature.is_nan() || self.params.temperature <= 0.0;
        let token = if greedy { greatest(&candidates) } else { self.draw(candidates) };
        self.remember(token);
        Ok(token)
    }

    fn penalise(&self, candidates: &mut [(u32, f32)]) {
        let penalty = self.params.repeat_penalty;
        if !penalty.is_finite() || penalty <= 0.0 || penalty == 1.0 || self.recent.is_empty() {
            return;
        }
        let recent: HashSet<u32> = self.recent.iter().copied().collect();
        for (_, logit) in candidates.iter_mut().filter(|(id, _)| recent.contains(id)) {
            *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
        }
    }

    fn draw(&mut self, mut candidates: Vec<(u32, f32)>) -> u32 {
        let k = self.params.top_k;
        if k > 0 && k < candidates.len() {
            candidates.select_nth_unstable_by(k - 1, by_logit);
            candidates.truncate(k);
        }
        candidates.sort_unstable_by(by_logit);
        keep_nucleus(&mut candidates, self.params.top_p);
        keep_likely(&mut candidates, self.params.min_p);

        let weights = softmax(&candidates, self.params.temperature);
        let mut left = self.random.random::<f64>() * weights.iter().sum::<f64>();
        for (&(id, _), weight) in candidates.iter().zip(&weights) {
            left -= weight;
            if left < 0.0 {
                return id;
            }
        }
        candidates[candidates.len() - 1].0
    }

    /// Takes a token that came without being drawn.
    pub(crate) fn remember(&mut self, token: u32) {
        if self.params.repeat_last_n == 0 {
            return;
        }
        if self.recent.len() >= self.params.repeat_last_n {
            self.recent.remove(0);
        }
        self.recent.push(token);
    }
}

/// The token with the greatest logit; of equals the one with the lowest id.
fn greatest(candidates: &[(u32, f32)]) -> u32 {
    candidates.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best }).map_or(0, |best| best.0)
}

fn by_logit(left: &(u32, f32), right: &(u32, f32)) -> Ordering {
    right.1.total_cmp(&left.1).then(left.0.cmp(&right.0))
}

/// Unnormalised probabilities of candidates that are sorted by logit; the first is 1.
fn softmax(sorted: &[(u32, f32)], temperature: f32) -> Vec<f64> {
    let greatest = f64::from(sorted[0].1);
    sorted.iter().map(|&(_, logit)| ((f64::from(logit) - greatest) / f64::from(temperature)).exp()).collect()
}

fn keep_nucleus(sorted: &mut Vec<(u32, f32)>, top_p: f32) {
    if top_p.is_nan() || top_p >= 1.0 {
        return;
    }
    let weights = softmax(sorted, 1.0);
    let wanted = f64::from(top_p.max(0.0)) * weights.iter().sum::<f64>();
    let mut reached = 0.0;
    let kept = weights.iter().take_while(|&weight| {
        let enough = reached >= wanted && reached > 0.0;
        reached += weight;
        !enough
    });
    let kept = kept.count();
    sorted.truncate(kept.max(1));
}

fn keep_likely(sorted: &mut Vec<(u32, f32)>, min_p: f32) {
    if min_p.is_nan() || min_p <= 0.0 {
        return;
    }
    let kept = softmax(sorted, 1.0).iter().take_while(|&&weight| weight >= f64::from(min_p)).count();
    sorted.truncate(kept.max(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> SamplingParams {
        SamplingParams {
            temperature: 1.0,
            top_p: 1.0,
            top_k: 0,
            min_p: 0.0,
            repeat_penalty: 1.0,
            ..SamplingParams::default()
        }
    }

    /// Which of four tokens with probabilities 0.5, 0.3, 0.15, 0.05 come up in 2,000 draws, and how often.
    fn counts(params: SamplingParams) -> [usize; 4] {
        let logits = [0.5f32.ln(), 0.3f32.ln(), 0.15f32.ln(), 0.05f32.ln()];
        let mut sampler = Sampler::new(params, &[]);
        let mut counts = [0; 4];
        for _ in 0..2000 {
            counts[sampler.next(&logits).unwrap() as usize] += 1;
        }
        counts
    }

    #[test]
    fn draws_follow_the_probabilities() {
        let counts = counts(plain());
        for (count, expected) in counts.into_iter().zip([1000, 600, 300, 100]) {
            assert!(count.abs_diff(expected) < 90, "{counts:?}");
        }
    }

    #[test]
    fn top_k_top_p_and_min_p_cut_the_tail() {
        let check = |params: SamplingParams, kept: usize| {
            let counts = counts(params.clone());
            assert!(counts[..kept].iter().all(|&count| count > 0), "{params:?} {counts:?}");
            assert!(counts[kept..].iter().all(|&count| count == 0), "{params:?} {counts:?}");
        };
        check(SamplingParams { top_k: 2, ..plain() }, 2);
        check(SamplingParams { top_k: 9, ..plain() }, 4);
        check(SamplingParams { top_p: 0.79, ..plain() }, 2);
        check(SamplingParams { top_p: 0.81, ..plain() }, 3);
        check(SamplingParams { top_p: 0.0, ..plain() }, 1);
        check(SamplingParams { min_p: 0.4, ..plain() }, 2);
        check(SamplingParams { min_p: 1.0, ..plain() }, 1);
    }

    #[test]
    fn temperature_sharpens_and_zero_is_greedy() {
        assert!(counts(SamplingParams { temperature: 0.2, ..plain() })[0] > 1700);
        assert!(counts(SamplingParams { temperature: 5.0, ..plain() })[3] > 200);
        assert_eq!(counts(SamplingParams { temperature: 0.0, ..plain() }), [2000, 0, 0, 0]);
    }

    #[test]
    fn the_same_seed_gives_the_same_tokens() {
        let tokens = |seed| {
            let mut sampler = Sampler::new(SamplingParams { seed, ..plain() }, &[]);
            (0..50).map(|_| sampler.next(&[0.0; 64]).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(tokens(3), tokens(3));
        assert_ne!(tokens(3), tokens(4));
    }

    #[test]
    fn repeated_tokens_are_penalised_and_forgotten() {
        let params = SamplingParams { temperature: 0.0, repeat_penalty: 2.0, repeat_last_n: 2, ..plain() };
        let mut sampler = Sampler::new(params, &[9, 0]);
        let logits = [3.0, 2.0, 1.9, -1.0];
        // 0 stands in the prompt; then the memory of two tokens moves on.
        assert_eq!((0..4).map(|_| sampler.next(&logits).unwrap()).collect::<Vec<_>>(), [1, 2, 0, 1]);
    }

    #[test]
    fn broken_logits_are_survived_or_refused() {
        let mut sampler = Sampler::new(plain(), &[]);
        assert_eq!(sampler.next(&[f32::NAN, 0.0, f32::NEG_INFINITY]).unwrap(), 1);
        assert_eq!(sampler.next(&[f32::INFINITY, 0.0]).unwrap(), 0);
        assert!(sampler.next(&[f32::NAN, f32::NEG_INFINITY]).is_err());
        assert!(sampler.next(&[]).is_err());
    }
}
