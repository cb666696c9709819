//! The family of approvals: what waits, the person's answers, the rules.

use tokio_util::sync::CancellationToken;

use crate::api::request::approvals::{ApprovalsRequest as Request, ApprovalsResponse as Response};
use crate::api::{ApiError, ErrorCategory};
use crate::engine::Context;

pub async fn handle(_ctx: &Context, _cancel: CancellationToken, _request: Request) -> Result<Response, ApiError> {
    Err(ApiError::new(ErrorCategory::System, "this is not there yet", "Wait for it."))
}
