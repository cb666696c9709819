//! The family of the system: overview, doctor, jobs, network ledger, folders for the picker, state of the window.

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::system::{SystemRequest as Request, SystemResponse as Response};
use crate::engine::Context;
use crate::storage::ui_state;
use crate::workspace::folders;

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    match request {
        Request::ListJobs(_) => Ok(Response::ListJobs(ctx.jobs.list())),
        Request::CancelJob(cancel) => ctx.jobs.cancel(cancel.id).map(Response::CancelJob),
        Request::ListFolder(list) => {
            let home = ctx.places.home().map(std::path::Path::to_owned);
            ctx.blocking(move || folders::list(list.path.as_deref(), home.as_deref(), list.show_hidden))
                .await
                .map(Response::ListFolder)
        }
        Request::GetUiState(get) => ctx
            .clone()
            .blocking(move || Ok(ui_state::get(ctx.databases.main(), ctx.profile, &get.name)?))
            .await
            .map(Response::GetUiState),
        Request::PutUiState(put) => {
            ui_state::put(ctx.databases.main(), ctx.profile, put.name, put.text).await?;
            Ok(Response::PutUiState(()))
        }
        _ => Err(ApiError::cancelled()),
    }
}
