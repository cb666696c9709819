//! The family of models: requests to the model service.

use tokio_util::sync::CancellationToken;

use crate::api::request::models::{ModelsRequest, ModelsResponse};
use crate::api::{ApiError, ErrorCategory};
use crate::engine::{Context, Service};

/// The model service.
pub struct Models {}

impl Service for Models {
    fn build(_ctx: &Context) -> Result<Self, ApiError> {
        Ok(Self {})
    }
}

pub async fn handle(
    _ctx: &Context,
    _cancel: CancellationToken,
    _request: ModelsRequest,
) -> Result<ModelsResponse, ApiError> {
    Err(ApiError::new(ErrorCategory::System, "models are not part of this build", "Use a complete build of rspa."))
}
