//! Asks the retrieval tests of one index: the place of each wanted passage, and the figures per stage.

use rspa_ml::Cancel;

use super::Progress;
use super::wanted::Target;
use crate::knowledge::KnowledgeError;
use crate::knowledge::service::Service;
use crate::model::{
    RetrievalFigures, RetrievalOutcome, RetrievalSettings, RetrievalStage, RetrievalTest, SearchHit, SearchMode,
    SearchQuery, StageFigures, StageRank, TestPlace,
};

/// Hits that are looked through.
const LIMIT: u32 = 200;
/// Deeper places count as not found in the figures.
const DEPTH: u32 = 10;

/// Where one stage put a hit.
type PlaceIn = fn(&SearchHit) -> Option<StageRank>;

const STAGES: [(RetrievalStage, PlaceIn); 5] = [
    (RetrievalStage::Keyword, |hit| hit.keyword),
    (RetrievalStage::Static, |hit| hit.static_vector),
    (RetrievalStage::Encoder, |hit| hit.encoder_vector),
    (RetrievalStage::Fused, |hit| hit.fusion),
    (RetrievalStage::Ranked, |hit| hit.rerank),
];

/// Asks each test whose passage is there. `targets` has one for each test.
pub(super) fn ask(
    service: &Service,
    tests: &[RetrievalTest],
    targets: &[Target],
    settings: RetrievalSettings,
    progress: Progress<'_>,
    cancel: &Cancel,
) -> Result<RetrievalFigures, KnowledgeError> {
    let mut sums = [(0.0, 0.0); STAGES.len()];
    // An encoder that has embedded nothing yet has found nothing wrong either.
    let mut encoded = false;
    let (mut times, mut places) = (Vec::new(), Vec::with_capacity(tests.len()));
    for (at, (test, target)) in tests.iter().zip(targets).enumerate() {
        if cancel.is_cancelled() {
            return Err(KnowledgeError::Cancelled);
        }
        progress(at as f64 / tests.len() as f64);
        let outcome = match target {
            Target::Gone(outcome) => *outcome,
            Target::There(there) => {
                let query = SearchQuery {
                    // A space at the end says that the last word is whole.
                    text: format!("{} ", test.question),
                    mode: SearchMode::Hybrid,
                    limit: LIMIT,
                    ..SearchQuery::default()
                };
                let results = service.search(&query, cancel)?;
                times.push(results.ms);
                encoded |= results.hits.iter().any(|hit| hit.encoder_vector.is_some());
                let found: Vec<&SearchHit> =
                    results.hits.iter().filter(|hit| there.is(&test.wanted, &hit.passage)).collect();
                let best = |stage: PlaceIn| found.iter().filter_map(|hit| stage(hit)).map(|place| place.rank).min();
                for ((_, stage), (mrr, recall)) in STAGES.iter().zip(&mut sums) {
                    if let Some(rank) = best(*stage).filter(|rank| *rank <= DEPTH) {
                        *mrr += 1.0 / f64::from(rank);
                        *recall += 1.0;
                    }
                }
                match best(|hit| hit.rerank) {
                    Some(place) => RetrievalOutcome::Found { place },
                    None => RetrievalOutcome::NotFound,
                }
            }
        };
        places.push(TestPlace { test: test.id, outcome });
    }
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len().saturating_sub(1) as f64 * share) as usize).copied().unwrap_or(0.0);
    let all = times.len().max(1) as f64;
    let stages = STAGES
        .iter()
        .zip(sums)
        .filter(|((stage, _), _)| encoded || *stage != RetrievalStage::Encoder)
        .map(|((stage, _), (mrr, recall))| StageFigures { stage: *stage, mrr10: mrr / all, recall10: recall / all })
        .collect();
    Ok(RetrievalFigures {
        settings,
        stages,
        asked: u32::try_from(times.len()).unwrap_or(u32::MAX),
        left_out: u32::try_from(places.len() - times.len()).unwrap_or(u32::MAX),
        places,
        passages: service.inner.store.passage_count()?,
        p50_ms: at(0.5),
        p95_ms: at(0.95),
    })
}
