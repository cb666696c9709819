//! What the person can do with the page "Dashboard".

#[derive(Clone, Debug, PartialEq)]
pub enum DashboardCommand {
    /// Reads it all again.
    Refresh,
    /// Another window, in days.
    Window(u32),
    /// Makes sample agents, tasks and schedules.
    AddSample,
}
