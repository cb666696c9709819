//! Backups: what there is, what restoring one would change, what it did.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Why a backup was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupReason {
    Daily,
    /// The person asked for it.
    Manual,
    /// Before a newer program changed the database.
    Migration,
    /// Before another state was put in place of the present one.
    Restore,
}

impl BackupReason {
    pub const ALL: [Self; 4] = [Self::Daily, Self::Manual, Self::Migration, Self::Restore];

    /// As it stands in a file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Manual => "manual",
            Self::Migration => "migration",
            Self::Restore => "restore",
        }
    }
}

/// What is known of a backup's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// Nobody has looked since the file changed.
    Unknown,
    /// Everything was read back and was as it had been written.
    Good { verified: Timestamp },
    /// It cannot be used; why.
    Bad { why: String },
}

/// One backup file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupInfo {
    /// Of the file, without its folder.
    pub name: String,
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    pub made: Timestamp,
    pub reason: BackupReason,
    pub size_bytes: u64,
    /// Version of the program that made it; empty when the file cannot be read.
    pub program: String,
    /// By name.
    pub profiles: Vec<String>,
    pub chats: u64,
    pub messages: u64,
    pub sources: u64,
    pub state: BackupState,
    /// A copy lies in the second folder too.
    pub copied: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupList {
    #[serde(with = "crate::model::exact_path")]
    pub folder: PathBuf,
    #[serde(default, with = "crate::model::exact_path::option")]
    pub second_folder: Option<PathBuf>,
    /// Why the second folder cannot be used now.
    pub second_problem: Option<String>,
    /// Newest first.
    pub backups: Vec<BackupInfo>,
    /// When the next daily one is due; none while daily backups are off.
    pub next_daily: Option<Timestamp>,
    /// Why the folder cannot be read.
    pub problem: Option<String>,
}

/// Where a state comes from that is to be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreFrom {
    /// A backup of the list.
    Backup { name: String },
    /// A backup that lies elsewhere.
    File {
        #[serde(with = "crate::model::exact_path")]
        path: PathBuf,
    },
    /// The state as it was then, by the change history.
    Time { at: Timestamp },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreMode {
    /// The restored state stands in place of the present one.
    Replace,
    /// What is missing now is added; the present wins where both differ.
    Merge,
}

/// What kinds of things a state consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    Profiles,
    Chats,
    Messages,
    Sources,
    Trash,
    Activities,
    Agents,
    /// Entries of agents' own data stores.
    AgentData,
    Settings,
    Credentials,
    Notes,
    Schedules,
    /// Servers of tools.
    ToolServers,
    Crews,
    RetrievalTests,
    /// All else, such as the layout of the window and default models.
    Other,
}

/// How the present and another state differ in one kind of things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindDifference {
    pub kind: DataKind,
    /// Gone after replacing.
    pub only_here: u64,
    /// Back after replacing or merging.
    pub only_there: u64,
    /// In both, but not the same.
    pub different: u64,
    /// Titles of the first ones of each.
    pub here: Vec<String>,
    pub there: Vec<String>,
    pub both: Vec<String>,
}

impl KindDifference {
    pub fn none(kind: DataKind) -> Self {
        Self { kind, only_here: 0, only_there: 0, different: 0, here: Vec::new(), there: Vec::new(), both: Vec::new() }
    }

    pub fn is_none(&self) -> bool {
        self.only_here == 0 && self.only_there == 0 && self.different == 0
    }
}

/// What restoring would change. Nothing has been changed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePreview {
    pub from: RestoreFrom,
    /// When the other state was the present one.
    pub as_of: Timestamp,
    /// Of what is in both the same, nothing is said; kinds without a difference are left out.
    pub differences: Vec<KindDifference>,
}

/// What a merge did with one kind of things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    pub kind: DataKind,
    pub added: u64,
    /// In both, but not the same: the present one stayed.
    pub kept: u64,
}

/// What restoring did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restored {
    /// All is prepared and comes into force when the core starts again, which follows at once.
    Prepared {
        as_of: Timestamp,
        /// The backup of the state before.
        safety: String,
    },
    Merged {
        as_of: Timestamp,
        safety: String,
        kinds: Vec<Merged>,
    },
}

/// From when to when the change history reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRange {
    pub oldest: Timestamp,
    pub newest: Timestamp,
}
