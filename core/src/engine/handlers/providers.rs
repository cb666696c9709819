//! The family of providers: not there yet.

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::providers::{ProvidersRequest as Request, ProvidersResponse as Response};
use crate::engine::{Context, Service};

pub struct Providers;

impl Service for Providers {
    fn build(_ctx: &Context) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

pub async fn handle(_ctx: &Context, _cancel: CancellationToken, _request: Request) -> Result<Response, ApiError> {
    Err(ApiError::validation("this is not there yet", "Wait for a later version."))
}
