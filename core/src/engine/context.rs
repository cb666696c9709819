//! What every handler and service works with: clock, stores, events, jobs, settings, the door to the network.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::supervise::Degraded;
use super::{Databases, Events, Jobs, Services};
use crate::api::{ApiError, CoreOptions, ErrorCategory, Event, Role};
use crate::clock::{Clock, Ids};
use crate::inference::ChatModel;
use crate::model::{ProfileId, RecentItem};
use crate::observe::{Observe, ObserveOptions};
use crate::settings::Settings;
use crate::storage::{profiles, recent};
use crate::trust::egress::{Egress, FetchTransport};
use crate::workspace::places::Places;

/// Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Context(Arc<ContextParts>);

pub struct ContextParts {
    pub role: Role,
    pub clock: Arc<dyn Clock>,
    pub ids: Ids,
    pub places: Places,
    pub environment: BTreeMap<String, String>,
    pub databases: Databases,
    /// The active profile.
    pub profile: ProfileId,
    pub events: Events,
    pub jobs: Jobs,
    pub degraded: Degraded,
    pub services: Services,
    pub settings: Arc<Settings>,
    /// The door that every outgoing request passes.
    pub egress: Egress,
    pub observe: Observe,
    /// Replaces the embedded chat models in tests.
    pub chat_model: Option<Arc<dyn ChatModel>>,
    /// Triggered when the core shuts down: the parent of all cancellation tokens.
    pub shutdown: CancellationToken,
    pub runtime: Handle,
    /// Each task of the engine holds a clone; none once the engine stops.
    in_flight: Mutex<Option<mpsc::Sender<()>>>,
}

impl Deref for Context {
    type Target = ContextParts;

    fn deref(&self) -> &ContextParts {
        &self.0
    }
}

impl Context {
    pub(super) fn open(options: CoreOptions, runtime: Handle, in_flight: mpsc::Sender<()>) -> Result<Self, ApiError> {
        let executable = std::env::current_exe().ok();
        let places = Places::find(&options.environment, options.data_folder.as_deref(), executable.as_deref())?;
        places.prepare()?;
        let working_folder = std::env::current_dir().ok();
        let settings = Settings::load(&places, &options.environment, &options.overrides, working_folder.as_deref())?;
        let settings = Arc::new(settings);
        let cache_bytes = usize::try_from(settings.current().database.cache_mb).unwrap_or(64) << 20;
        let databases = Databases::open(&places, cache_bytes)?;
        let ids = Ids::new(options.clock.clone());
        let profile = profiles::first_or_new(databases.main(), &ids, options.clock.now())?.id;
        let events = Events::new(options.clock.clone());
        let egress = Egress::new(
            databases.main().clone(),
            settings.clone(),
            events.clone(),
            options.clock.clone(),
            profile,
            Box::new(FetchTransport),
        );
        let observe = observe(&settings, &places, options.console_level.as_deref(), &options.clock);
        Ok(Self(Arc::new(ContextParts {
            role: options.role,
            jobs: Jobs::new(events.clone(), options.clock.clone(), profile),
            clock: options.clock,
            ids,
            places,
            environment: options.environment,
            databases,
            profile,
            events,
            degraded: Degraded::default(),
            services: Services::default(),
            settings,
            egress,
            observe,
            chat_model: options.chat_model,
            shutdown: CancellationToken::new(),
            runtime,
            in_flight: Mutex::new(Some(in_flight)),
        })))
    }

    /// Tells everybody an event of the active profile.
    pub fn publish(&self, event: Event) {
        self.events.publish(Some(self.profile), event);
    }

    /// Runs `task` on the engine; shutdown waits for it. After shutdown began it is not run at all.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Some(guard) = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
            return;
        };
        self.runtime.spawn(async move {
            task.await;
            drop(guard);
        });
    }

    /// Runs blocking `work` on a thread of the runtime's pool, at normal priority: for what somebody waits for.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.runtime.spawn_blocking(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "blocking work stopped unexpectedly");
            Err(ApiError::new(
                ErrorCategory::System,
                "a piece of work stopped because of a fault in the program",
                "Try again; if it repeats, report it with the log.",
            ))
        })
    }

    /// Keeps what happened for the dashboard and tells it as an event. `kind` such as `source.indexed`.
    pub fn happened(&self, kind: &str, title: &str) {
        let item = RecentItem { at: self.clock.now(), kind: kind.to_owned(), title: title.to_owned() };
        self.publish(Event::Happened { item: item.clone() });
        let ctx = self.clone();
        self.spawn(async move {
            if let Err(error) = recent::add(ctx.databases.main(), ctx.profile, item).await {
                tracing::warn!(%error, "a recent item was not stored");
            }
        });
    }

    pub(super) fn stop_accepting(&self) {
        drop(self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn observe(settings: &Settings, places: &Places, console_level: Option<&str>, clock: &Arc<dyn Clock>) -> Observe {
    let logging = settings.current().logging.clone();
    Observe::start(ObserveOptions {
        folder: places.logs(),
        level: logging.level,
        to_file: logging.to_file,
        file_bytes: u64::try_from(logging.file_size_mb).unwrap_or(10) << 20,
        files: u32::try_from(logging.files).unwrap_or(5),
        console_level: logging.to_console.then(|| console_level.unwrap_or("warn").to_owned()),
        to_database: logging.to_database,
        database_days: logging.database_days,
        clock: clock.clone(),
    })
}
