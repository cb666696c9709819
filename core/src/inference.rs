//! Language models behind one trait: embedded ones, and a scripted one for exact flows in tests.

use std::sync::mpsc::Receiver;

use rspa_ml::Cancel;
use rspa_ml::generate::{GenerateEvent, GenerateRequest};

use crate::api::ApiError;

/// A model that chats. Calls may block; they run on engine threads.
pub trait ChatModel: Send + Sync {
    /// As `rspa models list` shows it.
    fn id(&self) -> &str;

    /// In tokens.
    fn context_length(&self) -> usize;

    fn count_tokens(&self, text: &str) -> Result<usize, ApiError>;

    fn generate(&self, request: GenerateRequest, cancel: Cancel) -> Result<Receiver<GenerateEvent>, ApiError>;
}
