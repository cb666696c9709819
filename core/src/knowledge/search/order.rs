//! The last order of the candidates: judged one by one, then the best of them compared closely, if the search has time.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rspa_ml::kernels::distance::floats;

use super::{Asked, Search, hit, milliseconds};
use crate::knowledge::fuse::Fused;
use crate::knowledge::keyword::query::Question;
use crate::knowledge::late;
use crate::knowledge::prepare::embedded_text;
use crate::knowledge::rank::{Candidate, FEATURES, Judge, LATE, weights};
use crate::knowledge::service::Space;
use crate::knowledge::{KnowledgeError, fuse};
use crate::model::{DocumentKind, Passage, SearchHit, SourceId, StageRank};

/// A close comparison: with what, and for how long.
pub(super) struct Closely<'a> {
    pub text: &'a str,
    pub time: Duration,
}

/// What came of putting candidates into their last order.
pub(super) struct Ordered {
    /// Best first.
    pub hits: Vec<SearchHit>,
    /// How many were compared closely.
    pub compared: u64,
    pub compare_ms: f64,
}

struct Scored {
    /// Place among the candidates that were read.
    at: usize,
    features: [f32; FEATURES],
    code: bool,
    score: f32,
    /// What the score says to people, 0 to 1.
    confidence: f32,
    rerank: StageRank,
    compared: Option<StageRank>,
}

