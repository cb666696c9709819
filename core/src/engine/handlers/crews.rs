//! The family of crews: not there yet.

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::crews::{CrewsRequest as Request, CrewsResponse as Response};
use crate::engine::{Context, Service};

pub struct Crews;

impl Service for Crews {
    fn build(_ctx: &Context) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

pub async fn handle(_ctx: &Context, _cancel: CancellationToken, _request: Request) -> Result<Response, ApiError> {
    Err(ApiError::validation("this is not there yet", "Wait for a later version."))
}
