//! A search and what it found, with the reasons.

use serde::{Deserialize, Serialize};

use super::{Document, DocumentKind, Passage, SourceId, Timestamp};

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
    /// Only documents last changed at this time or later.
    pub after: Option<Timestamp>,
    /// Only documents last changed before this time.
    pub before: Option<Timestamp>,
    /// Milliseconds that comparing the best passages closely may take, about; 0, as while somebody types, leaves it out.
    pub compare_ms: u32,
}

/// Where one stage put a passage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRank {
    /// From 1.
    pub rank: u32,
    /// BM25 for keyword, cosine for vectors, a cosine or a cross-encoder's logit for what was compared closely.
    pub score: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    pub passage: Passage,
    /// How well it fits the question, 0 to 1.
    pub score: f32,
    pub keyword: Option<StageRank>,
    pub static_vector: Option<StageRank>,
    pub encoder_vector: Option<StageRank>,
    /// The stages together (reciprocal rank fusion), 0 to 1.
    pub fusion: Option<StageRank>,
    /// The last order: learned weights over words, names and meaning.
    pub rerank: Option<StageRank>,
    /// Compared with the question token by token, or by a cross-encoder: its place among those that were, by that alone.
    pub compared: Option<StageRank>,
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
    /// Reading the candidates and putting them into their last order.
    pub rerank_ms: f64,
    /// Passages that were read and ranked.
    pub candidates: u64,
    /// Comparing the best of them closely, where the search allowed it.
    pub compare_ms: f64,
    /// How many those were.
    pub compared: u64,
}

/// Why a named document is not among the hits of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhyNot {
    pub reason: MissingReason,
    /// The document, where it is indexed.
    pub document: Option<Document>,
    /// Words of the question that it holds nowhere, as they were typed.
    pub missing_words: Vec<String>,
    /// Its passage that fits best, with its places among all.
    pub best: Option<SearchHit>,
    /// The score of the last hit that was shown.
    pub needed: Option<f32>,
    pub ms: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MissingReason {
    /// It is among them.
    Shown { rank: u32 },
    /// It lies in no source.
    OutsideSources,
    /// It is not there (any more).
    NoFile,
    /// It lies in a source and was left out: hidden, ignored by its rules, without text.
    LeftOut,
    /// It could not be read, and why.
    Unreadable { why: String },
    /// Its source has not been read to the end.
    NotYet,
    /// A filter of the search leaves it out.
    Filtered { by: SearchFilter },
    /// It holds no word of the question, and its meaning is too far from it.
    NothingInCommon,
    /// It was found by none of the stages among the best so many.
    BeyondStages { depth: u32 },
    /// Other passages fit better: its place in the last order.
    Below { rank: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchFilter {
    Source,
    Kind,
    Time,
    Phrase,
}
