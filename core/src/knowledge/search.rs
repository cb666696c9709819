//! Searching: words and vectors are asked, their rankings fused, passages read, extracts made.

mod order;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rspa_ml::Cancel;

use super::KnowledgeError;
use super::fuse::{Fused, fuse};
use super::keyword::query::Question;
use super::keyword::{Filter, KeywordError};
use super::rank::{FEATURES, holds_phrases};
use super::readers::text::clip;
use super::service::{Inner, Service, Space};
use super::snippet::snippet;
use super::words::words;
use crate::model::{Passage, SearchHit, SearchMode, SearchQuery, SearchResults};
use order::Closely;

pub(super) const USUAL_LIMIT: u32 = 20;
const MOST_HITS: u32 = 200;
/// Longer questions are cut (bytes).
const MOST_QUERY_BYTES: usize = 4_000;
/// Each stage gives this many times the hits that are wanted, at least `LEAST_CANDIDATES`.
const DEPTH: usize = 3;
const LEAST_CANDIDATES: usize = 120;
/// Passages that are read and ranked by their content.
const MOST_CANDIDATES: usize = 160;
/// Below this cosine nothing of the question is in the passage.
const LEAST_STATIC_COSINE: f32 = 0.2;
const LEAST_ENCODER_COSINE: f32 = 0.15;

impl Service {
    /// Searches what is indexed. A question without words finds nothing.
    ///
    /// # Errors
    /// `Cancelled` when a newer question took its place; storage errors.
    pub fn search(&self, query: &SearchQuery, cancel: &Cancel) -> Result<SearchResults, KnowledgeError> {
        Search { inner: &self.inner, cancel, judged: None }.run(query)
    }

    /// The same, with what each hit was judged by: for learning what that should weigh.
    pub(super) fn search_judged(
        &self,
        query: &SearchQuery,
        cancel: &Cancel,
    ) -> Result<(SearchResults, HashMap<u64, [f32; FEATURES]>), KnowledgeError> {
        let judged = RefCell::default();
        let results = Search { inner: &self.inner, cancel, judged: Some(&judged) }.run(query)?;
        Ok((results, judged.into_inner()))
    }
}

impl Service {
    /// Ranks these passages alone, best first; those without a word and far in meaning are left out.
    pub(super) fn search_among(
        &self,
        query: &SearchQuery,
        ids: &[u64],
        cancel: &Cancel,
    ) -> Result<Vec<SearchHit>, KnowledgeError> {
        let search = Search { inner: &self.inner, cancel, judged: None };
        let question = Question::understand(&query.text);
        let mut asked = Asked::default();
        if let Some(space) = &self.inner.static_space {
            asked.by_static = search.embed(space, &query.text)?;
        }
        if let Some(space) = search.encoder()? {
            asked.by_encoder = search.embed(&space, &query.text)?;
        }
        let mut near = HashSet::new();
        for (known, least) in [(&asked.by_static, LEAST_STATIC_COSINE), (&asked.by_encoder, LEAST_ENCODER_COSINE)] {
            let cosines = search.cosines(known, ids)?;
            near.extend(cosines.into_iter().filter(|(_, cosine)| *cosine >= least).map(|(id, _)| id));
        }
        let sources = self.inner.board.sources();
        let passages = self.inner.store.passages(ids, &sources)?;
        let common = |passage: &Passage| words(&passage.text).iter().any(|word| question.words.contains(&word.text));
        let candidates = passages
            .into_iter()
            .filter(|passage| near.contains(&passage.id.0) || common(passage))
            .map(|passage| (Fused { id: passage.id.0, score: 0.0, stages: vec![None; 3] }, passage))
            .collect();
        let closely = Closely { text: &query.text, time: Duration::ZERO };
        Ok(search.ranked(candidates, 1, &question, &asked, closely)?.hits)
    }
}

struct Search<'a> {
    inner: &'a Inner,
    cancel: &'a Cancel,
    /// Takes down the features of each candidate.
    judged: Option<&'a RefCell<HashMap<u64, [f32; FEATURES]>>>,
}

/// Rankings in the order that the fused stages have.
#[derive(Default)]
struct Rankings {
    keyword: Vec<(u64, f32)>,
    by_static: Vec<(u64, f32)>,
    by_encoder: Vec<(u64, f32)>,
    asked: Asked,
    keyword_ms: f64,
    vector_ms: f64,
}

