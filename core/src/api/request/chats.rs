//! Chats and answers. An answer streams as events; its message is stored when it is complete, stopped or failed.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{Chat, ChatId, ChatSummary, Message, MessageId, Question, TrashItem};

/// An empty title is made from the first question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateChat {
    pub title: String,
}

/// Newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListChats {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetMessages {
    pub chat: ChatId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenameChat {
    pub chat: ChatId,
    pub title: String,
}

/// Puts it into the trash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteChat {
    pub chat: ChatId,
}

/// Stores the question and starts the answer: the reply comes at once, the answer as events
/// (`MessageChanged`, `PassagesFound`, `AnswerDelta`, …, a last `MessageChanged`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SendQuestion {
    pub chat: ChatId,
    pub question: Question,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    pub question: Message,
    pub answer: Message,
}

/// Answers the question before this answer once more; the old answer is replaced.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RetryAnswer {
    pub chat: ChatId,
    pub message: MessageId,
}

/// Stops a running answer; what was streamed stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StopAnswer {
    pub message: MessageId,
}

family!(Chats, ChatsRequest, ChatsResponse {
    CreateChat => Chat,
    ListChats => Vec<ChatSummary>,
    GetMessages => Vec<Message>,
    RenameChat => Chat,
    DeleteChat => TrashItem,
    SendQuestion => Sent,
    RetryAnswer => Sent,
    StopAnswer => (),
});

impl ChatsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::CreateChat(_)
            | Self::ListChats(_)
            | Self::GetMessages(_)
            | Self::RenameChat(_)
            | Self::DeleteChat(_)
            | Self::SendQuestion(_)
            | Self::RetryAnswer(_)
            | Self::StopAnswer(_) => Guard::Open,
        }
    }
}
