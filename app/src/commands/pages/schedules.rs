//! What the person can do with the page "Schedules".

use std::collections::BTreeMap;

use rspa_core::model::{ScheduleDraft, ScheduleId, Timing};

#[derive(Clone, Debug, PartialEq)]
pub enum SchedulesCommand {
    /// Reads it all again.
    Refresh,
    /// Shows this one at the side, or none.
    Choose(Option<ScheduleId>),
    /// Says what a timing means, while it is typed.
    Preview(Timing),
    /// Saves a new one, or changes the one of this id.
    Save {
        id: Option<ScheduleId>,
        draft: Box<ScheduleDraft>,
    },
    Enable {
        id: ScheduleId,
        enabled: bool,
    },
    RunNow(ScheduleId),
    Delete(ScheduleId),
    /// Switches a background agent.
    Switch {
        kind: String,
        on: bool,
        values: BTreeMap<String, String>,
    },
    /// The form that was asked for is open.
    FormOpened,
}
