//! What was deleted and can be brought back for a while.

use serde::{Deserialize, Serialize};

use super::{Timestamp, TrashId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrashKind {
    Chat,
    Source,
    Agent,
    Task,
    Schedule,
    Crew,
    RetrievalTest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrashItem {
    pub id: TrashId,
    pub kind: TrashKind,
    pub title: String,
    /// Such as "12 messages" or the path of a source.
    pub detail: String,
    pub deleted: Timestamp,
    /// When it goes for good.
    pub expires: Timestamp,
}
