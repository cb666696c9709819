//! What the person can do with the page "Schedules".

#[derive(Clone, Debug, PartialEq)]
pub enum SchedulesCommand {
    /// Reads it all again.
    Refresh,
}
