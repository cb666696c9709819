//! What the person can do on the page "Activity".

use rspa_core::model::ActivityFilter;

#[derive(Clone, Debug, PartialEq)]
pub enum ActivityCommand {
    /// Reads it all again.
    Refresh,
    /// Shows what fits this filter, from this row on.
    List { filter: ActivityFilter, offset: u64 },
    /// Opens the page at a day, `2026-11-20`, and there at the row that this line of the day's text speaks of.
    ShowDay { day: String, line: Option<String> },
    /// Removes now what has outlived its time.
    CleanUp,
}
