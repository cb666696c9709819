//! The wire formats of model servers, each in its own file; what they share is how requests go out and what is told.

mod anthropic;
mod gemini;
mod json;
mod ndjson;
mod ollama;
mod openai;
mod sse;
mod telling;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::provider::{Door, Provider};
use crate::api::ApiError;
use crate::model::{ProviderDraft, ProviderKind, SecretText};
use wire::Wire;

/// Makes what speaks the wire format of `draft`.
pub(super) fn open(
    draft: &ProviderDraft,
    key: Option<SecretText>,
    door: Arc<dyn Door>,
) -> Result<Box<dyn Provider>, ApiError> {
    let wire = |key_header: fn(&SecretText) -> (&'static str, SecretText)| Wire::new(draft, key, key_header, door);
    Ok(match draft.kind {
        ProviderKind::Embedded => {
            return Err(ApiError::validation(
                "the models inside this program are not reached over the network",
                "Choose another kind of provider.",
            ));
        }
        ProviderKind::Ollama => Box::new(ollama::Ollama::new(wire(wire::bearer)?)),
        ProviderKind::Anthropic => Box::new(anthropic::Anthropic::new(wire(anthropic::key_header)?)),
        ProviderKind::OpenAi => Box::new(openai::OpenAi::new(wire(wire::bearer)?)),
        ProviderKind::Gemini => Box::new(gemini::Gemini::new(wire(gemini::key_header)?)),
    })
}
