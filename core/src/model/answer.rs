//! What makes an answer checkable: which sentence is supported by which passage, and the figures of its making.

use serde::{Deserialize, Serialize};

use super::{DocumentId, Passage};

/// A sentence of an answer and the passages that support it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SentenceSupport {
    /// Byte range in the answer's text.
    pub start: u32,
    pub end: u32,
    /// Indexes into the message's `citations`; empty means that no passage supports the sentence.
    pub citations: Vec<u32>,
    /// False for what claims nothing (a greeting, a question, code): it is neither cited nor marked.
    pub claims: bool,
}

/// A passage that supports at least one sentence of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    pub document: DocumentId,
    pub passage: Passage,
    /// The part of the passage that supports the sentence.
    pub quote: String,
    /// First and last line of the quote, from 1, inclusive.
    pub start_line: u32,
    pub end_line: u32,
    /// 0 to 1.
    pub support: f32,
    /// Whether the source is another one now; looked up whenever the message is read, never stored.
    #[serde(default)]
    pub stale: Option<Stale>,
}

/// How a source differs from what was cited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stale {
    /// It was indexed again with other bytes.
    Changed,
    /// It is not indexed any more.
    Gone,
}

impl Citation {
    /// What the citation is worth when its document has this hash now; none when it is gone.
    pub fn judge(&self, hash: Option<&str>) -> Option<Stale> {
        match hash {
            None => Some(Stale::Gone),
            Some(hash) => (hash != self.passage.document_hash).then_some(Stale::Changed),
        }
    }
}

/// Measured while answering.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerStats {
    pub model: String,
    pub prompt_tokens: u32,
    pub answer_tokens: u32,
    pub search_ms: f64,
    /// From sending to the first token, loading the model included.
    pub ttft_ms: f64,
    pub tok_s: f64,
    /// It ended with its budget of tokens, not with its last sentence: it can be continued.
    #[serde(default)]
    pub cut_off: bool,
}
