//! Who works behind the handle: an engine of this process, the owner of the data folder, or nobody for a moment.
//!
//! `work` says who. It is locked for moments only; requests that come while nobody works wait in it. Changes of hands
//! are made one after the other, under `control`.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::find::{Found, Intent};
use super::outlets::Outlets;
use super::{CoreOptions, Role, Subscription, Watch, WorksIn};
use crate::api::{ApiError, ErrorCategory, Event, Parcel};
use crate::clock::Ids;
use crate::engine::Engine;
use crate::local::client::Client;
use crate::local::net::Net;
use crate::local::place::Place;
use crate::local::server::{GateKeeper, Owner, Server, Taker};
use crate::model::ProfileId;
use crate::workspace::places::Places;

const MODELS_PATH: &str = "RSPA_MODELS_PATH";

/// Requests that wait while nobody works.
const WAITING: usize = 4096;
/// How long requests of clients that must not be cut off are waited for when this process ends.
const FINISHING: Duration = Duration::from_secs(30);
/// The same for their answers and jobs, during which everybody is served on.
const FINISHING_LONG: Duration = Duration::from_secs(600);
/// Between two looks whether they have ended.
const LOOK: Duration = Duration::from_millis(20);

pub(super) struct Switch {
    pub options: CoreOptions,
    pub places: Places,
    pub place: Place,
    pub net: Net,
    pub outlets: Arc<Outlets>,
    /// One change of hands at a time.
    pub control: Mutex<()>,
    pub closing: CancellationToken,
    /// Told what is waited for at the start.
    pub watch: Watch,
    /// For pauses that differ between processes.
    ids: Ids,
    work: Mutex<Work>,
    /// The active profile when somebody last worked.
    profile: Mutex<Option<ProfileId>>,
    /// Numbers the connections, so that the end of an old one changes nothing.
    pub connection: AtomicU64,
}

/// Who carries requests out.
pub(super) enum Work {
    Here(Here),
    There(Client),
    /// Nobody for a moment; what was asked meanwhile.
    Nobody(Vec<Parcel>),
    /// Nobody, since a restart failed.
    Failed(ApiError),
    Ended,
}

/// An engine of this process, with the socket that serves others.
pub(super) struct Here {
    pub engine: Engine,
    /// None where no socket could be made.
    pub server: Option<Server>,
}

impl Switch {
    /// None when another window has the folder and comes to the front.
    pub fn open(options: CoreOptions, watch: Watch) -> Result<Option<Arc<Self>>, ApiError> {
        let executable = std::env::current_exe().ok();
        let places = Places::find(&options.environment, options.data_folder.as_deref(), executable.as_deref())?;
        places.prepare()?;
        let switch = Arc::new(Self {
            place: Place::of(&options.environment, places.data()),
            net: Net::start()?,
            ids: Ids::new(options.clock.clone()),
            options,
            places,
            outlets: Arc::default(),
            control: Mutex::new(()),
            closing: watch.cancel.clone(),
            watch,
            work: Mutex::new(Work::Nobody(Vec::new())),
            profile: Mutex::new(None),
            connection: AtomicU64::new(0),
        });
        Ok(switch.settle(Intent::Start, None)?.then_some(switch))
    }

    pub fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds somebody to work and lets them carry out what waits; `kept` serves others on. False when another window came to the front instead.
    /// Only while `work` is `Nobody`, under `control` (but at the start).
    ///
    /// # Errors
    /// When nobody can be found; what waits is not answered yet.
    pub fn settle(self: &Arc<Self>, intent: Intent, kept: Option<Server>) -> Result<bool, ApiError> {
        match self.find(intent)? {
            Found::Raised => Ok(false),
            Found::Owner { engine, from } => {
                self.remember(engine.context().active().profile);
                let server = match kept {
                    Some(server) if from.is_none() => Some(server),
                    _ => self.serve(),
                };
                self.here(Here { engine, server });
                // Whoever gave the folder up sees by this that it is served again.
                if let Some(client) = from {
                    client.close();
                }
                Ok(true)
            }
            Found::There(client) => {
                self.there(client);
                Ok(true)
            }
        }
    }

    /// None where no socket can be made: then this process works alone.
    fn serve(self: &Arc<Self>) -> Option<Server> {
        let owner: Weak<dyn Owner> = Arc::<Self>::downgrade(self);
        Server::start(&self.net, &self.place, owner)
            .inspect_err(|error| tracing::warn!(%error, "other processes cannot use this data folder meanwhile"))
            .ok()
    }

    /// Works here from now on.
    fn here(&self, here: Here) {
        // Before the lock: wakers are called.
        self.outlets.replace(here.engine.context().events.clone());
        self.put_back(here);
    }

    /// Goes on working here; what waits is carried out.
    pub fn put_back(&self, here: Here) {
        let mut work = self.work();
        let Work::Nobody(waiting) = &mut *work else {
            drop(work);
            return here.end(&self.net);
        };
        // What nobody waits for any more may have been promised not to be begun.
        let waiting = std::mem::take(waiting).into_iter().filter(|parcel| !parcel.cancel.is_cancelled());
        waiting.for_each(|parcel| here.engine.carry(parcel));
        let gate = here.server.as_ref().map(Server::gate);
        *work = Work::Here(here);
        drop(work);
        if let Some(gate) = gate {
            gate.open();
        }
    }

