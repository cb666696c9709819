//! The family of chats: requests to the answering service.

use tokio_util::sync::CancellationToken;

use crate::api::request::chats::{ChatsRequest, ChatsResponse};
use crate::api::{ApiError, ErrorCategory};
use crate::engine::{Context, Service};

/// The answering service.
pub struct Chats {}

impl Service for Chats {
    fn build(_ctx: &Context) -> Result<Self, ApiError> {
        Ok(Self {})
    }
}

pub async fn handle(
    _ctx: &Context,
    _cancel: CancellationToken,
    _request: ChatsRequest,
) -> Result<ChatsResponse, ApiError> {
    Err(ApiError::new(ErrorCategory::System, "chats are not part of this build", "Use a complete build of rspa."))
}
