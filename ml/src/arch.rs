//! Model families, one file each: immutable weights, and a session outside them that owns the KV cache.

mod decoder;
mod llama;
mod qwen2;
mod qwen3;
mod session;

use candle_core::{Device, Tensor};

pub use session::Session;

use crate::weights::gguf::Gguf;
use crate::{Error, Result};

/// `general.architecture` of the model files that [`load`] takes.
pub const FAMILIES: &[&str] = &["llama", "qwen2", "qwen3"];

/// Which logits a forward pass returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logits {
    /// None: the tokens only fill the KV cache.
    None,
    /// Of the last token, shape `[1, vocabulary]`.
    Last,
    /// Of every token, shape `[tokens, vocabulary]`.
    All,
}

/// The weights of a language model. They never change: all state is in the [`Session`].
pub trait LanguageWeights: Send + Sync {
    /// Most tokens that a session may hold.
    fn context_length(&self) -> usize;

    fn vocabulary_size(&self) -> usize;

    /// An empty session for these weights.
    fn new_session(&self) -> Session;

    /// Appends `tokens` to the session and returns the logits that were asked for, f32. When it fails, the session
    /// holds what it held before.
    fn forward(&self, session: &mut Session, tokens: &[u32], logits: Logits) -> Result<Option<Tensor>>;
}

/// Loads the weights of a GGUF file. `max_context` limits the context, in tokens; 0 means the model's own limit.
pub fn load(gguf: &Gguf, max_context: usize, device: &Device) -> Result<Box<dyn LanguageWeights>> {
    let family = gguf.text("general.architecture").unwrap_or_default();
    let mut config = match family {
        "llama" => llama::config(gguf)?,
        "qwen2" => qwen2::config(gguf)?,
        "qwen3" => qwen3::config(gguf)?,
        other => return Err(Error::UnknownFamily(other.to_owned())),
    };
    if max_context != 0 {
        config.context_length = config.context_length.min(max_context);
    }
    Ok(Box::new(decoder::Decoder::load(gguf, config, device)?))
}
