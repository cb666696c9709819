//! What every handler and service works with: clock, stores, events, jobs, settings, the door to the network.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::handlers::backups::{after_restore, desk};
use super::session::Session;
use super::supervise::Degraded;
use super::{Consents, Databases, Events, Jobs, Services, StartError};
use crate::api::{ApiError, CoreOptions, ErrorCategory, Event, Role};
use crate::backups;
use crate::clock::{Clock, Ids};
use crate::credentials::KeeperSlot;
use crate::faults::Turns;
use crate::inference::ChatModel;
use crate::model::{ActivityId, Happening, Job, JobKind, JobState, Profile, ProfileId};
use crate::observe::{self, Observe, ObserveOptions};
use crate::panics;
use crate::settings::Settings;
use crate::storage::disk::SystemDisk;
use crate::storage::{activities, profiles};
use crate::trust::egress::{Egress, FetchTransport};
use crate::workspace::places::Places;

/// How long closing a profile waits for work that does not heed its cancellation.
const CLOSING_PATIENCE: Duration = Duration::from_secs(10);
/// Before logging tries again what failed.
const LOGS_RETRY: Duration = Duration::from_secs(5);

/// One profile's world; cheap to clone, all clones are the same. What all profiles share is reached through it too.
#[derive(Clone)]
pub struct Context(Arc<World>);

/// What belongs to one profile alone.
pub struct World {
    pub profile: ProfileId,
    pub jobs: Jobs,
    pub services: Services,
    /// The door that every outgoing request passes, with this profile's policy.
    pub egress: Arc<Egress>,
    /// Triggered when this profile is closed or the core shuts down: the parent of all cancellation tokens.
    pub shutdown: CancellationToken,
    /// Requests and tasks of this profile that are under way: closing it waits for them.
    busy: watch::Sender<usize>,
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
    pub consents: Consents,
    pub degraded: Arc<Degraded>,
    /// Where tests let workers fail.
    pub faults: Turns,
    /// This run of the program, and how the one before it ended.
    pub session: Session,
    /// The clean-up found the clock wrong and told so.
    pub(super) clock_doubted: AtomicBool,
    pub settings: Arc<Settings>,
    pub observe: Observe,
    /// Keeps the credentials of all profiles.
    pub keeper: KeeperSlot,
    /// Replaces the embedded chat models in tests.
    pub chat_model: Option<Arc<dyn ChatModel>>,
    pub runtime: Handle,
    /// Each task of the engine holds a clone; none once the engine stops.
    in_flight: Mutex<Option<mpsc::Sender<()>>>,
    /// The profiles that are open, the active one among them.
    worlds: Mutex<Worlds>,
    /// Held while a profile is opened, closed, or deleted: one after the other.
    turn: tokio::sync::Mutex<()>,
    /// Triggered when the core shuts down.
    stopping: CancellationToken,
}

