//! What every handler and service works with: clock, stores, events, jobs, settings, the door to the network.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::session::Session;
use super::supervise::Degraded;
use super::{Databases, Events, Jobs, Services};
use crate::api::{ApiError, CoreOptions, ErrorCategory, Event, Role};
use crate::clock::{Clock, Ids};
use crate::faults::Turns;
use crate::inference::ChatModel;
use crate::model::{ActivityId, Happening, ProfileId};
use crate::observe::{Observe, ObserveOptions};
use crate::settings::Settings;
use crate::storage::{activities, profiles};
use crate::trust::egress::{Egress, FetchTransport};
use crate::workspace::places::Places;

/// One profile's world; cheap to clone, all clones are the same. What all profiles share is reached through it too.
#[derive(Clone)]
pub struct Context(Arc<World>);

/// What belongs to one profile alone.
pub struct World {
    pub profile: ProfileId,
    pub jobs: Jobs,
    pub services: Services,
    /// The door that every outgoing request passes, with this profile's policy.
    pub egress: Egress,
    /// Triggered when this profile is closed or the core shuts down: the parent of all cancellation tokens.
    pub shutdown: CancellationToken,
    shared: Arc<Shared>,
}

/// What all profiles of one core share.
pub struct Shared {
    pub role: Role,
    pub clock: Arc<dyn Clock>,
    pub ids: Ids,
    pub places: Places,
    pub environment: BTreeMap<String, String>,
    pub databases: Databases,
    pub events: Events,
    pub degraded: Arc<Degraded>,
    /// Where tests let workers fail.
    pub faults: Turns,
    /// This run of the program, and how the one before it ended.
    pub session: Session,
    /// The clean-up found the clock wrong and told so.
    pub(super) clock_doubted: AtomicBool,
    pub settings: Arc<Settings>,
    pub observe: Observe,
    /// Replaces the embedded chat models in tests.
    pub chat_model: Option<Arc<dyn ChatModel>>,
    pub runtime: Handle,
    /// Each task of the engine holds a clone; none once the engine stops.
    in_flight: Mutex<Option<mpsc::Sender<()>>>,
    /// The profiles that are open, the active one among them.
    worlds: Mutex<Worlds>,
    /// Triggered when the core shuts down.
    stopping: CancellationToken,
}

struct Worlds {
    active: ProfileId,
    open: BTreeMap<ProfileId, Context>,
}

impl Deref for Context {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl Deref for World {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
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
        let degraded = Arc::new(Degraded::default());
        let observe = observe(&settings, &places, &options, &events, degraded.clone());
        let session = Session::begin(&places, options.role, options.clock.now());
        let shared = Arc::new(Shared {
            role: options.role,
            session,
            faults: Turns(options.faults),
            clock_doubted: AtomicBool::new(false),
            clock: options.clock,
            ids,
            places,
            environment: options.environment,
            databases,
            events,
            degraded,
            settings,
            observe,
            chat_model: options.chat_model,
            runtime,
            in_flight: Mutex::new(Some(in_flight)),
            worlds: Mutex::new(Worlds { active: profile, open: BTreeMap::new() }),
            stopping: CancellationToken::new(),
        });
        let context = Self::of(shared, profile);
        context.worlds().open.insert(profile, context.clone());
        Ok(context)
    }

    /// Makes a profile's world over what all share.
    fn of(shared: Arc<Shared>, profile: ProfileId) -> Self {
        let egress = Egress::new(
            shared.databases.main().clone(),
            shared.settings.clone(),
            shared.events.clone(),
            shared.clock.clone(),
            profile,
            Box::new(FetchTransport),
        );
        Self(Arc::new(World {
            profile,
            jobs: Jobs::new(shared.events.clone(), shared.clock.clone(), profile),
            services: Services::default(),
            egress,
            shutdown: shared.stopping.child_token(),
            shared,
        }))
    }

    fn worlds(&self) -> std::sync::MutexGuard<'_, Worlds> {
        self.shared.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world of the profile that the person works in.
    pub fn active(&self) -> Self {
        let worlds = self.worlds();
        worlds.open.get(&worlds.active).cloned().unwrap_or_else(|| self.clone())
    }

    /// The world of this profile, opened if it is not; the profile must exist.
    ///
    /// # Errors
    /// When no such profile exists.
    pub fn open_profile(&self, profile: ProfileId) -> Result<Self, ApiError> {
        if let Some(context) = self.worlds().open.get(&profile) {
            return Ok(context.clone());
        }
        if !profiles::list(self.databases.main())?.iter().any(|known| known.id == profile) {
            return Err(ApiError::validation("this profile does not exist", "`rspa profiles list` shows all."));
        }
        let context = Self::of(self.shared.clone(), profile);
        Ok(self.worlds().open.entry(profile).or_insert(context).clone())
    }

    /// Makes this profile the one that the person works in.
    pub fn set_active(&self, profile: ProfileId) {
        self.worlds().active = profile;
    }

    /// Cancels what runs in this profile, ends its services and forgets its world. Its database is closed by the caller.
    pub fn close_profile(&self, profile: ProfileId) {
        let closed = self.worlds().open.remove(&profile);
        if let Some(context) = closed {
            context.shutdown.cancel();
            context.services.stop_all();
        }
    }

    /// Triggers the end of everything.
    pub(super) fn cancel_all(&self) {
        self.shared.stopping.cancel();
    }

    /// Ends the services of all profiles and lets go of their worlds.
    pub(super) fn stop_all_services(&self) {
        let open = std::mem::take(&mut self.worlds().open);
        for context in open.values() {
            context.services.stop_all();
        }
        self.services.stop_all();
    }

    /// Tells everybody an event of this profile.
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

    /// Keeps what happened in this profile, and tells it once it is kept.
    pub fn activity(&self, happening: Happening) {
        let activity = happening.kept(ActivityId(self.ids.next()), self.clock.now());
        let ctx = self.clone();
        self.spawn(async move {
            // Who hears of it finds it in the list.
            let stored = activities::add(ctx.databases.main(), ctx.profile, activity.clone()).await;
            if let Err(error) = stored {
                tracing::warn!(%error, kind = activity.kind, title = activity.title, "an activity was not stored");
            }
            ctx.publish(Event::ActivityCreated { activity });
        });
    }

    /// As [`Context::activity`], where a kind and a title say it all.
    pub fn happened(&self, kind: &str, title: &str) {
        self.activity(Happening::new(kind, title));
    }

    pub(super) fn stop_accepting(&self) {
        drop(self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn observe(
    settings: &Settings,
    places: &Places,
    options: &CoreOptions,
    events: &Events,
    degraded: Arc<Degraded>,
) -> Observe {
    let events = events.clone();
    let logging = settings.current().logging.clone();
    Observe::start(ObserveOptions {
        folder: places.logs(),
        level: logging.level,
        to_file: logging.to_file,
        file_bytes: u64::try_from(logging.file_size_mb).unwrap_or(10) << 20,
        files: u32::try_from(logging.files).unwrap_or(5),
        console_level: logging.to_console.then(|| options.console_level.as_deref().unwrap_or("warn").to_owned()),
        to_database: logging.to_database,
        database_days: logging.database_days,
        clock: options.clock.clone(),
        turns: Turns(options.faults.clone()),
        health: Box::new(move |healthy, detail| degraded.tell(&events, "logs", healthy, detail)),
    })
}
