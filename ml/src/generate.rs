//! Generation: sampling, chat templates, streaming. The types that requests and streams are made of.

pub(crate) mod constrain;
pub mod sampling;
pub mod stop;
pub mod stream;
pub mod template;

use serde::{Deserialize, Serialize};

pub use constrain::Constrainer;

/// Who speaks in a chat turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    /// Its name in chat templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a chat. `content` is plain text: special tokens inside it stay plain text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatTurn {
    pub role: Role,
    pub content: String,
}

/// What the model continues.
#[derive(Clone, Debug)]
pub enum Prompt {
    /// Rendered with the model's own chat template. When the last turn is the assistant's, that turn is continued.
    Chat(Vec<ChatTurn>),
    /// Text as it is; BOS as the file says.
    Raw(String),
    /// Token ids as they are.
    Tokens(Vec<u32>),
}

/// How the next token is chosen (SPEC ML-3). The same seed gives the same text on one build, machine and thread count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SamplingParams {
    /// 0.0 is greedy.
    pub temperature: f32,
    /// Nucleus: keep the smallest set of tokens whose probability reaches this; 1.0 is off.
    pub top_p: f32,
    /// Keep the k most likely tokens; 0 is off.
    pub top_k: usize,
    /// Drop tokens less likely than this share of the most likely one; 0.0 is off.
    pub min_p: f32,
    /// 1.0 is off.
    pub repeat_penalty: f32,
    /// How many of the last tokens the penalty looks at.
    pub repeat_last_n: usize,
    pub seed: u64,
    /// Generation ends before any of these texts; they are not part of the answer.
    pub stop: Vec<String>,
    pub max_tokens: usize,
}

impl Default for SamplingParams {
    fn default() -> Self {
        Self {
            temperature: 0.7,
            top_p: 0.95,
            top_k: 40,
            min_p: 0.05,
            repeat_penalty: 1.1,
            repeat_last_n: 64,
            seed: 0,
            stop: Vec::new(),
            max_tokens: 512,
        }
    }
}

/// What the answer must look like; enforced at each token (SPEC ML-4), so that an answer that ends is one that parses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// A JSON value that the schema accepts, with one space after commas and colons. What has no bound (texts, lists,
    /// numbers, recursion) gets one, and near the end of the token budget all that may be closed is closed.
    JsonSchema(serde_json::Value),
    /// The whole answer matches.
    Regex(String),
    /// A context-free grammar in llguidance's dialect of Lark.
    Grammar(String),
}

#[derive(Clone, Debug)]
pub struct GenerateRequest {
    pub prompt: Prompt,
    pub sampling: SamplingParams,
    /// When the token budget ends before the constraint is met, the stream ends with `Failed`
    /// ([`crate::Error::Unfinished`]) and the partial answer. Stop texts do not count where there is a constraint: it
    /// says itself where the answer ends.
    pub constraint: Option<Constraint>,
}

/// Why generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    EndOfText,
    StopText,
    MaxTokens,
    ContextFull,
    Cancelled,
}

/// Measured while generating.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GenerateStats {
    pub prompt_tokens: usize,
    pub answer_tokens: usize,
    pub prefill_seconds: f64,
    pub decode_seconds: f64,
    /// From the worker's start on the request to the first token.
    pub time_to_first_token_seconds: f64,
    pub finish: FinishReason,
}

/// What a running generation says, in order; `Finished` or `Failed` is always the last.
#[derive(Debug)]
pub enum GenerateEvent {
    /// Prompt tokens computed so far, of all: progress of a long prefill.
    Prefill {
        done: usize,
        total: usize,
    },
    /// The next piece of text, always whole UTF-8 characters.
    Text(String),
    Finished(GenerateStats),
    /// `partial` is all text that was streamed before.
    Failed {
        error: crate::Error,
        partial: String,
    },
}
