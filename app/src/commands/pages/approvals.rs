//! What the person can do with approval prompts.

#[derive(Clone, Debug, PartialEq)]
pub enum ApprovalsCommand {
    /// Reads it all again.
    Refresh,
}
