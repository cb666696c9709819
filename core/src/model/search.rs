//! A search and what it found, with the reasons.

use serde::{Deserialize, Serialize};

use super::{DocumentKind, Passage, SourceId};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    #[default]
    Hybrid,
    Keyword,
    Vector,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchQuery {
    pub text: String,
    pub mode: SearchMode,
    /// 0 means 20; 200 at most.
    pub limit: u32,
    /// Empty means all.
    pub sources: Vec<SourceId>,
    /// Empty means all.
    pub kinds: Vec<DocumentKind>,
}

/// Where one stage put a passage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRank {
    /// From 1.
    pub rank: u32,
    /// BM25 for keyword, cosine for vectors.
    pub score: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    pub passage: Passage,
    /// Fused score, 0 to 1, best possible 1.
    pub score: f32,
    pub keyword: Option<StageRank>,
    pub static_vector: Option<StageRank>,
    pub encoder_vector: Option<StageRank>,
    /// An extract of the passage for a list, with the byte ranges in it that match words of the query.
    pub snippet: String,
    pub marks: Vec<(u32, u32)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchResults {
    pub query: String,
    pub hits: Vec<SearchHit>,
    /// Passages that were searched.
    pub searched: u64,
    pub ms: f64,
    pub keyword_ms: f64,
    pub vector_ms: f64,
}
