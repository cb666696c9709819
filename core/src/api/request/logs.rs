//! The log: filtered, read whole, exported.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;

/// The targets that occur, in order of the alphabet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListLogTargets {}

family!(Logs, LogsRequest, LogsResponse {
    ListLogTargets => Vec<String>,
});

impl LogsRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListLogTargets(_) => Guard::Open,
        }
    }
}
