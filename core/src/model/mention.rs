//! What a question brings along: files, folders, text that was pasted, and things of the program that `@` names.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{AgentId, ChatId, DocumentId, SourceId, TaskId};

/// What can be attached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mentioned {
    /// Read with the readers of knowledge, whole or as far as it fits.
    File {
        #[serde(with = "crate::model::exact_path")]
        path: PathBuf,
    },
    /// Its tree of files, and their texts as far as they fit.
    Folder {
        #[serde(with = "crate::model::exact_path")]
        path: PathBuf,
    },
    /// Output of a terminal, a selection, something pasted.
    Text {
        title: String,
        text: String,
    },
    /// Searched instead of everything.
    Source {
        id: SourceId,
    },
    Document {
        id: DocumentId,
    },
    Chat {
        id: ChatId,
    },
    Task {
        id: TaskId,
    },
    Agent {
        id: AgentId,
    },
}

/// An attachment of a question, as it was when it was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    pub what: Mentioned,
    /// For people: a file's name, a task's title.
    pub title: String,
    /// What the model gets of it; hostile text.
    pub text: String,
    /// Characters of the whole.
    pub characters: u64,
    /// Only its beginning could be taken, or nothing: why.
    pub problem: Option<String>,
}

/// Something that `@` can name, found by what is typed after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mention {
    pub what: Mentioned,
    pub title: String,
    /// Where it is, or what it is: a folder, "task of Analyst".
    pub detail: String,
}

/// A part of what fills a model's context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContextKind {
    System,
    Tools,
    /// Of turns that no longer fit.
    Summary,
    Attachments,
    Passages,
    History,
    Question,
    /// Kept free for the answer.
    Answer,
}

/// What filled the context of one answer, in tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContextUse {
    /// Of the model.
    pub limit: u32,
    pub parts: Vec<ContextPart>,
    /// Turns of the chat that were left out, oldest first: their text begins so.
    pub dropped: Vec<String>,
    /// The summary that stands for them; empty where there is none.
    pub summary: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContextPart {
    pub kind: ContextKind,
    pub tokens: u32,
    /// How many there are: passages, turns, attachments.
    pub count: u32,
}