    fn there(self: &Arc<Self>, client: Client) {
        let number = self.connection.fetch_add(1, Ordering::SeqCst) + 1;
        self.remember(client.profile());
        // Before the lock: wakers are called.
        self.outlets.replace(client.events.clone());
        let mut work = self.work();
        let Work::Nobody(waiting) = &mut *work else {
            drop(work);
            return client.close();
        };
        let waiting = std::mem::take(waiting);
        let switch = Arc::downgrade(self);
        client.stay(Box::new(move |lost| {
            if let Some(switch) = switch.upgrade() {
                switch.lost(number, lost);
            }
        }));
        // What comes back finds the connection ended; `lost` is on its way and takes it up again.
        let waiting = waiting.into_iter().filter(|parcel| !parcel.cancel.is_cancelled());
        let back: Vec<Parcel> = waiting.filter_map(|parcel| client.carry(parcel)).collect();
        *work = if back.is_empty() { Work::There(client) } else { Work::Nobody(back) };
    }

    /// Lets whoever works carry it out. Never waits.
    pub fn carry(&self, parcel: Parcel) {
        let mut work = self.work();
        match &mut *work {
            Work::Here(here) => here.engine.carry(parcel),
            Work::There(client) => {
                if let Some(parcel) = client.carry(parcel) {
                    // The connection has just ended, and `lost` is on its way.
                    *work = Work::Nobody(vec![parcel]);
                }
            }
            Work::Nobody(waiting) if waiting.len() < WAITING => waiting.push(parcel),
            Work::Nobody(_) => {
                drop(work);
                parcel.answer(Err(ApiError::new(
                    ErrorCategory::Processing,
                    "too many requests wait while the data folder changes hands",
                    "Wait a moment, then try again.",
                )));
            }
            Work::Failed(error) => {
                let error = error.clone();
                drop(work);
                parcel.answer(Err(error));
            }
            Work::Ended => {
                drop(work);
                parcel.answer(Err(ended()));
            }
        }
    }

    fn remember(&self, profile: ProfileId) {
        *self.profile.lock().unwrap_or_else(PoisonError::into_inner) = Some(profile);
    }

    pub fn profile(&self) -> ProfileId {
        match &*self.work() {
            Work::Here(here) => return here.engine.context().active().profile,
            Work::There(client) => return client.profile(),
            _ => {}
        }
        let last = *self.profile.lock().unwrap_or_else(PoisonError::into_inner);
        last.expect("a core that was opened had somebody to work")
    }

    pub fn data_folder(&self) -> &Path {
        self.places.data()
    }

    /// The variable that adds folders of models says something else where the work is done.
    pub fn models_path_does_not_apply(&self) -> bool {
        let own = self.options.environment.get(MODELS_PATH);
        match &*self.work() {
            Work::There(client) => own.is_some() && own != client.welcome.models_path.as_ref(),
            _ => false,
        }
    }

    pub fn works_in(&self) -> WorksIn {
        match &*self.work() {
            Work::Here(_) => WorksIn::Here,
            Work::There(client) => WorksIn::Other(client.welcome.role),
            Work::Nobody(_) | Work::Failed(_) | Work::Ended => WorksIn::Nowhere,
        }
    }

    /// What must not be cut off; none when no engine works here.
    pub fn busy_with(&self) -> Option<Vec<String>> {
        self.with_here(None, |here| Some(here.engine.busy_with()))
    }

    /// Takes the engine out if it works here; from then on requests wait.
    pub fn take_here(&self) -> Option<Here> {
        let mut work = self.work();
        match std::mem::replace(&mut *work, Work::Nobody(Vec::new())) {
            Work::Here(here) => {
                self.remember(here.engine.context().active().profile);
                Some(here)
            }
            other => {
                *work = other;
                None
            }
        }
    }

    /// What must be asked again, ahead of what came since. What nobody waits for any more is dropped.
    pub fn ask_again(&self, mut parcels: Vec<Parcel>) {
        parcels.retain(|parcel| !parcel.cancel.is_cancelled());
        if let Work::Nobody(waiting) = &mut *self.work() {
            parcels.append(waiting);
            *waiting = parcels;
        }
    }

    /// Nobody could be found: all requests fail until a restart.
    pub fn fail(&self, error: &ApiError) {
        let mut work = self.work();
        if let Work::Nobody(waiting) = &mut *work {
            let waiting = std::mem::take(waiting);
            *work = Work::Failed(error.clone());
            drop(work);
            waiting.into_iter().for_each(|parcel| parcel.answer(Err(error.clone())));
        }
    }

