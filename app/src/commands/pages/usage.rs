//! What the person can do on the page "Usage".

use std::path::PathBuf;

use rspa_core::model::{UsageFormat, UsageGroup};

#[derive(Clone, Debug, PartialEq)]
pub enum UsageCommand {
    /// Reads it all again.
    Refresh,
    /// Shows so many days, today included.
    Days(u32),
    /// Of what the lines of the table are made.
    By(UsageGroup),
    Export {
        folder: PathBuf,
        format: UsageFormat,
    },
    /// The person was asked; 0 deletes all.
    Delete {
        older_than_days: u32,
    },
}
