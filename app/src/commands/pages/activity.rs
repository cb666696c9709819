//! What the person can do on the page "Activity".

#[derive(Clone, Debug, PartialEq)]
pub enum ActivityCommand {
    /// Reads it all again.
    Refresh,
}