    pub fn restart(self: &Arc<Self>) -> Result<(), ApiError> {
        let _turn = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        if self.closing.is_cancelled() {
            return Err(ended());
        }
        let failed = {
            let mut work = self.work();
            let failed = matches!(&*work, Work::Failed(_));
            if failed {
                *work = Work::Nobody(Vec::new());
            }
            failed
        };
        // Whoever is connected waits, too.
        let kept = match self.take_here() {
            Some(Here { engine, server }) => {
                if let Some(server) = &server {
                    server.gate().pause();
                    self.wait_while(FINISHING, || engine.carries_unrepeatable());
                }
                self.outlets.pause();
                let parcels = engine.release();
                drop(engine);
                self.ask_again(parcels);
                server
            }
            None if failed => None,
            None => {
                return Err(ApiError::validation(
                    "another rspa has this data folder open",
                    "Close it, then try again.",
                ));
            }
        };
        match self.settle(Intent::Again, kept) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let error = ApiError::new(
                    ErrorCategory::Storage,
                    "another window took this data folder over",
                    "Use that window, or close it and try again.",
                );
                self.fail(&error);
                Err(error)
            }
            Err(error) => {
                self.fail(&error);
                Err(error)
            }
        }
    }

    pub fn shutdown(&self) {
        self.closing.cancel();
        let _turn = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        self.finish_for_clients();
        let work = std::mem::replace(&mut *self.work(), Work::Ended);
        match work {
            Work::Here(here) => {
                self.remember(here.engine.context().active().profile);
                here.end(&self.net);
            }
            Work::There(client) => {
                self.remember(client.profile());
                client.close();
            }
            Work::Nobody(waiting) => waiting.into_iter().for_each(|parcel| parcel.answer(Err(ended()))),
            Work::Failed(_) | Work::Ended => {}
        }
        self.outlets.close();
    }
}

impl Switch {
    /// Serves clients on until what they began and must not be cut off is done, then takes nothing more from them.
    fn finish_for_clients(&self) {
        // Nobody is at the window any more to answer.
        self.with_here((), |here| here.engine.context().consents.close());
        let clients = || self.with_here(false, |here| here.server.as_ref().is_some_and(|server| server.clients() > 0));
        let long = || self.with_here(false, |here| here.engine.works_long());
        let until = Instant::now() + FINISHING_LONG;
        loop {
            self.wait_while(until.saturating_duration_since(Instant::now()), || clients() && long());
            let gate = self.gate();
            if let Some(gate) = &gate {
                gate.pause();
            }
            let short = || self.with_here(false, |here| here.engine.carries_unrepeatable());
            self.wait_while(FINISHING, || clients() && short() && !long());
            if !(clients() && long() && Instant::now() < until) {
                return;
            }
            // A last request began an answer: that is waited for, and others are served meanwhile.
            if let Some(gate) = gate {
                gate.open();
            }
        }
    }

    /// What holds the requests of clients back, where there are any.
    pub fn gate(&self) -> Option<GateKeeper> {
        self.with_here(None, |here| here.server.as_ref().map(Server::gate))
    }

    fn with_here<T>(&self, otherwise: T, look: impl FnOnce(&Here) -> T) -> T {
        match &*self.work() {
            Work::Here(here) => look(here),
            _ => otherwise,
        }
    }

    /// Waits until this is no longer so, also while this core ends.
    fn wait_while(&self, limit: Duration, is_so: impl Fn() -> bool) {
        let until = Instant::now() + limit;
        while is_so() && Instant::now() < until {
            self.net.wait(LOOK, std::future::pending::<()>());
        }
    }

    /// Up to this time, another each time and in each process.
    pub fn some_of(&self, time: Duration) -> Duration {
        let chance = u32::try_from(self.ids.next().as_u128() % 1_000).unwrap_or_default();
        time * chance / 1_000
    }
}

impl Here {
    /// The clients first: each is told that it may go to the next owner. Then the socket: whoever looks for the owner
    /// must not find one that ends.
    fn end(self, net: &Net) {
        if let Some(server) = self.server {
            server.leave(net);
            server.stop();
        }
        self.engine.shutdown();
    }
}

impl Owner for Switch {
    fn role(&self) -> Role {
        self.options.role
    }

    fn profile(&self) -> ProfileId {
        Self::profile(self)
    }

    fn models_path(&self) -> Option<String> {
        self.options.environment.get(MODELS_PATH).cloned()
    }

    fn busy(&self) -> Vec<String> {
        self.with_here(Vec::new(), |here| here.engine.busy_with())
    }

    fn carry(&self, parcel: Parcel) {
        Self::carry(self, parcel);
    }

    fn subscribe(&self) -> Subscription {
        Subscription::new(self.outlets.clone())
    }

    fn window_wanted(&self) {
        let events = match &*self.work() {
            Work::Here(here) => here.engine.context().events.clone(),
            _ => return,
        };
        events.publish(None, Event::WindowWanted);
    }

    fn hand_over(self: Arc<Self>, taker: Taker) -> bool {
        if self.options.role == Role::Window || self.closing.is_cancelled() || !matches!(&*self.work(), Work::Here(_)) {
            return false;
        }
        self.begin_hand_over(taker);
        true
    }
}

pub(super) fn ended() -> ApiError {
    ApiError::new(ErrorCategory::System, "rspa is shutting down", "Start it again.")
}
