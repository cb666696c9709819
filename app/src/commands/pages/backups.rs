//! What the person can do on the page "Backups".

use rspa_core::model::{RestoreFrom, RestoreMode};

#[derive(Clone, Debug, PartialEq)]
pub enum BackupsCommand {
    /// Reads it all again.
    Refresh,
    /// Makes a backup now.
    Create,
    Verify(String),
    Delete(String),
    /// Asks what restoring would change.
    Preview(RestoreFrom),
    /// Lets go of the preview.
    ClosePreview,
    Restore {
        from: RestoreFrom,
        mode: RestoreMode,
    },
}
