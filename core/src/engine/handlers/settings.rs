//! The family of settings: every value with its origin; set, reset.

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::settings::{SettingsRequest, SettingsResponse};
use crate::engine::Context;

pub async fn handle(
    _ctx: &Context,
    _cancel: CancellationToken,
    _request: SettingsRequest,
) -> Result<SettingsResponse, ApiError> {
    Err(ApiError::cancelled())
}
