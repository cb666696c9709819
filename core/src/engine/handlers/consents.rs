//! The family of questions to the person: those that wait, and their answers from the window itself.

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::consents::{ConsentsRequest as Request, ConsentsResponse as Response};
use crate::engine::Context;

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    match request {
        Request::ListConsents(_) => Ok(Response::ListConsents(ctx.consents.list())),
        Request::AnswerConsent(answer) => ctx.consents.answer(answer.id, answer.allowed).map(Response::AnswerConsent),
    }
}
