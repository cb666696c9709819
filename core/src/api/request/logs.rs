//! The log: filtered, read whole, followed, exported. It is of the whole program, not of one profile.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{LogCursor, LogEntry, LogFilter, LogFormat, LogId, LogPage};

/// A page of what matches, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ListLogs {
    pub filter: LogFilter,
    pub cursor: LogCursor,
    /// At most 1,000.
    pub limit: u32,
    /// Leaves out fields and causes and cuts long messages: for lists.
    pub brief: bool,
}

/// How many entries match, all counted; may take a while.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CountLogs {
    pub filter: LogFilter,
    pub cursor: LogCursor,
}

/// One entry whole; none when it is gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetLog {
    pub id: LogId,
}

/// The targets that occur, in order of the alphabet, each with how many entries it has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListLogTargets {}

/// Answers when there is an entry newer than this one, with the number of the newest. Drop it to wait no longer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FollowLogs {
    pub after: LogId,
}

/// Writes what matches into a file, oldest first; the number of entries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportLogs {
    pub filter: LogFilter,
    /// Absolute.
    #[serde(with = "crate::model::exact_path")]
    pub path: PathBuf,
    pub format: LogFormat,
    /// Replaces a file that is there; else it is an error.
    pub overwrite: bool,
}

family!(Logs, LogsRequest, LogsResponse {
    ListLogs => LogPage,
    CountLogs => u64,
    GetLog => Option<LogEntry>,
    ListLogTargets => Vec<(String, u64)>,
    FollowLogs => LogId,
    ExportLogs => u64,
});

impl LogsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListLogs(_)
            | Self::CountLogs(_)
            | Self::GetLog(_)
            | Self::ListLogTargets(_)
            | Self::FollowLogs(_) => Guard::Open,
            // Whoever reads the log can write it where they may write; the program may be allowed more.
            Self::ExportLogs(export) => Guard::person(format!("The log will be written to {}.", export.path.display())),
        }
    }
}
