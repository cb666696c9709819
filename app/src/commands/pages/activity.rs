//! What the person can do on the page "Activity".

use rspa_core::model::ActivityFilter;

#[derive(Clone, Debug, PartialEq)]
pub enum ActivityCommand {
    /// Reads it all again.
    Refresh,
    /// Shows what fits this filter, from this row on.
    List { filter: ActivityFilter, offset: u64 },
    /// Removes now what has outlived its time.
    CleanUp,
}
