//! What can go wrong with models, each with what the person can do about it.

use std::path::PathBuf;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path} is not a usable model file: {reason}")]
    Malformed { path: PathBuf, reason: String },
    #[error("the model family '{0}' is not supported")]
    UnknownFamily(String),
    #[error("the pre-tokenizer '{0}' is not supported")]
    UnknownPreTokenizer(String),
    #[error("the tokenizer kind '{0}' is not supported")]
    UnknownTokenizer(String),
    #[error("no model was found in {0}")]
    NothingToImport(PathBuf),
    #[error("the prompt has {prompt} tokens, but the model's context holds {context}")]
    PromptTooLong { prompt: usize, context: usize },
    #[error("the chat template of this model cannot be used: {0}")]
    Template(String),
    #[error("the form that the answer must have cannot be used: {0}")]
    Constraint(String),
    #[error("the token budget ended before the answer was complete")]
    Unfinished,
    #[error("stopped")]
    Cancelled,
    #[error("the model failed while computing: {0}")]
    Compute(#[from] candle_core::Error),
    #[error("the tokenizer failed: {0}")]
    Tokenizer(String),
    #[error("too many requests are waiting for this model")]
    Busy,
    #[error("the model's worker has stopped")]
    WorkerGone,
}

impl Error {
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    pub fn malformed(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Malformed { path: path.into(), reason: reason.into() }
    }

    /// One sentence that says what to do next.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Io { .. } => "Check that the file exists, that you may read it, and that the disk has room.",
            Self::Malformed { .. } => "The file may be cut off or damaged; fetch it again and import it once more.",
            Self::UnknownFamily(_) | Self::UnknownPreTokenizer(_) | Self::UnknownTokenizer(_) => {
                "Choose a model of a supported family: llama or one of its relatives in GGUF form."
            }
            Self::NothingToImport(_) => {
                "Choose a .gguf file, a folder with model.safetensors and tokenizer.json, or a zip or wheel that holds one."
            }
            Self::PromptTooLong { .. } => {
                "Shorten the question, search fewer passages, or choose a model with a longer context."
            }
            Self::Template(_) => "Import a newer conversion of the model; this one's chat template cannot be read.",
            Self::Constraint(_) => "Make the schema, expression or grammar smaller or plainer, then ask again.",
            Self::Unfinished => "Allow more tokens, ask for a shorter answer, or shorten the prompt, then ask again.",
            Self::Busy => "Wait until some of the answers are finished, then ask again.",
            Self::Cancelled => "Ask again when you are ready.",
            Self::Compute(_) | Self::Tokenizer(_) | Self::WorkerGone => {
                "Try again; if it repeats, choose another model and report this one."
            }
        }
    }
}
