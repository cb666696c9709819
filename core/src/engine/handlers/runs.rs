//! The family of runs: recorded steps.

use tokio_util::sync::CancellationToken;

use crate::api::request::runs::{RunsRequest as Request, RunsResponse as Response};
use crate::api::{ApiError, ErrorCategory};
use crate::engine::Context;

pub async fn handle(_ctx: &Context, _cancel: CancellationToken, _request: Request) -> Result<Response, ApiError> {
    Err(ApiError::new(ErrorCategory::System, "this is not there yet", "Wait for it."))
}
