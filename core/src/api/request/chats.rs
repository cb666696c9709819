//! Chats and answers. An answer streams as events; its message is stored when it is complete, stopped or failed.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{
    Chat, ChatFormat, ChatHit, ChatId, ChatSummary, ContextUse, Mention, Message, MessageId, ModelId, Question,
    TrashItem,
};

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

/// Answers the question before this answer once more, never from the response cache; the old answer stays as another version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RetryAnswer {
    pub chat: ChatId,
    pub message: MessageId,
    /// None takes the one that was asked before.
    #[serde(default)]
    pub model: Option<ModelId>,
}

/// Asks a question again with another text; the chat goes on from there, what followed stays as another version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EditQuestion {
    pub chat: ChatId,
    /// The question that is edited.
    pub message: MessageId,
    pub question: Question,
}

/// Goes on where an answer was stopped or ran out of tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ContinueAnswer {
    pub chat: ChatId,
    pub message: MessageId,
}

/// Shows this version; the chat goes on from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChooseVersion {
    pub chat: ChatId,
    pub message: MessageId,
}

/// A new chat with everything up to this message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BranchChat {
    pub chat: ChatId,
    pub message: MessageId,
}

/// Names of folders, sorted; also empty ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListChatFolders {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateChatFolder {
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenameChatFolder {
    pub name: String,
    pub to: String,
}

/// Its chats stay, without a folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteChatFolder {
    pub name: String,
}

/// Into a folder, or out of all (empty); a new name makes the folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MoveChat {
    pub chat: ChatId,
    pub folder: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PinChat {
    pub chat: ChatId,
    pub pinned: bool,
}

/// In titles and messages, newest first; every word must be there, whatever the case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SearchChats {
    pub text: String,
    pub limit: u32,
}

/// The whole chat as text, as it is shown: one version of each message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportChat {
    pub chat: ChatId,
    pub format: ChatFormat,
}

/// What `@` and this text may mean, best first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindMentions {
    pub text: String,
    pub limit: u32,
}

/// What would fill the context if this were asked now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PreviewContext {
    pub chat: ChatId,
    pub question: Question,
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
    EditQuestion => Sent,
    ContinueAnswer => Sent,
    ChooseVersion => (),
    BranchChat => Chat,
    ListChatFolders => Vec<String>,
    CreateChatFolder => (),
    RenameChatFolder => (),
    DeleteChatFolder => (),
    MoveChat => Chat,
    PinChat => Chat,
    SearchChats => Vec<ChatHit>,
    ExportChat => String,
    FindMentions => Vec<Mention>,
    PreviewContext => ContextUse,
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
            | Self::EditQuestion(_)
            | Self::ContinueAnswer(_)
            | Self::ChooseVersion(_)
            | Self::BranchChat(_)
            | Self::ListChatFolders(_)
            | Self::CreateChatFolder(_)
            | Self::RenameChatFolder(_)
            | Self::DeleteChatFolder(_)
            | Self::MoveChat(_)
            | Self::PinChat(_)
            | Self::SearchChats(_)
            | Self::ExportChat(_)
            | Self::FindMentions(_)
            | Self::PreviewContext(_)
            | Self::StopAnswer(_) => Guard::Open,
        }
    }
}
