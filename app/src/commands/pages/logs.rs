//! What the person can do on the page "Logs".

use std::path::PathBuf;

use rspa_core::model::{LogFormat, LogId};

use crate::state::pages::logs::LogsChoice;

#[derive(Clone, Debug, PartialEq)]
pub enum LogsCommand {
    /// Reads it all again.
    Refresh,
    /// Filters, and keeps the choice over restarts.
    Choose(LogsChoice),
    /// Reads the rows of this page of the list.
    Need(u64),
    /// Reads one entry whole, or none.
    Select(Option<LogId>),
    /// Writes all that the filter lets through into a new file in this folder.
    Export {
        folder: PathBuf,
        format: LogFormat,
    },
    StopExport,
}
