//! The engine: starts the runtime and the services, carries requests to their family, and ends it all in order.

mod background;
mod carry;
pub mod consents;
mod context;
mod databases;
mod events;
pub mod handlers;
mod host;
mod jobs;
pub mod maintenance;
mod notifying;
pub(crate) mod profiles;
mod services;
mod session;
mod supervise;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::sync::CancellationToken;

use carry::Carrying;
pub use consents::Consents;
pub use context::Context;
pub use databases::{Databases, knowledge_files};
pub use events::Events;
pub(crate) use events::Listener;
pub use jobs::{JobHandle, Jobs};
pub use notifying::News;
pub use services::{Service, Services};
pub use session::{Running, Session};

use crate::api::{ApiError, CoreOptions, ErrorCategory, Event, Parcel, Request, Response, Role};
use crate::model::Happening;
use crate::panics::{self, Caught};
use crate::storage::StorageError;

/// How long shutdown waits for work that does not heed its cancellation.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at the settings files.
const SETTINGS_INTERVAL: Duration = Duration::from_secs(2);

pub struct Engine {
    context: Context,
    runtime: Mutex<Option<Runtime>>,
    /// Gets an end of stream when all requests and workers are done.
    all_done: Mutex<Option<mpsc::Receiver<()>>>,
    carrying: Arc<Carrying>,
}

/// Why an engine did not start.
#[derive(Debug)]
pub enum StartError {
    /// Another process, or another engine of this one, has the data folder.
    InUse(ApiError),
    Other(ApiError),
}

impl From<ApiError> for StartError {
    fn from(error: ApiError) -> Self {
        Self::Other(error)
    }
}

impl From<StorageError> for StartError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::InUse { .. } => Self::InUse(error.into()),
            error => Self::Other(error.into()),
        }
    }
}

impl Engine {
    /// # Errors
    /// As [`crate::api::Core::start`], and when the data folder is in use.
    pub fn start(options: CoreOptions) -> Result<Self, StartError> {
        panics::watch();
        panics::caught(|| Self::start_watched(options))
    }

    fn start_watched(options: CoreOptions) -> Result<Self, StartError> {
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
            context.spawn_worker("maintenance", maintenance::run);
            context.spawn_worker("notifications", notifying::run);
        }
        tell_of_cut_off(&context);
        for words in context.settings.migrated() {
            context.happened("settings.migrated", &words);
        }
        Ok(Self {
            context,
            runtime: Mutex::new(Some(runtime)),
            all_done: Mutex::new(Some(all_done)),
            carrying: Arc::default(),
        })
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Cancels what runs, waits for it (10 s at most), and closes the files. The second call does nothing.
    pub fn shutdown(&self) {
        if self.is_running() {
            self.context.events.publish(None, Event::ShuttingDown);
            self.stop();
        }
    }

    /// As [`Engine::shutdown`], for work that goes on elsewhere: nobody is told of an end, and the requests that were
    /// cut off and can be repeated come back.
    pub(crate) fn release(&self) -> Vec<Parcel> {
        self.carrying.releasing.store(true, Ordering::SeqCst);
        self.stop();
        self.carrying.returned()
    }

    /// Something runs that must not be cut off and done again: a request, an answer, a job that is no scan.
    pub(crate) fn is_busy(&self) -> bool {
        self.carries_unrepeatable() || self.works_long()
    }

    /// A request runs that must not be done twice.
    pub(crate) fn carries_unrepeatable(&self) -> bool {
        self.carrying.unrepeatable.load(Ordering::SeqCst) > 0
    }

    /// An answer or a job runs that must not be cut off.
    pub(crate) fn works_long(&self) -> bool {
        !self.context.busy_with().is_empty()
    }

    /// What must not be cut off, a few words for each.
    pub(crate) fn busy_with(&self) -> Vec<String> {
        let mut words = self.context.busy_with();
        if words.is_empty() && self.carries_unrepeatable() {
            words.push("Storing a change".to_owned());
        }
        words
    }

    fn is_running(&self) -> bool {
        self.all_done.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn stop(&self) {
        let Some(all_done) = self.all_done.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
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
        self.context.session.end();
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

/// Says so when nothing ended the last run properly.
fn tell_of_cut_off(ctx: &Context) {
    let Some(cut_off) = &ctx.session.cut_off else { return };
    tracing::warn!(pid = cut_off.pid, role = cut_off.role, "the program did not end properly last time");
    let happening = Happening::new("program.cut_off", "The program did not end properly last time")
        .describe("It crashed, was ended by force, or the power was cut. Everything that was confirmed is there.");
    ctx.activity(happening.with("pid", cut_off.pid).with("role", &cut_off.role).with("version", &cut_off.version));
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
        Request::Agents(request) => handlers::agents::handle(ctx, cancel, request).await.map(Response::Agents),
        Request::Approvals(request) => handlers::approvals::handle(ctx, cancel, request).await.map(Response::Approvals),
        Request::Backups(request) => handlers::backups::handle(ctx, cancel, request).await.map(Response::Backups),
        Request::Chats(request) => handlers::chats::handle(ctx, cancel, request).await.map(Response::Chats),
        Request::Consents(request) => handlers::consents::handle(ctx, cancel, request).await.map(Response::Consents),
        Request::Credentials(request) => {
            handlers::credentials::handle(ctx, cancel, request).await.map(Response::Credentials)
        }
        Request::Dashboard(request) => handlers::dashboard::handle(ctx, cancel, request).await.map(Response::Dashboard),
        Request::Knowledge(request) => handlers::knowledge::handle(ctx, cancel, request).await.map(Response::Knowledge),
        Request::Logs(request) => handlers::logs::handle(ctx, cancel, request).await.map(Response::Logs),
        Request::Models(request) => handlers::models::handle(ctx, cancel, request).await.map(Response::Models),
        Request::Notifications(request) => {
            handlers::notifications::handle(ctx, cancel, request).await.map(Response::Notifications)
        }
        Request::Profiles(request) => handlers::profiles::handle(ctx, cancel, request).await.map(Response::Profiles),
        Request::Runs(request) => handlers::runs::handle(ctx, cancel, request).await.map(Response::Runs),
        Request::Schedules(request) => handlers::schedules::handle(ctx, cancel, request).await.map(Response::Schedules),
        Request::Settings(request) => handlers::settings::handle(ctx, cancel, request).await.map(Response::Settings),
        Request::System(request) => handlers::system::handle(ctx, cancel, request).await.map(Response::System),
        Request::Tasks(request) => handlers::tasks::handle(ctx, cancel, request).await.map(Response::Tasks),
        Request::Crews(request) => handlers::crews::handle(ctx, cancel, request).await.map(Response::Crews),
        Request::Mcp(request) => handlers::mcp::handle(ctx, cancel, request).await.map(Response::Mcp),
        Request::Providers(request) => handlers::providers::handle(ctx, cancel, request).await.map(Response::Providers),
        Request::Usage(request) => handlers::usage::handle(ctx, cancel, request).await.map(Response::Usage),
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
        ctx.begin_turn("settings");
        let inner = ctx.clone();
        let changed = ctx.blocking(move || Ok(inner.settings.reload_if_changed())).await?;
        handlers::settings::tell(&ctx, &changed);
    }
}

#[cfg(test)]
mod tests;
