//! What the person can do on the page "Profiles & network".

#[derive(Clone, Debug, PartialEq)]
pub enum ProfilesCommand {
    /// Reads it all again.
    Refresh,
}
