//! The family of knowledge: requests to the knowledge service.

use tokio_util::sync::CancellationToken;

use crate::api::request::knowledge::{KnowledgeRequest, KnowledgeResponse};
use crate::api::{ApiError, ErrorCategory};
use crate::engine::{Context, Service};

/// The knowledge service.
pub struct Knowledge {}

impl Service for Knowledge {
    fn build(_ctx: &Context) -> Result<Self, ApiError> {
        Ok(Self {})
    }
}

pub async fn handle(
    _ctx: &Context,
    _cancel: CancellationToken,
    _request: KnowledgeRequest,
) -> Result<KnowledgeResponse, ApiError> {
    Err(ApiError::new(ErrorCategory::System, "knowledge are not part of this build", "Use a complete build of rspa."))
}
