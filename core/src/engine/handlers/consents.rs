//! The family of questions to the person.

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::consents::{ConsentsRequest as Request, ConsentsResponse as Response};
use crate::engine::Context;

pub async fn handle(_ctx: &Context, _cancel: CancellationToken, _request: Request) -> Result<Response, ApiError> {
    Err(ApiError::validation("this is not there yet", "Wait for a later version."))
}
