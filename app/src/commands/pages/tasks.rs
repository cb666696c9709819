//! What the person can do with the page "Tasks".

#[derive(Clone, Debug, PartialEq)]
pub enum TasksCommand {
    /// Reads it all again.
    Refresh,
}
