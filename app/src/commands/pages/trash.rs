//! What the person can do on the page "Trash".

#[derive(Clone, Debug, PartialEq)]
pub enum TrashCommand {
    /// Reads it all again.
    Refresh,
}
