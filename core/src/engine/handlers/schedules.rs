//! The family of schedules: requests to the scheduler and the background agents.

use tokio_util::sync::CancellationToken;

use crate::api::request::schedules::{SchedulesRequest as Request, SchedulesResponse as Response};
use crate::api::{ApiError, ErrorCategory};
use crate::engine::{Context, Service};

/// The scheduler.
pub struct Schedules {}

impl Service for Schedules {
    fn build(_ctx: &Context) -> Result<Self, ApiError> {
        Ok(Self {})
    }
}

pub async fn handle(_ctx: &Context, _cancel: CancellationToken, _request: Request) -> Result<Response, ApiError> {
    Err(ApiError::new(ErrorCategory::System, "this is not there yet", "Wait for it."))
}
