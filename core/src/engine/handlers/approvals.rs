//! The family of approvals: what waits, the person's answers, the rules.

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::approvals::{ApprovalsRequest as Request, ApprovalsResponse as Response};
use crate::engine::Context;
use crate::storage::approvals;

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    // Every one of them reads or writes the database.
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    let main = ctx.databases.main();
    Ok(match request {
        Request::ListApprovals(list) => {
            Response::ListApprovals(approvals::list(main, ctx.profile, list.waiting, list.task, list.page)?)
        }
        Request::GetApproval(get) => Response::GetApproval(approvals::get(main, ctx.profile, get.id)?),
        Request::AnswerApproval(answer) => {
            Response::AnswerApproval(ctx.runs()?.desk().answer(answer.id, answer.answer)?)
        }
        Request::ListApprovalRules(_) => Response::ListApprovalRules(ctx.runs()?.desk().rules()?),
        Request::RemoveApprovalRule(remove) => {
            let runs = ctx.runs()?;
            runs.desk().forget(remove.id)?;
            Response::RemoveApprovalRule(runs.desk().rules()?)
        }
    })
}
