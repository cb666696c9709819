//! The family of the log.

mod export;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::api::request::logs::{LogsRequest as Request, LogsResponse as Response};
use crate::api::{ApiError, ErrorCategory};
use crate::engine::Context;
use crate::model::{LogEntry, LogId};
use crate::storage::StorageError;
use crate::storage::logs::{Counting, LogReader};

const LARGEST_PAGE: u32 = 1_000;
/// Bytes of a message in a list.
const BRIEF: usize = 400;
/// After a page is full, what matches beyond it is counted for so long.
const COUNTING: Duration = Duration::from_millis(4);

pub async fn handle(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    if let Request::FollowLogs(follow) = request {
        return newer_than(ctx, follow.after, &cancel).await.map(Response::FollowLogs);
    }
    let inner = ctx.clone();
    ctx.blocking(move || {
        let reader = inner.observe.reader().map_err(unreadable)?;
        answer(&reader, request, &cancel)
    })
    .await
}

/// Blocks.
fn answer(reader: &Arc<LogReader>, request: Request, cancel: &CancellationToken) -> Result<Response, ApiError> {
    let stop = || cancel.is_cancelled();
    Ok(match request {
        Request::ListLogs(list) => {
            let limit = list.limit.clamp(1, LARGEST_PAGE) as usize;
            let page = reader.page(&list.filter, list.cursor, limit, Counting::For(COUNTING), &stop);
            let mut page = page.map_err(unreadable)?;
            if list.brief {
                page.entries.iter_mut().for_each(shorten);
            }
            Response::ListLogs(page)
        }
        Request::CountLogs(count) => {
            Response::CountLogs(reader.count(&count.filter, count.cursor, &stop).map_err(unreadable)?)
        }
        Request::GetLog(get) => Response::GetLog(reader.entry(get.id).map_err(unreadable)?),
        Request::ListLogTargets(_) => Response::ListLogTargets(reader.targets(&stop).map_err(unreadable)?),
        Request::ExportLogs(export) => Response::ExportLogs(export::export(reader, &export, cancel)?),
        Request::FollowLogs(_) => return Err(ApiError::cancelled()),
    })
}

/// Only what one line of a list shows.
fn shorten(entry: &mut LogEntry) {
    entry.message = entry.headline().into_owned();
    if entry.message.len() > BRIEF {
        entry.message.truncate(entry.message.floor_char_boundary(BRIEF));
        entry.message.push('…');
    }
    entry.errors.clear();
    entry.fields.clear();
    entry.span.clear();
}

async fn newer_than(ctx: &Context, after: LogId, cancel: &CancellationToken) -> Result<LogId, ApiError> {
    let mut newest = ctx.observe.newest();
    tokio::select! {
        () = cancel.cancelled() => Err(ApiError::cancelled()),
        found = newest.wait_for(|newest| *newest > after) => match found {
            Ok(newest) => Ok(*newest),
            Err(_ended) => Err(ApiError::cancelled()),
        },
    }
}

fn unreadable(error: StorageError) -> ApiError {
    match &error {
        StorageError::Refused(why) if why == "stopped" => ApiError::cancelled(),
        StorageError::Refused(why) => ApiError::validation(
            why.clone(),
            "Switch it on under Settings, Logging, and start rspa again; the log file is written all the same.",
        ),
        _ => ApiError::new(
            ErrorCategory::Storage,
            format!("the log cannot be read: {error}"),
            "It is tried again by itself; the log file in the data folder is written all the same.",
        ),
    }
}
