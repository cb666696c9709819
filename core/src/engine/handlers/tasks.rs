//! The family of tasks: requests to the queue.

use tokio_util::sync::CancellationToken;

use crate::api::request::tasks::{TasksRequest as Request, TasksResponse as Response};
use crate::api::{ApiError, ErrorCategory};
use crate::engine::{Context, Service};

/// The queue.
pub struct Tasks {}

impl Service for Tasks {
    fn build(_ctx: &Context) -> Result<Self, ApiError> {
        Ok(Self {})
    }
}

pub async fn handle(_ctx: &Context, _cancel: CancellationToken, _request: Request) -> Result<Response, ApiError> {
    Err(ApiError::new(ErrorCategory::System, "this is not there yet", "Wait for it."))
}
