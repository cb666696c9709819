//! What the person can do with the page "Usage".

#[derive(Clone, Debug, PartialEq)]
pub enum UsageCommand {
    /// Reads it all again.
    Refresh,
}
