//! What the person can do with the page "Crews".

#[derive(Clone, Debug, PartialEq)]
pub enum CrewsCommand {
    /// Reads it all again.
    Refresh,
}
