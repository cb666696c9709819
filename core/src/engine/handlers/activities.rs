//! The family of what happened: lists, the kinds and agents that occur, clean-up on demand.

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::activities::{ActivitiesRequest as Request, ActivitiesResponse as Response};
use crate::engine::{Context, maintenance};
use crate::storage::activities;

pub async fn handle(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    // Every one of them reads the database.
    ctx.clone().blocking(move || answer(&ctx, &cancel, request)).await
}

fn answer(ctx: &Context, cancel: &CancellationToken, request: Request) -> Result<Response, ApiError> {
    let main = ctx.databases.main();
    Ok(match request {
        Request::ListActivities(list) => {
            let found = activities::list(main, ctx.profile, &list.filter, list.page, &|| cancel.is_cancelled())?;
            Response::ListActivities(found.ok_or_else(ApiError::cancelled)?)
        }
        Request::ListActivityKinds(_) => {
            let kinds = activities::kinds(main, ctx.profile)?;
            Response::ListActivityKinds(kinds.into_iter().map(|(kind, _)| kind).collect())
        }
        Request::ListActivityAgents(_) => Response::ListActivityAgents(activities::agents(main, ctx.profile)?),
        Request::CleanUp(_) => Response::CleanUp(maintenance::clean_up(ctx, true)?),
    })
}
