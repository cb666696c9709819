//! The family of the trash: lists, the way back, and removal for good.

use tokio_util::sync::CancellationToken;

use crate::api::request::trash::{TrashRequest as Request, TrashResponse as Response};
use crate::api::{ApiError, Event};
use crate::engine::Context;
use crate::model::{Happening, PageRequest, SourceId, TrashId, TrashItem, TrashKind};
use crate::storage::StorageError;
use crate::storage::trash::{self, Deletion, Emptied};

/// Things that are listed at once while the trash is emptied.
const BATCH: PageRequest = PageRequest { offset: 0, limit: 500 };

pub async fn handle(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    // Every one of them reads or writes the database.
    ctx.clone().blocking(move || answer(&ctx, &cancel, request)).await
}

fn answer(ctx: &Context, cancel: &CancellationToken, request: Request) -> Result<Response, ApiError> {
    let (main, days) = (ctx.databases.main(), days(ctx));
    Ok(match request {
        Request::ListTrash(list) => Response::ListTrash(trash::list(main, ctx.profile, days, list.page)?),
        Request::RestoreTrashed(restore) => {
            let back = trash::restore(main, ctx.profile, restore.id, days)?;
            returned(ctx, &back)?;
            ctx.publish(Event::TrashChanged);
            Response::RestoreTrashed(back.item)
        }
        Request::DeleteTrashed(delete) => {
            erase(ctx, delete.id, days)?;
            ctx.publish(Event::TrashChanged);
            Response::DeleteTrashed(())
        }
        Request::EmptyTrash(_) => {
            let emptied = empty(ctx, cancel, days);
            ctx.publish(Event::TrashChanged);
            Response::EmptyTrash(emptied?)
        }
    })
}

fn empty(ctx: &Context, cancel: &CancellationToken, days: i64) -> Result<u64, ApiError> {
    let mut gone = 0;
    loop {
        let page = trash::list(ctx.databases.main(), ctx.profile, days, BATCH)?;
        if page.items.is_empty() {
            return Ok(gone);
        }
        for item in page.items {
            if cancel.is_cancelled() {
                return Err(ApiError::cancelled());
            }
            erase(ctx, item.id, days)?;
            gone += 1;
        }
    }
}

/// Removes one thing for good.
fn erase(ctx: &Context, id: TrashId, days: i64) -> Result<(), StorageError> {
    let gone = trash::erase(ctx.databases.main(), ctx.profile, id, days)?;
    ctx.activity(happening(&gone.item, "deleted_for_good"));
    Ok(())
}

/// Lets the family of the thing know that it is there again.
fn returned(ctx: &Context, back: &Emptied) -> Result<(), ApiError> {
    match back.item.kind {
        TrashKind::Chat => ctx.publish(Event::ChatsChanged),
        TrashKind::Source => ctx.knowledge()?.returned(SourceId(back.thing))?,
        TrashKind::Agent => ctx.publish(Event::AgentsChanged),
        TrashKind::Task => ctx.publish(Event::TasksChanged),
        TrashKind::Schedule => ctx.schedules()?.returned()?,
        TrashKind::Crew => ctx.publish(Event::CrewsChanged),
        TrashKind::RetrievalTest => ctx.publish(Event::RetrievalTestsChanged),
    }
    ctx.activity(happening(&back.item, "restored"));
    Ok(())
}

fn happening(item: &TrashItem, what: &str) -> Happening {
    let family = match item.kind {
        TrashKind::Chat => "chat",
        TrashKind::Source => "source",
        TrashKind::Agent => "agent",
        TrashKind::Task => "task",
        TrashKind::Schedule => "schedule",
        TrashKind::Crew => "crew",
        TrashKind::RetrievalTest => "retrieval",
    };
    Happening::new(&format!("{family}.{what}"), &item.title).describe(&item.detail)
}

/// Days that things stay in the trash.
fn days(ctx: &Context) -> i64 {
    ctx.settings.current().retention.trash_days
}

/// How something goes into the trash now.
pub(in crate::engine) fn deletion(ctx: &Context) -> Deletion {
    Deletion { id: TrashId(ctx.ids.next()), at: ctx.clock.now(), days: days(ctx) }
}
