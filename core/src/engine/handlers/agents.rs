//! The family of agents: requests to their store, their types and their loop.

use tokio_util::sync::CancellationToken;

use crate::api::request::agents::{AgentsRequest as Request, AgentsResponse as Response};
use crate::api::{ApiError, ErrorCategory};
use crate::engine::{Context, Service};

/// Agents and their loop.
pub struct Agents {}

impl Service for Agents {
    fn build(_ctx: &Context) -> Result<Self, ApiError> {
        Ok(Self {})
    }
}

pub async fn handle(_ctx: &Context, _cancel: CancellationToken, _request: Request) -> Result<Response, ApiError> {
    Err(ApiError::new(ErrorCategory::System, "this is not there yet", "Wait for it."))
}