/// The question as each embedder understands it.
#[derive(Default)]
struct Asked {
    by_static: Option<(Space, Vec<f32>)>,
    by_encoder: Option<(Space, Vec<f32>)>,
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
            rerank_ms: 0.0,
            candidates: 0,
            compare_ms: 0.0,
            compared: 0,
        };
        let limit = match query.limit {
            0 => USUAL_LIMIT,
            limit => limit.min(MOST_HITS),
        } as usize;
        // A space at the end says that the last word is whole.
        let question =
            Question::understand(if query.text.ends_with(char::is_whitespace) { &query.text } else { &text });
        if !question.is_empty() {
            let filter = filter_of(query);
            let depth = (limit * DEPTH).max(LEAST_CANDIDATES);
            let found = self.rankings(&question, &text, query.mode, &filter, depth)?;
            results.searched = self.inner.store.passage_count()?;
            (results.keyword_ms, results.vector_ms) = (found.keyword_ms, found.vector_ms);
            let reranking = Instant::now();
            let fused = fuse(&[found.keyword, found.by_static, found.by_encoder]);
            if query.mode == SearchMode::Hybrid {
                let read = self.read(fused, limit.max(MOST_CANDIDATES), &question)?;
                results.candidates = read.len() as u64;
                let time = Duration::from_millis(u64::from(query.compare_ms));
                let ordered = self.ranked(read, limit, &question, &found.asked, Closely { text: &text, time })?;
                (results.hits, results.compared) = (ordered.hits, ordered.compared);
                results.compare_ms = ordered.compare_ms;
            } else {
                results.candidates = fused.len() as u64;
                results.hits = self.hits(fused, limit, &question)?;
            }
            results.rerank_ms = milliseconds(reranking) - results.compare_ms;
        }
        results.ms = milliseconds(started);
        Ok(results)
    }

    fn go_on(&self) -> Result<(), KnowledgeError> {
        if self.cancel.is_cancelled() { Err(KnowledgeError::Cancelled) } else { Ok(()) }
    }

    fn rankings(
        &self,
        question: &Question,
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
                found.keyword = self.keyword(question, filter, depth)?;
            }
            found.keyword_ms = milliseconds(started);
        }
        if mode != SearchMode::Keyword {
            self.go_on()?;
            let started = Instant::now();
            if let Some(space) = &self.inner.static_space {
                found.asked.by_static = self.embed(space, text)?;
                found.by_static = self.nearest(&found.asked.by_static, filter, depth, LEAST_STATIC_COSINE)?;
            }
            self.go_on()?;
            if let Some(space) = self.encoder()? {
                found.asked.by_encoder = self.embed(&space, text)?;
                found.by_encoder = self.nearest(&found.asked.by_encoder, filter, depth, LEAST_ENCODER_COSINE)?;
            }
            found.vector_ms = milliseconds(started);
        }
        self.go_on()?;
        Ok(found)
    }

    fn keyword(&self, question: &Question, filter: &Filter, depth: usize) -> Result<Vec<(u64, f32)>, KnowledgeError> {
        self.inner.open_keyword(self.cancel)?;
        match self.inner.keyword.search(question, filter, depth) {
            Err(KeywordError::Damaged(reason)) => {
                tracing::warn!(reason, "the keyword index is built again");
                self.inner.keyword.repair(&self.inner.store, self.cancel)?;
                Ok(self.inner.keyword.search(question, filter, depth)?)
            }
            other => Ok(other?),
        }
    }

    fn embed(&self, space: &Space, text: &str) -> Result<Option<(Space, Vec<f32>)>, KnowledgeError> {
        self.inner.load_vectors(space, self.cancel)?;
        let mut vectors = space.embedder.embed(&[text], self.cancel).map_err(|error| match error {
            rspa_ml::Error::Cancelled => KnowledgeError::Cancelled,
            other => KnowledgeError::Embedding(other),
        })?;
        Ok(vectors.pop().map(|vector| (space.clone(), vector)))
    }

    fn nearest(
        &self,
        asked: &Option<(Space, Vec<f32>)>,
        filter: &Filter,
        depth: usize,
        least: f32,
    ) -> Result<Vec<(u64, f32)>, KnowledgeError> {
        let Some((space, vector)) = asked else { return Ok(Vec::new()) };
        let mut found = space.index.search(vector, filter, depth);
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

    /// As one stage ranked them.
    fn hits(&self, fused: Vec<Fused>, limit: usize, question: &Question) -> Result<Vec<SearchHit>, KnowledgeError> {
        let read = self.read(fused, limit, question)?;
        Ok(read
            .into_iter()
            .map(|(fused, passage)| {
                let score = fused.score;
                hit(fused, passage, question, score)
            })
            .collect())
    }

    /// Reads the passages; those of removed sources, and the same lines through a second source, are left out.
    fn read(
        &self,
        fused: Vec<Fused>,
        limit: usize,
        question: &Question,
    ) -> Result<Vec<(Fused, Passage)>, KnowledgeError> {
        let sources = self.inner.searched_sources();
        let mut read = Vec::with_capacity(limit.min(fused.len()));
        let mut seen: HashSet<(PathBuf, u32, u32, usize)> = HashSet::new();
        let phrases = !question.phrases.is_empty();
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
                if !seen.insert(place) || (phrases && !holds_phrases(question, &passage)) {
                    continue;
                }
                read.push((fused.clone(), passage));
                if read.len() == limit {
                    return Ok(read);
                }
            }
        }
        Ok(read)
    }
}

fn hit(fused: Fused, passage: Passage, question: &Question, score: f32) -> SearchHit {
    let (snippet, marks) = snippet(&passage.text, &question.words);
    SearchHit {
        score,
        keyword: fused.stages[0],
        static_vector: fused.stages[1],
        encoder_vector: fused.stages[2],
        fusion: None,
        rerank: None,
        compared: None,
        snippet,
        marks,
        passage,
    }
}

pub(super) fn filter_of(query: &SearchQuery) -> Filter {
    Filter { sources: query.sources.clone(), kinds: query.kinds.clone(), after: query.after, before: query.before }
}

fn start_of(passage: &Passage) -> usize {
    passage.text.bytes().fold(passage.text.len(), |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
