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

/// Something that has just happened, as whoever did it tells it; id and time are added when it is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Happening {
    pub kind: String,
    pub title: String,
    pub description: String,
    pub agent: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

impl Happening {
    /// `kind` such as `source.indexed`: a family, a dot, what happened.
    pub fn new(kind: &str, title: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), title: title.into(), ..Self::default() }
    }

    #[must_use]
    pub fn describe(mut self, words: impl Into<String>) -> Self {
        self.description = words.into();
        self
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.metadata.insert(name.to_owned(), value.to_string());
        self
    }

    /// Keeps each text within bounds, so that one row stays small whatever it was made from.
    pub fn kept(self, id: ActivityId, at: Timestamp) -> Activity {
        let cut = |mut text: String, most: usize| {
            if text.len() > most {
                text.truncate(text.floor_char_boundary(most));
                text.push('…');
            }
            text
        };
        Activity {
            id,
            at,
            kind: cut(self.kind, 80),
            title: cut(self.title, 400),
            description: cut(self.description, 4_000),
            agent: self.agent.map(|agent| cut(agent, 200)),
            metadata: self
                .metadata
                .into_iter()
                .take(24)
                .map(|(name, value)| (cut(name, 80), cut(value, 1_000)))
                .collect(),
        }
    }
}
