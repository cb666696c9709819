//! Schedules: made, changed, tried, looked at; the background agents that come with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{
    BackgroundAgent, Page, PageRequest, Schedule, ScheduleDraft, ScheduleId, ScheduleRun, Task, Timing, TimingPreview,
    TrashItem,
};

/// By name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListSchedules {
    /// In name, title of the task or agent's name, whatever the case; empty means all.
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetSchedule {
    pub id: ScheduleId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateSchedule {
    pub draft: ScheduleDraft,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateSchedule {
    pub id: ScheduleId,
    pub draft: ScheduleDraft,
}

/// Switched on again, it does not make up for the time in which it was off.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnableSchedule {
    pub id: ScheduleId,
    pub enabled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeleteSchedule {
    pub id: ScheduleId,
}

/// Makes its task now; the next run stays where it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunScheduleNow {
    pub id: ScheduleId,
}

/// Newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListScheduleRuns {
    pub id: ScheduleId,
    pub page: PageRequest,
}

/// What a timing means, while it is typed.
///
/// # Errors
/// Category validation, in words, with the place that cannot be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PreviewTiming {
    pub timing: Timing,
    pub count: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListBackgroundAgents {}

/// Makes its agent and schedule the first time, and switches the schedule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SwitchBackgroundAgent {
    pub kind: String,
    pub on: bool,
    /// What it needs, by name.
    pub values: BTreeMap<String, String>,
}

family!(Schedules, SchedulesRequest, SchedulesResponse {
    ListSchedules => Vec<Schedule>,
    GetSchedule => Schedule,
    CreateSchedule => Schedule,
    UpdateSchedule => Schedule,
    EnableSchedule => Schedule,
    DeleteSchedule => TrashItem,
    RunScheduleNow => Task,
    ListScheduleRuns => Page<ScheduleRun>,
    PreviewTiming => TimingPreview,
    ListBackgroundAgents => Vec<BackgroundAgent>,
    SwitchBackgroundAgent => BackgroundAgent,
});

impl SchedulesRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::SwitchBackgroundAgent(switch) if switch.on && !switch.values.is_empty() => {
                let values: Vec<&str> = switch.values.values().map(String::as_str).collect();
                Guard::person(format!(
                    "The background agent {} begins to work with: {}.",
                    switch.kind,
                    values.join(", ")
                ))
            }
            _ => Guard::Open,
        }
    }
}
