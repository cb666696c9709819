//! The engine: starts the runtime and the services, carries requests to their family, and ends it all in order.

mod background;
mod context;
mod databases;
mod events;
pub mod handlers;
mod jobs;
pub(crate) mod profiles;
mod services;
mod supervise;

use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub use context::Context;
pub use databases::Databases;
pub use events::Events;
pub(crate) use events::Listener;
pub use jobs::{JobHandle, Jobs};
pub use services::{Service, Services};

use crate::api::{ApiError, Call, CoreOptions, ErrorCategory, Event, Pending, Request, Response, Role};
use crate::model::ProfileId;
use crate::panics::{self, Caught};

/// How long shutdown waits for work that does not heed its cancellation.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at the settings files.
const SETTINGS_INTERVAL: Duration = Duration::from_secs(2);

pub struct Engine {
    context: Context,
    runtime: Mutex<Option<Runtime>>,
    /// Gets an end of stream when all requests and workers are done.
    all_done: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Engine {
    pub fn start(options: CoreOptions) -> Result<Self, ApiError> {
        panics::watch();
        panics::caught(|| Self::start_watched(options))
    }

    fn start_watched(options: CoreOptions) -> Result<Self, ApiError> {
        let role = options.role;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads(cores.clamp(2, 4))
            .thread_name("engine")
            .enable_time()
            .build()
            .map_err(|error| {
                ApiError::new(
                    ErrorCategory::System,
                    format!("no threads for the engine: {error}"),
                    "Close other programs, then try again.",
                )
            })?;
        let (in_flight, all_done) = mpsc::channel();
        let context = Context::open(options, runtime.handle().clone(), in_flight)?;
        if role == Role::Window {
            let ctx = context.clone();
            context.spawn(async move { ctx.services.start_all(&ctx) });
            context.spawn_worker("settings", follow_settings);
        }
        for words in context.settings.migrated() {
            context.happened("settings.migrated", &words);
        }
        Ok(Self { context, runtime: Mutex::new(Some(runtime)), all_done: Mutex::new(Some(all_done)) })
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Starts a request in a profile; none means the one that is active now.
    pub fn call<C: Call>(&self, profile: Option<ProfileId>, request: C) -> Pending<C::Reply> {
        let (sender, receiver) = oneshot::channel();
        let cancel = self.context.stopping().child_token();
        let pending = Pending::new(receiver, cancel.clone());
        let request = request.into_request();
        let active = profile.is_none().then(|| self.context.enter_active());
        let engine = self.context.clone();
        self.context.spawn_for_all(async move {
            let entered = match (active, profile) {
                (Some(entered), _) => Ok(entered),
                (None, Some(profile)) => engine.enter(profile).await,
                (None, None) => Ok(engine.enter_active()),
            };
            let reply = match entered {
                Ok((ctx, busy)) => carry_out(ctx, busy, cancel, request).await.and_then(C::reply),
                Err(error) => Err(error),
            };
            // A caller that has gone needs no reply.
            drop(sender.send(reply));
            engine.events.wake();
        });
        pending
    }

    /// Cancels what runs, waits for it (10 s at most), and closes the files. The second call does nothing.
    pub fn shutdown(&self) {
        let Some(all_done) = self.all_done.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        self.context.events.publish(None, Event::ShuttingDown);
        self.context.cancel_all();
        self.context.stop_accepting();
        if all_done.recv_timeout(SHUTDOWN_PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("some work did not end in time");
        }
        self.context.stop_all_services();
        if let Some(runtime) = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take() {
            if Handle::try_current().is_ok() {
                runtime.shutdown_background();
            } else {
                runtime.shutdown_timeout(Duration::from_secs(2));
            }
        }
        self.context.databases.close();
        self.context.events.close();
        self.context.observe.stop();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Answers within a profile: cancelled when that is closed.
async fn carry_out(
    ctx: Context,
    busy: context::Busy,
    cancel: CancellationToken,
    request: Request,
) -> Result<Response, ApiError> {
    if let Request::Profiles(_) = request {
        // These open and close profiles, and must not wait for themselves.
        drop(busy);
        return answer(&ctx, cancel, request).await;
    }
    let closing = ctx.shutdown.clone();
    let stop = cancel.clone();
    let work = answer(&ctx, cancel, request);
    tokio::pin!(work);
    let reply = tokio::select! {
        reply = &mut work => reply,
        () = closing.cancelled() => {
            stop.cancel();
            work.await
        }
    };
    drop(busy);
    reply
}

/// Runs the family's handler; a panic in it becomes an error of this one request.
async fn answer(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    if ctx.stopping().is_cancelled() {
        return Err(ApiError::new(ErrorCategory::System, "rspa is shutting down", "Start it again."));
    }
    let inner = ctx.clone();
    let task = ctx.runtime.spawn(Caught::new(async move { dispatch(&inner, cancel, request).await }));
    task.await.unwrap_or_else(|_cancelled| Err(ApiError::cancelled()))
}

async fn dispatch(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    match request {
        Request::Activities(request) => {
            handlers::activities::handle(ctx, cancel, request).await.map(Response::Activities)
        }
        Request::Backups(request) => handlers::backups::handle(ctx, cancel, request).await.map(Response::Backups),
        Request::Chats(request) => handlers::chats::handle(ctx, cancel, request).await.map(Response::Chats),
        Request::Consents(request) => handlers::consents::handle(ctx, cancel, request).await.map(Response::Consents),
        Request::Credentials(request) => {
            handlers::credentials::handle(ctx, cancel, request).await.map(Response::Credentials)
        }
        Request::Knowledge(request) => handlers::knowledge::handle(ctx, cancel, request).await.map(Response::Knowledge),
        Request::Logs(request) => handlers::logs::handle(ctx, cancel, request).await.map(Response::Logs),
        Request::Models(request) => handlers::models::handle(ctx, cancel, request).await.map(Response::Models),
        Request::Profiles(request) => handlers::profiles::handle(ctx, cancel, request).await.map(Response::Profiles),
        Request::Settings(request) => handlers::settings::handle(ctx, cancel, request).await.map(Response::Settings),
        Request::System(request) => handlers::system::handle(ctx, cancel, request).await.map(Response::System),
        Request::Trash(request) => handlers::trash::handle(ctx, cancel, request).await.map(Response::Trash),
    }
}

/// Takes over what the person changes in the settings files while the window is open.
async fn follow_settings(ctx: Context, cancel: CancellationToken) -> Result<(), ApiError> {
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(SETTINGS_INTERVAL) => {}
        }
        let inner = ctx.clone();
        let changed = ctx.blocking(move || Ok(inner.settings.reload_if_changed())).await?;
        handlers::settings::tell(&ctx, &changed);
    }
}

#[cfg(test)]
mod tests;
