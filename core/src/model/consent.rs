//! A request that only the person may allow: what would happen, in words, and who asks.

use serde::{Deserialize, Serialize};

use super::{ConsentId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentQuestion {
    pub id: ConsentId,
    pub at: Timestamp,
    /// What asks, such as `rspa network policy all` with its process id and program.
    pub who: String,
    /// What will happen, one sentence: "The network policy becomes: all."
    pub what: String,
}
