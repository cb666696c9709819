//! Searching: words and vectors are asked, their rankings fused, passages read, extracts made.

use std::collections::HashSet;
use std::time::Instant;

use rspa_ml::Cancel;

use super::KnowledgeError;
use super::fuse::{Fused, fuse};
use super::keyword::query::query_words;
use super::keyword::{Filter, KeywordError};
use super::readers::text::clip;
use super::service::{Inner, Service, Space};
use super::snippet::snippet;
use crate::model::{Passage, SearchHit, SearchMode, SearchQuery, SearchResults};

const USUAL_LIMIT: u32 = 20;
const MOST_HITS: u32 = 200;
/// Longer questions are cut (bytes).
const MOST_QUERY_BYTES: usize = 4_000;
/// Each stage gives this many times the hits that are wanted, at least `LEAST_CANDIDATES`.
const DEPTH: usize = 3;
const LEAST_CANDIDATES: usize = 60;
/// Below this cosine nothing of the question is in the passage.
const LEAST_STATIC_COSINE: f32 = 0.2;
const LEAST_ENCODER_COSINE: f32 = 0.15;

impl Service {
    /// Searches what is indexed. A question without words finds nothing.
    ///
    /// # Errors
    /// `Cancelled` when a newer question took its place; storage errors.
    pub fn search(&self, query: &SearchQuery, cancel: &Cancel) -> Result<SearchResults, KnowledgeError> {
        Search { inner: &self.inner, cancel }.run(query)
    }
}

struct Search<'a> {
    inner: &'a Inner,
    cancel: &'a Cancel,
}

/// Rankings in the order that the fused stages have.
#[derive(Default)]
struct Rankings {
    keyword: Vec<(u64, f32)>,
    by_static: Vec<(u64, f32)>,
    by_encoder: Vec<(u64, f32)>,
    keyword_ms: f64,
    vector_ms: f64,
}

