//! What the person can do on the page "Backups".

#[derive(Clone, Debug, PartialEq)]
pub enum BackupsCommand {
    /// Reads it all again.
    Refresh,
}
