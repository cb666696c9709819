//! Typed ids. All are UUIDv7 (sorted by time of making), but passages: those are dense numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

uuid_id! {
    /// One person's separate world.
    ProfileId;
    /// A folder or file that is indexed.
    SourceId;
    /// One file of a source.
    DocumentId;
    ChatId;
    MessageId;
    /// A running or finished piece of long work.
    JobId;
    /// Something that happened.
    ActivityId;
    /// Something that was deleted and can still be brought back.
    TrashId;
    /// A question to the person that waits for an answer.
    ConsentId;
    AgentId;
    TaskId;
    /// One attempt of an agent at a task, with its recorded steps.
    RunId;
    ScheduleId;
    /// A tool call that waits for the person, or was answered.
    ApprovalId;
    /// What the person allowed or denied once for all.
    ApprovalRuleId;
    NotificationId;
    CrewId;
    /// One run of a crew.
    CrewRunId;
    McpServerId;
    /// A question with the passage that search should find.
    RetrievalTestId;
    /// Something that a question brings along.
    AttachmentId;
}

/// A passage: a dense number within one profile, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PassageId(pub u64);

impl fmt::Display for PassageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of an installed model, as `rspa models list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelId(pub String);

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