impl Search<'_> {
    fn run(&self, query: &SearchQuery) -> Result<SearchResults, KnowledgeError> {
        let started = Instant::now();
        let (text, _) = clip(query.text.trim().to_owned(), MOST_QUERY_BYTES);
        let mut results = SearchResults {
            query: query.text.clone(),
            hits: Vec::new(),
            searched: 0,
            ms: 0.0,
            keyword_ms: 0.0,
            vector_ms: 0.0,
        };
        let limit = match query.limit {
            0 => USUAL_LIMIT,
            limit => limit.min(MOST_HITS),
        } as usize;
        let words = query_words(&text);
        if !words.is_empty() {
            let filter = Filter { sources: query.sources.clone(), kinds: query.kinds.clone() };
            let depth = (limit * DEPTH).max(LEAST_CANDIDATES);
            let found = self.rankings(&text, query.mode, &filter, depth)?;
            results.searched = self.inner.store.passage_count()?;
            (results.keyword_ms, results.vector_ms) = (found.keyword_ms, found.vector_ms);
            let fused = fuse(&[found.keyword, found.by_static, found.by_encoder]);
            results.hits = self.hits(fused, limit, &words)?;
        }
        results.ms = milliseconds(started);
        Ok(results)
    }

    fn go_on(&self) -> Result<(), KnowledgeError> {
        if self.cancel.is_cancelled() { Err(KnowledgeError::Cancelled) } else { Ok(()) }
    }

    fn rankings(
        &self,
        text: &str,
        mode: SearchMode,
        filter: &Filter,
        depth: usize,
    ) -> Result<Rankings, KnowledgeError> {
        let mut found = Rankings::default();
        if mode != SearchMode::Vector {
            self.go_on()?;
            let started = Instant::now();
            // While the index is built from anew, meaning alone answers at once.
            if mode == SearchMode::Keyword || !self.inner.keyword.is_being_opened() {
                found.keyword = self.keyword(text, filter, depth)?;
            }
            found.keyword_ms = milliseconds(started);
        }
        if mode != SearchMode::Keyword {
            self.go_on()?;
            let started = Instant::now();
            if let Some(space) = &self.inner.static_space {
                found.by_static = self.vectors(space, text, filter, depth, LEAST_STATIC_COSINE)?;
            }
            self.go_on()?;
            if let Some(space) = self.encoder()? {
                found.by_encoder = self.vectors(&space, text, filter, depth, LEAST_ENCODER_COSINE)?;
            }
            found.vector_ms = milliseconds(started);
        }
        self.go_on()?;
        Ok(found)
    }

    fn keyword(&self, text: &str, filter: &Filter, depth: usize) -> Result<Vec<(u64, f32)>, KnowledgeError> {
        self.inner.open_keyword(self.cancel)?;
        match self.inner.keyword.search(text, filter, depth) {
            Err(KeywordError::Damaged(reason)) => {
                tracing::warn!(reason, "the keyword index is built again");
                self.inner.keyword.repair(&self.inner.store, self.cancel)?;
                Ok(self.inner.keyword.search(text, filter, depth)?)
            }
            other => Ok(other?),
        }
    }

    fn vectors(
        &self,
        space: &Space,
        text: &str,
        filter: &Filter,
        depth: usize,
        least: f32,
    ) -> Result<Vec<(u64, f32)>, KnowledgeError> {
        space.index.load(&self.inner.store, self.cancel)?;
        let vectors = space.embedder.embed(&[text], self.cancel).map_err(|error| match error {
            rspa_ml::Error::Cancelled => KnowledgeError::Cancelled,
            other => KnowledgeError::Embedding(other),
        })?;
        let Some(vector) = vectors.first() else { return Ok(Vec::new()) };
        let mut found = space.index.search(&self.inner.store, vector, filter, depth)?;
        found.retain(|(_, cosine)| *cosine >= least);
        Ok(found)
    }

    /// The encoder's space where it holds something. A window does not wait for an encoder to load.
    fn encoder(&self) -> Result<Option<Space>, KnowledgeError> {
        let space = match self.inner.eager {
            true => self.inner.encoder(),
            false => self.inner.load_encoder()?,
        };
        match space {
            Some(space) if self.inner.store.covered(space.index.space())? > 0 => {
                Ok(Some(space).filter(|space| !self.inner.eager || space.index.is_loaded()))
            }
            _ => Ok(None),
        }
    }

    /// Reads the passages; those of removed sources, and the same lines through a second source, are left out.
    fn hits(&self, fused: Vec<Fused>, limit: usize, words: &[String]) -> Result<Vec<SearchHit>, KnowledgeError> {
        let sources = self.inner.searched_sources();
        let mut hits = Vec::with_capacity(limit);
        let mut seen: HashSet<(std::path::PathBuf, u32, u32, usize)> = HashSet::new();
        for batch in fused.chunks(limit.max(16)) {
            self.go_on()?;
            let ids: Vec<u64> = batch.iter().map(|fused| fused.id).collect();
            let passages = self.inner.store.passages(&ids, &sources)?;
            let mut batch = batch.iter();
            for passage in passages {
                let Some(fused) = batch.find(|fused| fused.id == passage.id.0) else { break };
                if !self.inner.is_there(&passage.origin) {
                    continue;
                }
                // Pieces of one long line share its number; their lengths and texts differ.
                let place = (passage.path.clone(), passage.start_line, passage.end_line, start_of(&passage));
                if !seen.insert(place) {
                    continue;
                }
                let (snippet, marks) = snippet(&passage.text, words);
                hits.push(SearchHit {
                    score: fused.score,
                    keyword: fused.stages[0],
                    static_vector: fused.stages[1],
                    encoder_vector: fused.stages[2],
                    snippet,
                    marks,
                    passage,
                });
                if hits.len() == limit {
                    return Ok(hits);
                }
            }
        }
        Ok(hits)
    }
}

fn start_of(passage: &Passage) -> usize {
    passage.text.bytes().fold(passage.text.len(), |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
