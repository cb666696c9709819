//! Answering: a question becomes passages, a prompt, a streamed answer, and citations that were checked.

pub mod attach;
pub mod cite;
mod export;
mod mentions;
mod prepare;
pub mod prompt;
pub mod relevant;
mod repetition;
mod run;
pub mod sentences;
mod service;
mod turns;
pub mod words;

pub use attach::Documents;
pub use export::{json, markdown};
pub use service::{Answering, Parts};

use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_ml::generate::SamplingParams;

use crate::api::{ApiError, Event};
use crate::inference::{ChatModel, Wanted};
use crate::model::{Passage, SourceId, Timestamp};

/// What a search gave for a question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Best first; what has nothing to do with the question is left out.
    pub passages: Vec<Passage>,
    /// Passages that were searched; 0 means that there is nothing to search.
    pub searched: u64,
}

/// Finds passages; the knowledge service stands behind it.
pub trait FindPassages: Send + Sync {
    fn find(&self, question: &str, sources: &[SourceId], limit: u32, cancel: &Cancel) -> Result<Found, ApiError>;
}

/// Gives loaded chat models; the registry with its jobs stands behind it.
pub trait ChatModels: Send + Sync {
    /// Loads the model if need be; may take seconds.
    fn chat_model(&self, wanted: &Wanted, cancel: &Cancel) -> Result<Arc<dyn ChatModel>, ApiError>;

    /// Keeps the decode speed that an answer had.
    fn measured(&self, id: &str, tok_s: f64, at: Timestamp);
}

/// Tells everybody who listens.
pub type Publish = Arc<dyn Fn(Event) + Send + Sync>;

/// What of the settings answering needs; read anew for every answer.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerSettings {
    /// For plain chat; answers from passages stay below its temperature.
    pub sampling: SamplingParams,
    pub max_tokens: usize,
    /// Passages that are searched for; how many the model reads depends on its size.
    pub passages: u32,
    /// 0 to 1, see [`cite::DEFAULT_THRESHOLD`].
    pub citation_threshold: f32,
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            sampling: SamplingParams::default(),
            max_tokens: 512,
            passages: 8,
            citation_threshold: cite::DEFAULT_THRESHOLD,
        }
    }
}

/// Gives the embedder that compares sentences with passages; none compares by words alone.
pub type CiteEmbedder = Arc<dyn Fn() -> Option<Arc<dyn Embedder>> + Send + Sync>;
