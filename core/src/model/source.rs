//! A source: a folder or file of the person's that is read, watched and searched.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ProfileId, SourceId, Timestamp};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub id: SourceId,
    pub profile: ProfileId,
    /// Absolute; of chats, tasks and activities `rspa:chats` and the like, which is no place on the disk.
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    pub name: String,
    pub kind: SourceKind,
    /// Where a page of the web came from.
    pub address: Option<String>,
    /// The sample folder that came with the program.
    pub sample: bool,
    pub paused: bool,
    pub created: Timestamp,
    pub updated: Timestamp,
}

/// What kind of thing a source is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    #[default]
    Folder,
    File,
    /// A folder with a git repository: its files and its commits.
    Repository,
    /// A folder that Obsidian keeps notes in.
    Vault,
    /// A page of the web, fetched with the person's leave and kept.
    Web,
    /// The chats of this profile.
    Chats,
    /// The tasks of this profile.
    Tasks,
    /// What happened in this profile.
    Activities,
}

impl SourceKind {
    /// Those that every profile has by itself.
    pub const BUILT_IN: [Self; 3] = [Self::Chats, Self::Tasks, Self::Activities];

    /// It is there without anybody adding it: it can be paused, which takes it out of the search, and not be removed.
    pub fn is_built_in(self) -> bool {
        matches!(self, Self::Chats | Self::Tasks | Self::Activities)
    }
}

/// What a source is doing now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Waiting for its turn.
    Queued,
    /// Looking for files that are new, changed or gone.
    Scanning,
    Indexing,
    /// Keyword and static search cover everything; the encoder still works in the background.
    Upgrading,
    Ready,
    Paused,
    /// The folder is not there (an unplugged drive, say). What was indexed stays searchable.
    Missing,
}

/// A source with its true figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceStatus {
    pub source: Source,
    pub state: SourceState,
    pub documents: u64,
    pub passages: u64,
    /// Files that could not be read, or only in part.
    pub problems: u64,
    pub progress: Option<SourceProgress>,
    /// When all was last found up to date; of a page of the web when it was last fetched.
    pub completed: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceProgress {
    pub files_done: u64,
    pub files_total: u64,
    pub files_per_second: f64,
    /// Seconds until done at the present pace; none while it cannot be said.
    pub seconds_left: Option<f64>,
}
