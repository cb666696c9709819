//! Long work with progress that the person can see and cancel.

use serde::{Deserialize, Serialize};

use super::{JobId, Timestamp};
use crate::api::ApiError;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    Index,
    Import,
    Download,
    LoadModel,
    /// A backup is made or read back, a state is looked at or prepared.
    Backup,
    /// Retrieval tests are asked, of the index in use or of a trial.
    Measure,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Running,
    Done,
    Cancelled,
    Failed(ApiError),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    /// For people: "Index ~/papers".
    pub label: String,
    pub state: JobState,
    /// In `unit`s; `total` is 0 while unknown.
    pub done: u64,
    pub total: u64,
    /// "files", "bytes" or "percent".
    pub unit: String,
    pub seconds_left: Option<f64>,
    pub started: Timestamp,
}
