//! What the person can do with chats, their folders, versions and attachments.

use std::path::PathBuf;

use rspa_core::model::{ChatFormat, ChatId, Mentioned, MessageId, ModelId, Question};

#[derive(Clone, Debug, PartialEq)]
pub enum ChatsCommand {
    /// Opens a chat at a message.
    OpenAt {
        chat: ChatId,
        message: Option<MessageId>,
    },
    /// Answers once more, with another model.
    RetryWith {
        chat: ChatId,
        message: MessageId,
        model: ModelId,
    },
    /// Asks an earlier question with another text.
    Edit {
        chat: ChatId,
        message: MessageId,
        question: Box<Question>,
    },
    Continue {
        chat: ChatId,
        message: MessageId,
    },
    /// Shows another version; the chat goes on from it.
    Choose {
        chat: ChatId,
        message: MessageId,
    },
    /// A new chat with all up to this message.
    Branch {
        chat: ChatId,
        message: MessageId,
    },
    CreateFolder(String),
    RenameFolder {
        name: String,
        to: String,
    },
    DeleteFolder(String),
    /// Into a folder; an empty name is none.
    Move {
        chat: ChatId,
        folder: String,
    },
    Pin {
        chat: ChatId,
        pinned: bool,
    },
    /// Looks for this in all chats; nothing ends the search.
    Search(String),
    FindMentions(String),
    Preview {
        chat: ChatId,
        question: Box<Question>,
    },
    /// Reads the models of providers.
    ListModels,
    Attach(Vec<Mentioned>),
    /// Writes the chat to a file in this folder.
    Export {
        chat: ChatId,
        format: ChatFormat,
        folder: PathBuf,
    },
    /// The text is here; it goes to the disk.
    WriteExport {
        title: String,
        format: ChatFormat,
        folder: PathBuf,
        text: String,
    },
}