impl Search<'_> {
    pub(super) fn ranked(
        &self,
        mut read: Vec<(Fused, Passage)>,
        limit: usize,
        question: &Question,
        asked: &Asked,
        closely: Closely<'_>,
    ) -> Result<Ordered, KnowledgeError> {
        let mut scored = self.judge(&read, question, asked)?;
        let comparing = Instant::now();
        let compared = if closely.time.is_zero() { 0 } else { self.compare(&mut scored, &read, &closely, asked)? };
        let compare_ms = if closely.time.is_zero() { 0.0 } else { milliseconds(comparing) };
        if let Some(judged) = self.judged {
            judged.borrow_mut().extend(scored.iter().map(|one| (read[one.at].0.id, one.features)));
        }
        scored.truncate(limit);
        let mut places: Vec<Option<usize>> = vec![None; read.len()];
        scored.iter().enumerate().for_each(|(rank, one)| places[one.at] = Some(rank));
        let mut hits: Vec<Option<SearchHit>> = vec![None; scored.len()];
        for (at, (fused, passage)) in read.drain(..).enumerate() {
            let Some(rank) = places[at] else { continue };
            let one = &scored[rank];
            let fusion = StageRank { rank: place(at), score: fused.score };
            let hit = hit(fused, passage, question, one.confidence);
            let (rerank, compared) = (Some(one.rerank), one.compared);
            hits[rank] = Some(SearchHit { fusion: Some(fusion), rerank, compared, ..hit });
        }
        Ok(Ordered { hits: hits.into_iter().flatten().collect(), compared: compared as u64, compare_ms })
    }

    /// The candidates by their learned score, best first.
    fn judge(
        &self,
        read: &[(Fused, Passage)],
        question: &Question,
        asked: &Asked,
    ) -> Result<Vec<Scored>, KnowledgeError> {
        self.go_on()?;
        let ids: Vec<u64> = read.iter().map(|(fused, _)| fused.id).collect();
        let (by_static, by_encoder) = (self.cosines(&asked.by_static, &ids)?, self.cosines(&asked.by_encoder, &ids)?);
        let frequencies = self.inner.keyword.frequencies(question)?;
        let judge = Judge::new(question, &frequencies);
        let roots: HashMap<SourceId, PathBuf> =
            self.inner.board.sources().into_iter().map(|source| (source.id, source.path)).collect();
        let mut scored = Vec::with_capacity(read.len());
        for (at, (fused, passage)) in read.iter().enumerate() {
            if at % 32 == 0 {
                self.go_on()?;
            }
            let root = roots.get(&passage.source);
            let path = root.and_then(|root| passage.path.strip_prefix(root).ok()).unwrap_or(&passage.path);
            let features = judge.features(&Candidate {
                passage,
                path: &path.to_string_lossy(),
                fused: fused.score,
                static_cosine: by_static.get(&fused.id).copied(),
                encoder_cosine: by_encoder.get(&fused.id).copied(),
            });
            let code = passage.kind == DocumentKind::Code;
            let score = weights::score(&features, code, by_encoder.contains_key(&fused.id));
            let rerank = StageRank { rank: 0, score };
            let confidence = weights::confidence(score);
            scored.push(Scored { at, features, code, score, confidence, rerank, compared: None });
        }
        scored.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)));
        scored.iter_mut().enumerate().for_each(|(rank, one)| one.rerank.rank = place(rank));
        Ok(scored)
    }

    /// Compares the best of them with the question; those that were compared are put into a new order among themselves.
    /// Gives their number.
    fn compare(
        &self,
        scored: &mut [Scored],
        read: &[(Fused, Passage)],
        closely: &Closely<'_>,
        asked: &Asked,
    ) -> Result<usize, KnowledgeError> {
        let texts: Vec<String> = scored
            .iter()
            .take(late::COMPARED)
            .map(|one| embedded_text(read[one.at].1.heading.as_deref(), &read[one.at].1.text))
            .collect();
        let failed = |error| match error {
            rspa_ml::Error::Cancelled => KnowledgeError::Cancelled,
            other => KnowledgeError::Embedding(other),
        };
        if let Some(reranker) = self.inner.encoders.reranker() {
            let logits = late::cross(&*reranker, closely.text, &texts, closely.time, self.cancel).map_err(failed)?;
            let scored = &mut scored[..logits.len()];
            note(scored, &logits);
            let ranking = |key: fn(&Scored) -> u32, scored: &[Scored]| {
                let mut ranking: Vec<(u64, f32)> = scored.iter().map(|one| (one.at as u64, key(one) as f32)).collect();
                ranking.sort_by(|a, b| a.1.total_cmp(&b.1));
                ranking
            };
            // No weights were learned with this model: both orders count the same.
            let by_score = ranking(|one| one.rerank.rank, scored);
            let by_model = ranking(|one| one.compared.map_or(u32::MAX, |place| place.rank), scored);
            let both: HashMap<u64, f32> =
                fuse::fuse(&[by_score, by_model]).into_iter().map(|one| (one.id, one.score)).collect();
            reorder(scored, |one| both.get(&(one.at as u64)).copied().unwrap_or(0.0));
            return Ok(logits.len());
        }
        let Some((space, _)) = &asked.by_encoder else { return Ok(0) };
        let cosines =
            late::interact(&*space.embedder, closely.text, &texts, closely.time, self.cancel).map_err(failed)?;
        let scored = &mut scored[..cosines.len()];
        note(scored, &cosines);
        for (one, cosine) in scored.iter_mut().zip(&cosines) {
            one.features[LATE] = *cosine;
        }
        reorder(scored, |one| weights::compared(&one.features, one.code));
        Ok(cosines.len())
    }

    /// The cosines of these passages, where they have vectors.
    pub(super) fn cosines(
        &self,
        asked: &Option<(Space, Vec<f32>)>,
        ids: &[u64],
    ) -> Result<HashMap<u64, f32>, KnowledgeError> {
        let Some((space, vector)) = asked else { return Ok(HashMap::new()) };
        let stored = self.inner.store.vectors(space.index.space(), ids)?;
        Ok(stored.into_iter().map(|(id, other)| (id, floats(vector, &other))).collect())
    }
}

/// A rank, from 1.
fn place(rank: usize) -> u32 {
    u32::try_from(rank + 1).unwrap_or(u32::MAX)
}

/// Writes down what comparing said of each.
fn note(scored: &mut [Scored], scores: &[f32]) {
    let mut order: Vec<usize> = (0..scored.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    for (rank, at) in order.into_iter().enumerate() {
        scored[at].compared = Some(StageRank { rank: place(rank), score: scores[at] });
    }
}

/// Puts them into the order of a new score. What people are told stays falling: the confidences that were there are
/// dealt out anew.
fn reorder(scored: &mut [Scored], score: impl Fn(&Scored) -> f32) {
    let confidences: Vec<f32> = scored.iter().map(|one| one.confidence).collect();
    scored.iter_mut().for_each(|one| one.score = score(one));
    scored.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.rerank.rank.cmp(&b.rerank.rank)));
    scored.iter_mut().zip(confidences).for_each(|(one, confidence)| one.confidence = confidence);
}
