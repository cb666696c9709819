//! What the person can do with the page "Tool servers".

#[derive(Clone, Debug, PartialEq)]
pub enum ServersCommand {
    /// Reads it all again.
    Refresh,
}
