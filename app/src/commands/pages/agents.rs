//! What the person can do with the page "Agents".

#[derive(Clone, Debug, PartialEq)]
pub enum AgentsCommand {
    /// Reads it all again.
    Refresh,
}
