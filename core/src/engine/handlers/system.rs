//! The family of the system: overview, doctor, jobs, network ledger, folders for the picker, state of the window.

mod doctor;
mod overview;

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::system::{SystemRequest as Request, SystemResponse as Response};
use crate::engine::Context;
use crate::storage::ui_state;
use crate::workspace::folders;

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let inner = ctx.clone();
    match request {
        Request::ListJobs(_) => Ok(Response::ListJobs(ctx.jobs.list())),
        Request::CancelJob(cancel) => ctx.jobs.cancel(cancel.id).map(Response::CancelJob),
        Request::PutUiState(put) => {
            ui_state::put(ctx.databases.main(), ctx.profile, put.name, put.text).await?;
            Ok(Response::PutUiState(()))
        }
        // The rest reads files: not on the engine's own threads.
        Request::GetOverview(get) => {
            ctx.blocking(move || overview::overview(&inner, get.days)).await.map(Response::GetOverview)
        }
        Request::RunDoctor(_) => ctx.blocking(move || Ok(doctor::examine(&inner))).await.map(Response::RunDoctor),
        Request::CheckFiles(_) => ctx.blocking(move || Ok(inner.databases.check()?)).await.map(Response::CheckFiles),
        Request::GetNetworkStatus(_) => {
            ctx.blocking(move || inner.egress.status()).await.map(Response::GetNetworkStatus)
        }
        Request::ListLedger(list) => {
            ctx.blocking(move || inner.egress.ledger(list.page)).await.map(Response::ListLedger)
        }
        Request::ListFolder(list) => ctx
            .blocking(move || folders::list(list.path.as_deref(), inner.places.home(), list.show_hidden))
            .await
            .map(Response::ListFolder),
        Request::GetUiState(get) => ctx
            .blocking(move || Ok(ui_state::get(inner.databases.main(), inner.profile, &get.name)?))
            .await
            .map(Response::GetUiState),
    }
}
