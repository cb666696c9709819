//! The dashboard: figures and lists over agents, tasks and schedules.

use serde::{Deserialize, Serialize};

use crate::api::Guard;
use crate::api::family::family;
use crate::model::Dashboard;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetDashboard {
    /// 1 (by the hour), or days up to 365.
    pub days: u32,
}

family!(Dashboard, DashboardRequest, DashboardResponse {
    GetDashboard => Dashboard,
});

impl DashboardRequest {
    /// Whether it may come from outside the window.
    pub(crate) fn guard(&self) -> Guard {
        match self {
            Self::GetDashboard(_) => Guard::Open,
        }
    }
}
