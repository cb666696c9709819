//! Chats and their messages.

use serde::{Deserialize, Serialize};

use super::{
    AnswerStats, Attachment, ChatId, Citation, ContextUse, Mentioned, MessageId, ModelChoice, ModelId, Passage,
    ProfileId, SentenceSupport, SourceId, Timestamp,
};
use crate::api::ApiError;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chat {
    pub id: ChatId,
    pub profile: ProfileId,
    pub title: String,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// The name of its folder, `Work/Clients`; empty for none.
    #[serde(default)]
    pub folder: String,
    #[serde(default)]
    pub pinned: bool,
    /// The chat that it was branched from.
    #[serde(default)]
    pub branched_from: Option<ChatId>,
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
    /// Other texts of the same place in the chat, made by editing, asking again, or several models; this one among them.
    #[serde(default)]
    pub versions: Versions,
    /// Of a question.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// Of an answer: which model, and why.
    #[serde(default)]
    pub choice: Option<ModelChoice>,
    /// Of an answer: what the model was given.
    #[serde(default)]
    pub context: Option<ContextUse>,
}

/// Where a message stands among the versions of its place. The chat goes on from the one that is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Versions {
    /// All of them, oldest first; empty when this is the only one.
    pub all: Vec<MessageId>,
    /// Answers of several models to one question, to be shown side by side until one of them is chosen: the others.
    pub beside: Vec<Message>,
}

/// A message that holds what was searched for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatHit {
    pub chat: ChatId,
    pub title: String,
    /// None when the title matches.
    pub message: Option<MessageId>,
    pub at: Timestamp,
    /// Text around the first match.
    pub snippet: String,
    /// Byte ranges in the snippet.
    pub marks: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatFormat {
    Markdown,
    Json,
}

/// What is asked and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Question {
    pub text: String,
    /// Search the sources first and give the model what was found.
    pub use_knowledge: bool,
    /// Empty means all.
    pub sources: Vec<SourceId>,
    /// None means the router's choice.
    pub model: Option<ModelId>,
    /// A second model answers the same question, side by side.
    #[serde(default)]
    pub beside: Option<ModelId>,
    #[serde(default)]
    pub attachments: Vec<Mentioned>,
}
