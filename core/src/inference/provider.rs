//! One trait for every server of models, whatever wire format it speaks; what is asked, what is told, what can go wrong.

mod fault;

use std::sync::Arc;

use rspa_ml::Cancel;
use rspa_ml::generate::{FinishReason, SamplingParams};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use fault::{FaultKind, ProviderFault};

use super::ToolOffer;
use crate::model::{ProviderDraft, ProviderKind, ProviderModel, SecretText};
use crate::trust::egress::{Egress, Incoming, Outgoing, StreamFault};

/// A server that models are asked from. Every call blocks, on a thread that may wait, and answers a cancellation
/// within 50 ms.
pub trait Provider: Send + Sync {
    fn kind(&self) -> ProviderKind;

    /// All models that it lists, and those the person named besides.
    fn list_models(&self, cancel: &Cancel) -> Result<Vec<ProviderModel>, ProviderFault>;

    /// `name` as the server calls it, without the provider's id.
    fn model_info(&self, name: &str, cancel: &Cancel) -> Result<ProviderModel, ProviderFault>;

    /// Tells pieces as they come; text is always whole characters.
    fn chat(&self, call: &ChatCall, cancel: &Cancel, tell: &mut dyn FnMut(ChatPiece))
    -> Result<ChatEnd, ProviderFault>;

    /// One vector for each text, in their order.
    fn embed(&self, model: &str, texts: &[String], cancel: &Cancel) -> Result<Embeddings, ProviderFault>;

    /// One small request that needs the address and the key to be right.
    fn health(&self, cancel: &Cancel) -> Result<(), ProviderFault>;

    /// Lets the server fetch a model; `progress(what it does, bytes done, bytes of all)`.
    fn pull(
        &self,
        _name: &str,
        _cancel: &Cancel,
        _progress: &mut dyn FnMut(PullProgress),
    ) -> Result<(), ProviderFault> {
        Err(ProviderFault::unsupported(self.kind(), "fetch models"))
    }

    /// Lets the server delete a model.
    fn delete(&self, _name: &str, _cancel: &Cancel) -> Result<(), ProviderFault> {
        Err(ProviderFault::unsupported(self.kind(), "delete models"))
    }
}

/// What passes the egress door; tests bring their own.
pub trait Door: Send + Sync {
    /// Sends one request and waits for the head of its answer. The body of the answer fails with an
    /// [`std::io::Error`] that [`StreamFault::of`] takes apart.
    fn open(&self, request: Outgoing, cancel: &Cancel) -> Result<Incoming, StreamFault>;
}

impl Door for Arc<Egress> {
    fn open(&self, request: Outgoing, cancel: &Cancel) -> Result<Incoming, StreamFault> {
        self.stream(request, cancel)
    }
}

/// Makes what speaks the wire format of `draft`. Nothing is asked yet.
///
/// # Errors
/// Category validation for the kind `embedded` and for an address that cannot be used.
pub fn open(
    draft: &ProviderDraft,
    key: Option<SecretText>,
    door: Arc<dyn Door>,
) -> Result<Box<dyn Provider>, crate::api::ApiError> {
    super::providers::open(draft, key, door)
}

/// One turn of what is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    System(String),
    User(String),
    Assistant {
        text: String,
        calls: Vec<ToolUse>,
    },
    /// What a tool gave for the call with this id.
    ToolResult {
        id: String,
        name: String,
        text: String,
        failed: bool,
    },
}

impl From<&rspa_ml::generate::ChatTurn> for Turn {
    fn from(turn: &rspa_ml::generate::ChatTurn) -> Self {
        use rspa_ml::generate::Role;
        match turn.role {
            Role::System => Self::System(turn.content.clone()),
            Role::User => Self::User(turn.content.clone()),
            Role::Assistant => Self::Assistant { text: turn.content.clone(), calls: Vec::new() },
        }
    }
}

/// A call that a model asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolUse {
    /// As the server named it, or made here where it names none.
    pub id: String,
    pub name: String,
    /// Always a JSON object.
    pub arguments: Value,
}

/// How the next token is chosen; none leaves it to the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    pub temperature: Option<f32>,
    pub top_p: Option<f32>,
    pub top_k: Option<u32>,
    pub seed: Option<u64>,
}

impl From<&SamplingParams> for Sampling {
    /// What is off there is left out here.
    fn from(params: &SamplingParams) -> Self {
        Self {
            temperature: Some(params.temperature),
            top_p: (params.top_p < 1.0 && params.temperature > 0.0).then_some(params.top_p),
            top_k: (params.top_k > 0 && params.temperature > 0.0)
                .then(|| u32::try_from(params.top_k).unwrap_or(u32::MAX)),
            seed: Some(params.seed),
        }
    }
}

/// Whether tools are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    #[default]
    Auto,
    /// One of them must be called.
    Required,
    None,
}

/// What is asked of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatCall {
    /// As the server calls it.
    pub model: String,
    pub turns: Vec<Turn>,
    pub sampling: Sampling,
    pub max_tokens: Option<u32>,
    pub stop: Vec<String>,
    pub tools: Vec<ToolOffer>,
    pub tool_choice: ToolChoice,
    /// JSON Schema of the whole answer; its text is told as it comes.
    pub schema: Option<Value>,
}

/// What a model says, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatPiece {
    Text(String),
    /// Whole, told once its arguments are complete.
    ToolCall(ToolUse),
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatEnd {
    /// None where the server does not say.
    pub prompt_tokens: Option<u64>,
    pub answer_tokens: Option<u64>,
    pub finish: FinishReason,
    /// All that were told.
    pub tool_calls: Vec<ToolUse>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    pub vectors: Vec<Vec<f32>>,
    /// None where the server does not say.
    pub prompt_tokens: Option<u64>,
}

/// How far a server is with fetching a model.
#[derive(Clone, Debug, PartialEq)]
pub struct PullProgress {
    /// The server's words, cleaned.
    pub status: String,
    /// Of the part that it fetches now, in bytes.
    pub done: Option<u64>,
    pub total: Option<u64>,
}
