//! Retrieval tests: questions with the passage that search should find, how well it finds them, and trials of other settings.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{JobId, ModelId, RetrievalTestId, SourceId, Timestamp};

/// A question and the passage that answers it, as the person saved them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrievalTest {
    pub id: RetrievalTestId,
    pub question: String,
    pub wanted: WantedPassage,
    pub created: Timestamp,
}

/// Where the wanted passage stands, so that it is found again however its document is cut: by its lines while the
/// document is the same, by its words once it has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WantedPassage {
    pub source: SourceId,
    /// Within its source; empty for a source that is one file.
    #[serde(with = "crate::model::exact_path")]
    pub inside: PathBuf,
    /// As it was when the test was saved; absolute, or `rspa:…` for what is no file.
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    /// Of a page of the web.
    pub address: Option<String>,
    pub heading: Option<String>,
    /// From 1, inclusive.
    pub start_line: u32,
    /// From 1, inclusive.
    pub end_line: u32,
    /// SHA-256 of the document when the test was saved, lower-case hex.
    pub document_hash: String,
    /// How the passage begins, with single spaces.
    pub excerpt: String,
}

/// What decides how documents are cut and understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetrievalSettings {
    /// Characters that a passage should have (`knowledge.chunk_size`).
    pub chunk_size: u32,
    /// The encoder beside the static embedder; none for static vectors alone.
    pub encoder: Option<ModelId>,
}

/// A stage of search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetrievalStage {
    Keyword,
    Static,
    Encoder,
    Fused,
    /// The last order, as hits are shown.
    Ranked,
}

/// How well one stage finds what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageFigures {
    pub stage: RetrievalStage,
    /// Mean reciprocal rank; places after the tenth count 0.
    pub mrr10: f64,
    /// Share of questions whose passage is among the first ten.
    pub recall10: f64,
}

/// What became of one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RetrievalOutcome {
    /// Its place among the hits, from 1.
    Found { place: u32 },
    /// It is indexed, and not among the first 200 hits.
    NotFound,
    /// Its document holds it no more.
    PassageGone,
    /// Its document is not indexed any more.
    DocumentGone,
    /// Its source is not there any more, or is not searched.
    SourceGone,
}

impl RetrievalOutcome {
    /// Whether it can be asked for at all; others are left out of the figures.
    pub fn counts(self) -> bool {
        matches!(self, Self::Found { .. } | Self::NotFound)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestPlace {
    pub test: RetrievalTestId,
    pub outcome: RetrievalOutcome,
}

/// What asking all tests of one index gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrievalFigures {
    pub settings: RetrievalSettings,
    /// Stages that there were, in order.
    pub stages: Vec<StageFigures>,
    pub places: Vec<TestPlace>,
    /// Tests that count.
    pub asked: u32,
    /// Tests whose passage is gone.
    pub left_out: u32,
    pub passages: u64,
    /// Of one search, in milliseconds.
    pub p50_ms: f64,
    pub p95_ms: f64,
}

/// The tests, asked of the index in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrievalRun {
    pub at: Timestamp,
    pub figures: RetrievalFigures,
}

/// The tests, asked of the index in use and of one made with other settings, over the same documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrievalTrial {
    pub at: Timestamp,
    /// Documents that both were asked over: all, or those that tests want with a sample of the others.
    pub documents: u64,
    /// Documents that are indexed.
    pub documents_all: u64,
    /// Documents of these that could not be read for the trial.
    pub unread: u64,
    pub seconds: f64,
    pub old: RetrievalFigures,
    pub new: RetrievalFigures,
}

/// All that there is about retrieval tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrievalTests {
    /// Oldest first.
    pub tests: Vec<RetrievalTest>,
    pub run: Option<RetrievalRun>,
    pub trial: Option<RetrievalTrial>,
    /// In force now.
    pub settings: RetrievalSettings,
    /// Installed encoders.
    pub encoders: Vec<ModelId>,
    /// Tests are there, and the settings in force are not those that they were last asked with.
    pub unmeasured: bool,
    /// The run or trial that goes on.
    pub job: Option<JobId>,
}
