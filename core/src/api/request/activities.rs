//! What happened: listed, filtered, cleaned up.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::{Activity, ActivityFilter, CleanedUp, Page, PageRequest};

/// Newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListActivities {
    pub filter: ActivityFilter,
    pub page: PageRequest,
}

/// The kinds that occur in this profile, in order of the alphabet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListActivityKinds {}

/// The agents that did something in this profile, in order of the alphabet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListActivityAgents {}

/// Removes now what has outlived its time: activities, trash, log entries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CleanUp {}

family!(Activities, ActivitiesRequest, ActivitiesResponse {
    ListActivities => Page<Activity>,
    ListActivityKinds => Vec<String>,
    ListActivityAgents => Vec<String>,
    CleanUp => CleanedUp,
});

impl ActivitiesRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::ListActivities(_) | Self::ListActivityKinds(_) | Self::ListActivityAgents(_) | Self::CleanUp(_) => {
                Guard::Open
            }
        }
    }
}
