//! Chats and their messages.

use serde::{Deserialize, Serialize};

use super::{
    AnswerStats, ChatId, Citation, MessageId, ModelId, Passage, ProfileId, SentenceSupport, SourceId, Timestamp,
};
use crate::api::ApiError;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chat {
    pub id: ChatId,
    pub profile: ProfileId,
    pub title: String,
    pub created: Timestamp,
    pub updated: Timestamp,
}

/// A chat in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatSummary {
    pub chat: Chat,
    pub messages: u32,
    /// The beginning of the last message.
    pub preview: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    Person,
    Model,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Searching, or the model is loading or reading the prompt.
    Preparing,
    Streaming,
    Complete,
    /// The person stopped it; the text so far stays.
    Stopped,
    /// The text so far stays.
    Failed(ApiError),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub chat: ChatId,
    pub author: Author,
    /// Markdown.
    pub text: String,
    pub created: Timestamp,
    pub state: MessageState,
    /// What was found for the question, best first; all that the model could read. Only in answers.
    pub passages: Vec<Passage>,
    /// The passages that support a sentence of the answer, in order of first use.
    pub citations: Vec<Citation>,
    pub sentences: Vec<SentenceSupport>,
    pub stats: Option<AnswerStats>,
}

/// What is asked and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    pub text: String,
    /// Search the sources first and give the model what was found.
    pub use_knowledge: bool,
    /// Empty means all.
    pub sources: Vec<SourceId>,
    /// None means the default model.
    pub model: Option<ModelId>,
}
