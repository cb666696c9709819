//! Overview, jobs, doctor, network ledger, folders for the picker, and small state that the window keeps.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{
    DoctorReport, FileReport, FolderListing, Job, JobId, LedgerEntry, NetworkStatus, Overview, Page, PageRequest,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetOverview {
    /// Length of the per-day series, today included.
    pub days: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunDoctor {}

/// Checks every page and row of the data files; takes a while.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckFiles {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListJobs {}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CancelJob {
    pub id: JobId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetNetworkStatus {}

/// Newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListLedger {
    pub page: PageRequest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListFolder {
    /// None means the home folder.
    #[serde(default, with = "crate::model::exact_path::option")]
    pub path: Option<PathBuf>,
    pub show_hidden: bool,
}

/// What the window stored under a name, as text; none if nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetUiState {
    pub name: String,
}

/// Keeps up to 1 MiB of text for the window under a name (layout, theme, zoom).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PutUiState {
    pub name: String,
    pub text: String,
}

family!(System, SystemRequest, SystemResponse {
    GetOverview => Overview,
    RunDoctor => DoctorReport,
    CheckFiles => Vec<FileReport>,
    ListJobs => Vec<Job>,
    CancelJob => (),
    GetNetworkStatus => NetworkStatus,
    ListLedger => Page<LedgerEntry>,
    ListFolder => FolderListing,
    GetUiState => Option<String>,
    PutUiState => (),
});

impl SystemRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::GetOverview(_)
            | Self::RunDoctor(_)
            | Self::CheckFiles(_)
            | Self::ListJobs(_)
            | Self::CancelJob(_)
            | Self::GetNetworkStatus(_)
            | Self::ListLedger(_)
            | Self::ListFolder(_)
            | Self::GetUiState(_)
            | Self::PutUiState(_) => Guard::Open,
        }
    }
}
