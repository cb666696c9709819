//! A log entry as it is stored, and its earlier version.

use serde::{Deserialize, Serialize};

use crate::model::{LogEntry, LogId, LogLevel, Timestamp};
use crate::storage::{Record, first_version, golden_record};

/// The first version: its time was in the key, and errors were fields.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredLogV1 {
    pub level: String,
    pub target: String,
    pub module: String,
    pub line: u32,
    #[serde(default)]
    pub span: String,
    pub message: String,
    #[serde(default)]
    pub fields: Vec<(String, String)>,
}
first_version!(StoredLogV1, "log entry");

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredLog {
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    /// The place in [`LogLevel::ALL`].
    pub level: u8,
    pub target: String,
    pub module: String,
    #[serde(default)]
    pub function: String,
    pub line: u32,
    #[serde(default)]
    pub span: String,
    pub message: String,
    #[serde(default)]
    pub errors: Vec<String>,
    #[serde(default)]
    pub fields: Vec<(String, String)>,
}

golden_record!(StoredLog);

impl Record for StoredLog {
    const NAME: &'static str = "log entry";
    const VERSION: u16 = 2;
    type Before = StoredLogV1;

    /// The time is set by whoever has the key.
    fn upgrade(before: StoredLogV1) -> Self {
        let StoredLogV1 { level, target, module, line, span, message, fields } = before;
        let level = level.parse().unwrap_or(LogLevel::Info) as u8;
        Self { at: 0, level, target, module, function: String::new(), line, span, message, errors: Vec::new(), fields }
    }
}

impl From<LogEntry> for StoredLog {
    fn from(entry: LogEntry) -> Self {
        let LogEntry { id: _, at, level, target, module, function, line, span, message, errors, fields } = entry;
        Self { at: at.0, level: level as u8, target, module, function, line, span, message, errors, fields }
    }
}

impl StoredLog {
    pub(super) fn into_entry(self, id: u64) -> LogEntry {
        let Self { at, level, target, module, function, line, span, message, errors, fields } = self;
        let level = LogLevel::from_index(level).unwrap_or(LogLevel::Info);
        let (id, at) = (LogId(id), Timestamp(at));
        LogEntry { id, at, level, target, module, function, line, span, message, errors, fields }
    }
}
