//! What happened: the newest first, filtered, kept for a set time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ActivityId, Timestamp};

/// One thing that happened in a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    pub id: ActivityId,
    pub at: Timestamp,
    /// Family and what happened, such as `source.indexed`, `chat.deleted`, `profile.created`, `backup.finished`.
    pub kind: String,
    pub title: String,
    /// More words; empty for none.
    pub description: String,
    /// The agent that did it; none for the person and the program.
    pub agent: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

/// All that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActivityFilter {
    /// A whole kind, or a family such as `source`; empty means all.
    pub kind: String,
    pub agent: Option<String>,
    /// Inclusive.
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
    /// In title or description, whatever the case; empty means all.
    pub text: String,
}

/// What a clean-up removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanedUp {
    pub activities: u64,
    pub trashed: u64,
    pub log_entries: u64,
}
