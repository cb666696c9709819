//! Language models behind one trait: embedded ones, and a scripted one for exact flows in tests.

pub mod cache;
pub mod embedded;
pub mod provider;
mod providers;
pub mod registry;
pub mod scripted;

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_ml::embed::cross::Reranker;
use rspa_ml::generate::{GenerateEvent, GenerateRequest, GenerateStats};

use crate::api::ApiError;
use crate::model::{AgentId, ModelChoice, ModelId, WorkKind};

/// For whom and what a model is wanted: what the router decides by, and usage is counted under.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Named by the person or the agent; none leaves it to the router.
    pub model: Option<ModelId>,
    pub work: WorkKind,
    pub agent: Option<(AgentId, String)>,
    /// Only models inside this program.
    pub offline: bool,
    /// The response cache is not asked, but keeps the answer.
    pub fresh: bool,
    /// The response cache is neither asked nor filled.
    pub uncached: bool,
}

/// What a running generation says, in order; `Finished` or `Failed` is always the last.
#[derive(Debug)]
pub enum ModelEvent {
    /// Which model it is that answers; said before the first text by a router, again when another one takes over.
    Chosen(ModelChoice),
    /// Prompt tokens computed so far, of all.
    Prefill {
        done: usize,
        total: usize,
    },
    /// The next piece of text, always whole characters.
    Text(String),
    Finished(GenerateStats),
    Failed {
        error: ApiError,
        /// The token budget ended before what was asked for was complete.
        unfinished: bool,
        /// All text that was streamed before.
        partial: String,
    },
}

impl From<GenerateEvent> for ModelEvent {
    fn from(event: GenerateEvent) -> Self {
        match event {
            GenerateEvent::Prefill { done, total } => Self::Prefill { done, total },
            GenerateEvent::Text(text) => Self::Text(text),
            GenerateEvent::Finished(stats) => Self::Finished(stats),
            GenerateEvent::Failed { error, partial } => {
                Self::Failed { unfinished: matches!(error, rspa_ml::Error::Unfinished), error: error.into(), partial }
            }
        }
    }
}

/// A tool that may be called, for models that know calls of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolOffer {
    pub name: String,
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: serde_json::Value,
}

/// A model that chats. Calls may block; they run on engine threads.
pub trait ChatModel: Send + Sync {
    /// As `rspa models list` shows it.
    fn id(&self) -> &str;

    /// In tokens.
    fn context_length(&self) -> usize;

    /// Number of weights, where it is known: small models get shorter prompts.
    fn parameters(&self) -> Option<u64> {
        None
    }

    fn count_tokens(&self, text: &str) -> Result<usize, ApiError>;

    fn generate(&self, request: GenerateRequest, cancel: Cancel) -> Result<Receiver<ModelEvent>, ApiError>;

    /// As [`Self::generate`], where the answer may be a call of one of these tools. A model that knows calls of its own
    /// may use them in place of the request's constraint; what it says has the form that the constraint asks for.
    fn generate_call(
        &self,
        request: GenerateRequest,
        _tools: &[ToolOffer],
        cancel: Cancel,
    ) -> Result<Receiver<ModelEvent>, ApiError> {
        self.generate(request, cancel)
    }
}

/// Gives the installed encoder to those who embed.
pub trait EncoderProvider: Send + Sync {
    /// The default encoder, loaded; none when none is installed or it cannot be read. May take seconds the first time.
    fn encoder(&self) -> Option<Arc<dyn Embedder>>;

    /// The default cross-encoder, loaded; none when none is installed or it cannot be read.
    fn reranker(&self) -> Option<Arc<dyn Reranker>> {
        None
    }

    /// An installed encoder by its own id ([`Embedder::id`]), loaded; none when it is not installed any more.
    fn former(&self, _id: &str) -> Option<Arc<dyn Embedder>> {
        None
    }
}
