//! The family of notifications: what the person was told.

use tokio_util::sync::CancellationToken;

use crate::api::request::notifications::{NotificationsRequest as Request, NotificationsResponse as Response};
use crate::api::{ApiError, Event};
use crate::engine::Context;
use crate::storage::notifications;

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    // Every one of them reads or writes the database.
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    let main = ctx.databases.main();
    Ok(match request {
        Request::ListNotifications(list) => {
            Response::ListNotifications(notifications::list(main, ctx.profile, list.unread, list.page)?)
        }
        Request::MarkRead(mark) => {
            let wanted = mark.id;
            let which = move |told: &crate::model::Notification| wanted.is_none_or(|id| told.id == id);
            let (unread, changed) = notifications::mark_read(main, ctx.profile, which)?;
            if changed {
                ctx.publish(Event::NotificationsChanged);
            }
            Response::MarkRead(unread)
        }
        Request::ClearNotifications(clear) => {
            notifications::clear(main, ctx.profile, clear.id)?;
            ctx.publish(Event::NotificationsChanged);
            Response::ClearNotifications(())
        }
    })
}
