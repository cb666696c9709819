//! What the person can do on the page "Trash".

use rspa_core::model::{ChatId, TrashId};

#[derive(Clone, Debug, PartialEq)]
pub enum TrashCommand {
    /// Reads it all again.
    Refresh,
    /// Shows the rows from this one on.
    List {
        offset: u64,
    },
    /// Brings a thing back; a chat that was open is opened again.
    Restore {
        id: TrashId,
        open: Option<ChatId>,
    },
    /// Removes a thing for good.
    Delete(TrashId),
    Empty,
}
