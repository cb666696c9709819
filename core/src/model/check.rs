//! Checks of the data files: what was found in each.

use serde::{Deserialize, Serialize};

/// What a check of a file found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// `main.redb`; of a profile with the folder before it.
    pub file: String,
    pub bytes: u64,
    /// Of its schema; none when it cannot be read.
    pub version: Option<u64>,
    pub rows: u64,
    /// What is wrong, in words; none for a sound file.
    pub damage: Option<String>,
}