/// A request or task of a profile that is under way.
pub(super) struct Busy(Context);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.send_modify(|under_way| *under_way -= 1);
    }
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
    pub(super) fn open(options: CoreOptions, runtime: Handle, in_flight: mpsc::Sender<()>) -> Result<Self, StartError> {
        let executable = std::env::current_exe().ok();
        let places = Places::find(&options.environment, options.data_folder.as_deref(), executable.as_deref())?;
        places.prepare()?;
        let working_folder = std::env::current_dir().ok();
        // Before anything of the folder is read: what a committed restore brings may be anything of it.
        backups::apply_pending(&SystemDisk, places.data()).map_err(ApiError::from)?;
        let settings = Settings::load(&places, &options.environment, &options.overrides, working_folder.as_deref())?;
        let settings = Arc::new(settings);
        let cache_bytes = usize::try_from(settings.current().database.cache_mb).unwrap_or(64) << 20;
        let saved =
            backups::before_migration(&desk(&places, &settings, &options.clock, None)).map_err(ApiError::from)?;
        let databases = Databases::open(&places, cache_bytes, &options.clock, Turns(options.faults.clone()))?;
        databases.keep_history(&settings.current().database);
        let ids = Ids::new(options.clock.clone());
        super::profiles::remove_leftovers(databases.main(), &places, &SystemDisk)?;
        let profile = profiles::active_or_new(databases.main(), &ids, options.clock.now())?;
        let events = Events::new(options.clock.clone());
        let degraded = Arc::new(Degraded::default());
        let reports = Arc::new(LogReports { events: events.clone(), degraded: degraded.clone() });
        let observe = observe(&settings, &places, &options, reports);
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
            consents: Consents::default(),
            degraded,
            settings,
            observe,
            keeper: KeeperSlot::default(),
            chat_model: options.chat_model,
            runtime,
            in_flight: Mutex::new(Some(in_flight)),
            worlds: Mutex::new(Worlds { active: profile.id, open: BTreeMap::new() }),
            turn: tokio::sync::Mutex::new(()),
            stopping: CancellationToken::new(),
        });
        let context = Self::of(shared, &profile);
        context.worlds().open.insert(profile.id, context.clone());
        if let Some(name) = saved {
            context.happened("backup.finished", &name);
        }
        if let Some(plan) = backups::take_note(&SystemDisk, context.places.data()) {
            after_restore(&context, &plan);
        }
        let weak = Arc::downgrade(&context.0);
        context.databases.tell(Box::new(move |kept| {
            if let Some(world) = weak.upgrade() {
                Self(world).made_anew(kept);
            }
        }));
        Ok(context)
    }

    /// Makes a profile's world over what all share.
    fn of(shared: Arc<Shared>, profile: &Profile) -> Self {
        let egress = Egress::new(
            shared.databases.main().clone(),
            shared.settings.clone(),
            shared.events.clone(),
            shared.clock.clone(),
            profile,
            Box::new(FetchTransport),
        );
        Self(Arc::new(World {
            profile: profile.id,
            jobs: Jobs::new(shared.events.clone(), shared.clock.clone(), profile.id),
            services: Services::default(),
            egress: Arc::new(egress),
            shutdown: shared.stopping.child_token(),
            busy: watch::Sender::new(0),
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

    /// The worlds that are open.
    pub fn open_profiles(&self) -> Vec<Self> {
        self.worlds().open.values().cloned().collect()
    }

    /// The world of the active profile, counted as busy until the guard goes.
    pub(super) fn enter_active(&self) -> (Self, Busy) {
        let worlds = self.worlds();
        let context = worlds.open.get(&worlds.active).cloned().unwrap_or_else(|| self.clone());
        let busy = context.begin();
        (context, busy)
    }

    /// The world of this profile, opened if it is not, counted as busy until the guard goes.
    ///
    /// # Errors
    /// When no such profile exists.
    pub(super) async fn enter(&self, profile: ProfileId) -> Result<(Self, Busy), ApiError> {
        if let Some(entered) = self.enter_open(profile) {
            return Ok(entered);
        }
        let _turn = self.shared.turn.lock().await;
        self.open_now(profile).await?;
        self.enter_open(profile).ok_or_else(ApiError::cancelled)
    }

    fn enter_open(&self, profile: ProfileId) -> Option<(Self, Busy)> {
        // Under the lock: closing either sees this one busy, or this sees that it is closed.
        let worlds = self.worlds();
        let context = worlds.open.get(&profile)?.clone();
        let busy = context.begin();
        Some((context, busy))
    }

    fn begin(&self) -> Busy {
        self.busy.send_modify(|under_way| *under_way += 1);
        Busy(self.clone())
    }

    /// The world of this profile, opened if it is not; the profile must exist.
    ///
    /// # Errors
    /// When no such profile exists.
    pub async fn open_profile(&self, profile: ProfileId) -> Result<Self, ApiError> {
        Ok(self.enter(profile).await?.0)
    }

    /// As [`Context::open_profile`], by who has the turn.
    pub(super) async fn open_now(&self, profile: ProfileId) -> Result<Self, ApiError> {
        if let Some(context) = self.worlds().open.get(&profile) {
            return Ok(context.clone());
        }
        let main = self.databases.main().clone();
        let stored = self.blocking(move || Ok(profiles::get(&main, profile)?)).await.map_err(|_not_found| {
            ApiError::validation("this profile does not exist", "`rspa profiles list` shows all.")
        })?;
        let context = Self::of(self.shared.clone(), &stored);
        Ok(self.worlds().open.entry(profile).or_insert(context).clone())
    }

    /// Whoever holds it is alone in opening and closing profiles.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.shared.turn.lock().await
    }

    /// Makes this profile the one that the person works in; it must be open.
    pub(super) fn set_active(&self, profile: ProfileId) {
        self.worlds().active = profile;
    }

    /// Cancels what runs in this profile, waits for it, ends its services, closes its database and forgets its world.
    /// By who has the turn.
    pub(super) async fn close_now(&self, profile: ProfileId) {
        let closed = self.worlds().open.remove(&profile);
        if let Some(context) = closed {
            context.shutdown.cancel();
            // Threads that listen look whether they still should.
            self.events.publish(None, Event::ProfilesChanged);
            let mut busy = context.busy.subscribe();
            let idle = async { drop(busy.wait_for(|under_way| *under_way == 0).await) };
            if tokio::time::timeout(CLOSING_PATIENCE, idle).await.is_err() {
                tracing::warn!(profile = %profile, "some work of a closed profile did not end in time");
            }
            let stopped = self
                .blocking(move || {
                    context.services.stop_all();
                    Ok(())
                })
                .await;
            if let Err(error) = stopped {
                tracing::error!(%error, "the services of a profile did not stop");
            }
        }
        let ctx = self.clone();
        let closed = self
            .blocking(move || {
                ctx.databases.close_knowledge(profile);
                Ok(())
            })
            .await;
        if let Err(error) = closed {
            tracing::error!(%error, "the database of a profile was not closed");
        }
    }

    /// Triggered when the core shuts down.
    pub(super) fn stopping(&self) -> &CancellationToken {
        &self.shared.stopping
    }

    /// What runs in the profiles and must not be cut off and done again, a few words for each.
    pub(super) fn busy_with(&self) -> Vec<String> {
        let mut words = Vec::new();
        for world in self.worlds().open.values() {
            if world.services.is_answering() {
                words.push("Writing an answer".to_owned());
            }
            // Tasks go on elsewhere, but not in the middle of what they change outside.
            words.extend(world.services.in_the_middle_of_tasks());
            let jobs = world.jobs.list().into_iter();
            // What is measured is measured again.
            let lost = |kind| matches!(kind, JobKind::Index | JobKind::Measure);
            let kept = jobs.filter(|job: &Job| job.state == JobState::Running && !lost(job.kind));
            words.extend(kept.map(|job| job.label));
        }
        words
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

    /// Runs `task` on the engine; closing the profile and shutdown wait for it. After shutdown began it is not run at all.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let busy = self.begin();
        self.spawn_for_all(async move {
            task.await;
            drop(busy);
        });
    }

    /// As [`Context::spawn`], for what belongs to no profile.
    pub(super) fn spawn_for_all(&self, task: impl Future<Output = ()> + Send + 'static) {
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
        self.runtime.spawn_blocking(|| panics::caught(work)).await.unwrap_or_else(|error| {
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

    /// Tells the person that a damaged file was made anew.
    fn made_anew(&self, kept: &crate::storage::anew::KeptAside) {
        let name = kept.kept.file_name().unwrap_or_default().to_string_lossy();
        let detail = format!("was damaged and is made anew; the damaged file is kept as {name}");
        self.health(&kept.file, false, &detail);
        self.happened("storage.made_anew", &format!("{} {detail}", kept.file));
    }

    /// As [`Context::activity`], where a kind and a title say it all.
    pub fn happened(&self, kind: &str, title: &str) {
        self.activity(Happening::new(kind, title));
    }

    pub(super) fn stop_accepting(&self) {
        drop(self.in_flight.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Tells how logging is doing, which begins before there is a context.
struct LogReports {
    events: Events,
    degraded: Arc<Degraded>,
}

impl observe::Reports for LogReports {
    fn health(&self, part: &str, healthy: bool, detail: &str) {
        self.degraded.tell(&self.events, part, healthy, detail);
    }
}

fn observe(settings: &Settings, places: &Places, options: &CoreOptions, reports: Arc<dyn observe::Reports>) -> Observe {
    let logging = settings.current().logging.clone();
    Observe::start(ObserveOptions {
        folder: places.logs(),
        level: logging.level,
        to_file: logging.to_file,
        file_bytes: u64::try_from(logging.file_size_mb).unwrap_or(10) << 20,
        files: u32::try_from(logging.files).unwrap_or(5),
        console_level: logging.to_console.then(|| options.console_level.as_deref().unwrap_or("warn").to_owned()),
        to_database: logging.to_database,
        retry: LOGS_RETRY,
        reports,
        clock: options.clock.clone(),
        turns: Turns(options.faults.clone()),
    })
}
