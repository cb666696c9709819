//! The figures of the dashboard, the state of the program, and folders for the picker.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Activity, LedgerEntry, NetworkStatus, Timestamp};

/// All counts are of the active profile and true at `at`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    pub at: Timestamp,
    pub sources: u64,
    pub documents: u64,
    pub passages: u64,
    pub problems: u64,
    pub chats: u64,
    pub questions: u64,
    /// One entry per day, oldest first, the last is today: questions asked.
    pub questions_per_day: Vec<u32>,
    /// One entry per day, oldest first: seconds that the model worked.
    pub model_seconds_per_day: Vec<f64>,
    pub network: NetworkStatus,
    /// Last entries of the ledger, newest first.
    pub ledger: Vec<LedgerEntry>,
    /// What happened last, newest first.
    pub recent: Vec<Activity>,
    pub memory_bytes: u64,
    pub memory_total_bytes: u64,
    #[serde(with = "crate::model::exact_path")]
    pub data_folder: PathBuf,
    pub data_bytes: u64,
    pub disk_free_bytes: u64,
    /// Something is not as it should be; in words.
    pub degraded: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DoctorCheck {
    pub name: String,
    pub ok: bool,
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DoctorReport {
    pub ok: bool,
    pub checks: Vec<DoctorCheck>,
}

/// A folder's content for the picker inside the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FolderListing {
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    #[serde(default, with = "crate::model::exact_path::option")]
    pub parent: Option<PathBuf>,
    /// Folders first, then files, each by name.
    pub entries: Vec<FolderEntry>,
    /// More entries than are listed exist.
    pub truncated: bool,
    pub places: Vec<Place>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FolderEntry {
    /// For showing; characters that are no valid text are replaced.
    pub name: String,
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    pub is_folder: bool,
    pub hidden: bool,
    /// Files only.
    pub size_bytes: u64,
    pub modified: Option<Timestamp>,
    pub readable: bool,
}

/// A shortcut of the picker: home, documents, a mounted drive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub label: String,
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
}
