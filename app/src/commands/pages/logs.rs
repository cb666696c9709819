//! What the person can do on the page "Logs".

#[derive(Clone, Debug, PartialEq)]
pub enum LogsCommand {
    /// Reads it all again.
    Refresh,
}
