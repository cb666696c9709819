//! The best candidates compared with the question more closely than a ranking of all can afford, within a time: token by
//! token (late interaction: ColBERT, Khattab and Zaharia 2020), or by a cross-encoder where one is installed.

use std::time::{Duration, Instant};

use rspa_ml::embed::cross::Reranker;
use rspa_ml::embed::{Embedder, LateInteraction};
use rspa_ml::{Cancel, Result};

/// Passages that are compared at most.
pub(super) const COMPARED: usize = 50;
/// Passages between two looks at the time.
const AT_ONCE: usize = 6;

/// For as many of the passages as there is time for, how well their tokens fit those of the question: -1 to 1.
pub(super) fn interact(
    embedder: &dyn Embedder,
    question: &str,
    passages: &[String],
    time: Duration,
    cancel: &Cancel,
) -> Result<Vec<f32>> {
    let Some(question) = embedder.embed_tokens(&[question], cancel)?.pop().filter(|tokens| !tokens.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut interaction = LateInteraction::new(&question);
    within(time, passages, |texts| {
        Ok(embedder.embed_tokens(texts, cancel)?.iter().map(|tokens| interaction.score(tokens)).collect())
    })
}

/// For as many of the passages as there is time for, the cross-encoder's logits.
pub(super) fn cross(
    reranker: &dyn Reranker,
    question: &str,
    passages: &[String],
    time: Duration,
    cancel: &Cancel,
) -> Result<Vec<f32>> {
    within(time, passages, |texts| reranker.score(question, texts, cancel))
}

/// Goes through the passages while another batch, as slow as the slowest so far, would end in time; the first is always
/// taken.
fn within(
    time: Duration,
    passages: &[String],
    mut compare: impl FnMut(&[&str]) -> Result<Vec<f32>>,
) -> Result<Vec<f32>> {
    let started = Instant::now();
    let mut scores = Vec::with_capacity(passages.len());
    let mut slowest = Duration::ZERO;
    for batch in passages.chunks(AT_ONCE) {
        let before = started.elapsed();
        if before + slowest > time {
            break;
        }
        let texts: Vec<&str> = batch.iter().map(String::as_str).collect();
        scores.extend(compare(&texts)?);
        slowest = slowest.max(started.elapsed() - before);
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("passage {at}")).collect()
    }

    #[test]
    fn all_are_compared_where_there_is_time() {
        let scores = within(Duration::MAX, &passages(20), |texts| Ok(vec![texts.len() as f32; texts.len()])).unwrap();
        assert_eq!(scores.len(), 20);
        assert_eq!((scores[0], scores[19]), (6.0, 2.0));
    }

    #[test]
    fn a_batch_that_would_end_too_late_is_not_begun() {
        let mut batches = 0;
        let scores = within(Duration::from_millis(30), &passages(50), |texts| {
            batches += 1;
            let since = Instant::now();
            while since.elapsed() < Duration::from_millis(20) {
                std::hint::spin_loop();
            }
            Ok(vec![0.0; texts.len()])
        })
        .unwrap();
        assert_eq!((batches, scores.len()), (1, AT_ONCE));
    }
}
