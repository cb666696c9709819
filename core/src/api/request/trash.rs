//! What was deleted: listed, brought back, removed for good.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{Page, PageRequest, TrashId, TrashItem};

/// Newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListTrash {
    pub page: PageRequest,
}

/// Brings it back to where it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RestoreTrashed {
    pub id: TrashId,
}

/// Removes it for good.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteTrashed {
    pub id: TrashId,
}

/// Removes all of it for good; the number of things removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EmptyTrash {}

family!(Trash, TrashRequest, TrashResponse {
    ListTrash => Page<TrashItem>,
    RestoreTrashed => TrashItem,
    DeleteTrashed => (),
    EmptyTrash => u64,
});

impl TrashRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListTrash(_) | Self::RestoreTrashed(_) => Guard::Open,
            Self::DeleteTrashed(_) => Guard::person("One thing in the trash is removed for good."),
            Self::EmptyTrash(_) => Guard::person("Everything in the trash is removed for good."),
        }
    }
}
