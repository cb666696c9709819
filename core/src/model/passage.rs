//! A passage (chunk): the piece of a document that is found, shown and cited.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ChatId, DocumentId, DocumentKind, MessageId, PassageId, SourceId, TaskId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    pub id: PassageId,
    pub document: DocumentId,
    pub source: SourceId,
    /// Absolute; of what is no file a pseudo path below that of its source, such as `rspa:chats/ID`, which never reaches
    /// the file system: [`Passage::origin`] says what it stands for.
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    pub kind: DocumentKind,
    /// First line, from 1, inclusive.
    pub start_line: u32,
    /// Last line, from 1, inclusive.
    pub end_line: u32,
    /// The page of a PDF, from 1.
    pub page: Option<u32>,
    /// Heading or symbol that it stands under, such as `Storage › Backups` or `fn lease`.
    pub heading: Option<String>,
    pub text: String,
    /// SHA-256 of the document when it was read, lower-case hex.
    pub document_hash: String,
    /// As the document calls itself: the subject of a mail, the title of a chat.
    #[serde(default)]
    pub title: Option<String>,
    /// Names that the passage declares, where it is code.
    #[serde(default)]
    pub symbols: Vec<String>,
    /// What the passage is a piece of, for opening the right thing.
    #[serde(default)]
    pub origin: Origin,
}

/// What a document is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The file at its path.
    #[default]
    File,
    Chat {
        id: ChatId,
        /// The message in which the passage begins; none for the title.
        message: Option<MessageId>,
    },
    Task {
        id: TaskId,
    },
    /// What happened on a day, `2026-11-20`, as the calendar of this computer counts it.
    Activity {
        day: String,
    },
    Commit {
        /// Lower-case hex.
        hash: String,
    },
    /// A page of the web that is kept; its path is the kept copy.
    Page {
        address: String,
    },
}

impl Origin {
    /// What a record of this program is, by the pseudo path of its document: `rspa:chats/ID`, `rspa:tasks/ID`,
    /// `rspa:activities/DAY`. None for every other path.
    pub fn of_record(path: &Path) -> Option<Self> {
        let (source, name) = path.to_str()?.strip_prefix("rspa:")?.split_once('/')?;
        let id = || Uuid::parse_str(name).ok();
        match source {
            "chats" => id().map(|id| Self::Chat { id: ChatId(id), message: None }),
            "tasks" => id().map(|id| Self::Task { id: TaskId(id) }),
            "activities" => Some(Self::Activity { day: name.to_owned() }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_record_says_what_it_is() {
        let id = Uuid::from_u128(7);
        let of = |path: &str| Origin::of_record(Path::new(path));
        assert_eq!(of(&format!("rspa:chats/{id}")), Some(Origin::Chat { id: ChatId(id), message: None }));
        assert_eq!(of(&format!("rspa:tasks/{id}")), Some(Origin::Task { id: TaskId(id) }));
        assert_eq!(of("rspa:activities/2026-11-20"), Some(Origin::Activity { day: "2026-11-20".to_owned() }));
        for other in ["/home/ada/rspa:chats/x", "rspa:chats", "rspa:chats/x", "rspa:other/1", ""] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
