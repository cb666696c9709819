//! The family of credentials.

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::credentials::{CredentialsRequest as Request, CredentialsResponse as Response};
use crate::engine::Context;

pub async fn handle(_ctx: &Context, _cancel: CancellationToken, _request: Request) -> Result<Response, ApiError> {
    Err(ApiError::validation("this is not there yet", "Wait for a later version."))
}
