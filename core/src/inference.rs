//! Language models behind one trait: embedded ones, and a scripted one for exact flows in tests.

pub mod embedded;
pub mod registry;
pub mod scripted;

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use rspa_ml::Cancel;
use rspa_ml::embed::Embedder;
use rspa_ml::generate::{GenerateEvent, GenerateRequest};

use crate::api::ApiError;

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

    fn generate(&self, request: GenerateRequest, cancel: Cancel) -> Result<Receiver<GenerateEvent>, ApiError>;
}

/// Gives the installed encoder to those who embed.
pub trait EncoderProvider: Send + Sync {
    /// The default encoder, loaded; none when none is installed or it cannot be read. May take seconds the first time.
    fn encoder(&self) -> Option<Arc<dyn Embedder>>;
}
