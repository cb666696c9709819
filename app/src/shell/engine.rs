//! The window's side of core: starts it off the drawing thread, takes events in, waits for replies.

use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use egui::{Context, ViewportCommand};
use rspa_core::api::request::chats::ListChats;
use rspa_core::api::request::consents::ListConsents;
use rspa_core::api::request::knowledge::ListSources;
use rspa_core::api::request::models::{ListCatalogue, ListModels, Recommend};
use rspa_core::api::request::settings::ListSettings;
use rspa_core::api::request::system::{GetNetworkStatus, GetOverview, GetUiState, ListJobs};
use rspa_core::api::{
    ApiError, Call, Core, CoreOptions, ErrorCategory, Heard, Opened, Pending, Subscription, Watch, WorksIn,
};
use rspa_core::model::{ConsentQuestion, Job, NetworkStatus, ProfileId};

use crate::commands::CommandQueue;
use crate::state::pages::PageState as _;
use crate::state::{AppState, CoreStatus, NoticeKind, Slot, persisted};
use crate::text::tr;

/// Days of the dashboard's lines.
pub const DAYS: u32 = 14;
/// The figures are asked for at most this often while work goes on.
const OVERVIEW_EVERY: Duration = Duration::from_secs(2);

/// A start that takes longer waits for another process.
const LONG_START: Duration = Duration::from_secs(3);

/// What starting gave.
pub struct Started {
    pub core: Result<Opened, ApiError>,
    /// What the window stored last time.
    pub persisted: Option<String>,
    pub took: Duration,
}

/// Makes the options anew for each attempt to start.
pub type MakeOptions = Box<dyn FnMut() -> CoreOptions + Send>;

/// A reply that is waited for, with what is done then.
trait Errand {
    /// True when it is done.
    fn poll(&mut self, state: &mut AppState, queue: &mut CommandQueue) -> bool;
}

struct Once<T, F> {
    pending: Pending<T>,
    then: Option<F>,
}

impl<T, F: FnOnce(&mut AppState, &mut CommandQueue, Result<T, ApiError>)> Errand for Once<T, F> {
    fn poll(&mut self, state: &mut AppState, queue: &mut CommandQueue) -> bool {
        let Some(reply) = self.pending.poll_now() else { return false };
        if let Some(then) = self.then.take() {
            then(state, queue, reply);
        }
        true
    }
}

/// Work of the window on a thread of its own.
struct Beside<T, F> {
    receiver: Receiver<T>,
    then: Option<F>,
}

impl<T, F: FnOnce(&mut AppState, T)> Errand for Beside<T, F> {
    fn poll(&mut self, state: &mut AppState, _queue: &mut CommandQueue) -> bool {
        match self.receiver.try_recv() {
            Ok(done) => {
                if let Some(then) = self.then.take() {
                    then(state, done);
                }
                true
            }
            Err(TryRecvError::Empty) => false,
            Err(TryRecvError::Disconnected) => true,
        }
    }
}

fn waits_id() -> egui::Id {
    egui::Id::unique("what the start waits for")
}

#[derive(Default)]
pub struct Engine {
    pub(super) make_options: Option<MakeOptions>,
    pub(super) rescue: Option<super::rescue::Running>,
    starting: Option<Receiver<Started>>,
    /// When the window first waited for the core.
    waits_since: Option<Instant>,
    /// For requests in the profile that is shown.
    core: Option<Core>,
    /// For whichever profile is the active one.
    root: Option<Core>,
    events: Option<Subscription>,
    errands: Vec<Box<dyn Errand>>,
    network: Slot<NetworkStatus>,
    jobs: Slot<Vec<Job>>,
    consents: Slot<Vec<ConsentQuestion>>,
    overview_asked: Option<Instant>,
    overview_due: bool,
    /// Another profile became the active one.
    switched: Option<ProfileId>,
    /// How long the core took to start.
    pub start_took: Option<Duration>,
}

impl Engine {
    /// No engine at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// An engine that `starting` will bring; `make_options` serves when the person tries again.
    pub fn starting(starting: Receiver<Started>, make_options: MakeOptions) -> Self {
        Self { starting: Some(starting), make_options: Some(make_options), ..Self::default() }
    }

    pub fn running(ctx: &Context, core: Core) -> Self {
        let (sender, receiver) = channel();
        let started = Started { core: Ok(Opened::Core(core)), persisted: None, took: Duration::ZERO };
        sender.send(started).expect("the receiver is here");
        ctx.request_repaint();
        Self { starting: Some(receiver), ..Self::default() }
    }

    /// Starts the core on a thread of its own and reads what the window stored.
    pub fn start(options: CoreOptions, ctx: &Context) -> Receiver<Started> {
        let (told, wake) = (ctx.clone(), ctx.clone());
        let waits_for = move |busy: Vec<String>| {
            told.data_mut(|data| data.insert_temp(waits_id(), busy));
            told.request_repaint();
        };
        let watch = Watch { waits_for: Some(std::sync::Arc::new(waits_for)), ..Watch::default() };
        Self::start_with(move || Core::open_watched(options, watch), move || wake.request_repaint())
    }

    fn start_with(
        start: impl FnOnce() -> Result<Opened, ApiError> + Send + 'static,
        wake: impl FnOnce() + Send + 'static,
    ) -> Receiver<Started> {
        let (sender, receiver) = channel();
        let work = move || {
            let begin = Instant::now();
            let core = start();
            let persisted = match &core {
                Ok(Opened::Core(core)) => {
                    core.call(GetUiState { name: persisted::NAME.to_owned() }).wait().ok().flatten()
                }
                _ => None,
            };
            // Nobody waits any more when the window was closed in the meantime.
            if sender.send(Started { core, persisted, took: begin.elapsed() }).is_ok() {
                wake();
            }
        };
        if let Err(error) = std::thread::Builder::new().name("core-start".into()).spawn(work) {
            tracing::error!(%error, "the engine's thread cannot be started");
        }
        receiver
    }

    /// Starts the engine, or the one that runs again, without keeping the window waiting. False when nothing can be started.
    pub fn restart(&mut self, ctx: &Context) -> bool {
        self.errands.clear();
        self.network.clear();
        self.jobs.clear();
        (self.events, self.switched) = (None, None);
        self.waits_since = None;
        // The handle of no single profile: after a restart another one may be the active one.
        self.core = None;
        self.starting = match (self.root.take(), &mut self.make_options) {
            (Some(core), _) => {
                let wake = ctx.clone();
                Some(Self::start_with(move || Self::again(core), move || wake.request_repaint()))
            }
            (None, Some(make)) => Some(Self::start(make(), ctx)),
            (None, None) => return false,
        };
        true
    }

    /// Another process that owns the data folder starts its own engine again.
    fn again(core: Core) -> Result<Opened, ApiError> {
        match core.restart() {
            Err(error) if !matches!(core.works_in(), WorksIn::Other(_)) => Err(error),
            // The profile that was shown may not exist in the state that is there now.
            _ => Ok(Opened::Core(core.in_active_profile())),
        }
    }

    /// The core takes longer to start than opening files does: another process finishes its work first.
    pub(super) fn waits_long(&mut self, ctx: &Context) -> bool {
        let since = self.waits_since.get_or_insert_with(Instant::now).elapsed();
        if since < LONG_START {
            ctx.request_repaint_after(LONG_START - since);
        }
        since >= LONG_START
    }

    /// What the owner of the data folder still does, a few words for each.
    pub(super) fn waits_for(ctx: &Context) -> Vec<String> {
        ctx.data(|data| data.get_temp(waits_id())).unwrap_or_default()
    }

    /// Takes the started core over, once; gives what the window stored.
    pub(super) fn take_start(&mut self, ctx: &Context, state: &mut AppState) -> Option<Option<String>> {
        let started = match self.starting.as_ref()?.try_recv() {
            Ok(started) => started,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Started {
                core: Err(ApiError::new(ErrorCategory::System, tr("core.failed"), tr("core.thread_advice"))),
                persisted: None,
                took: Duration::ZERO,
            },
        };
        self.starting = None;
        self.start_took = Some(started.took);
        let core = match started.core {
            Ok(Opened::Core(core)) => core,
            Ok(Opened::Raised) => {
                // Two were started at the same time: the other one stays.
                state.core = CoreStatus::Closed;
                ctx.send_viewport_cmd(ViewportCommand::Close);
                return None;
            }
            Err(error) => {
                if rspa_core::recovery::concerns(&error) {
                    self.look_for_damage(ctx, &mut state.rescuing);
                }
                state.core = CoreStatus::Failed(error);
                return None;
            }
        };
        let waker = ctx.clone();
        core.set_waker(std::sync::Arc::new(move || waker.request_repaint()));
        self.events = Some(core.subscribe());
        let profile = core.profile();
        state.profile = Some(profile);
        // Requests belong to the profile that is shown, also in the moment in which another becomes the active one.
        self.core = Some(core.in_profile(profile));
        self.root = Some(core);
        state.core = CoreStatus::Ready;
        self.ask_everything(state);
        Some(started.persisted)
    }

    /// Takes events in until then; true when some may be left.
    pub(super) fn drain(&mut self, state: &mut AppState, until: Instant) -> bool {
        let Some(events) = &mut self.events else { return false };
        let mut stale = crate::state::Stale::default();
        let mut more = true;
        while let Some(heard) = events.try_next() {
            match heard {
                Heard::Event(envelope) => stale |= state.apply(envelope),
                Heard::Gap(_) => stale.everything = true,
                Heard::Closed => {
                    state.core = CoreStatus::Closed;
                    more = false;
                    break;
                }
            }
            if Instant::now() >= until {
                break;
            }
        }
        more &= Instant::now() >= until;
        if state.core_closed() {
            self.events = None;
        }
        if stale.everything {
            // The news of a switch may be among what was lost.
            stale.switched = self.root.as_ref().map(Core::profile).or(stale.switched);
            state.consents.forget();
            state.pages.tasks.all_stale();
            state.chats.refresh();
            state.pages.approvals.opened();
            self.ask_everything(state);
            state.chats.messages.retain(|id, _| Some(*id) == state.chats.open);
            if let Some(open) = state.chats.open {
                super::dispatch::ask_messages(self, state, open);
            }
        }
        if stale.switched.is_some() {
            self.switched = stale.switched;
        }
        if let Some(core) = &self.core {
            if stale.chats {
                state.chats.list.refresh(|| core.call(ListChats {}));
            }
            if stale.sources {
                state.knowledge.sources.refresh(|| core.call(ListSources {}));
            }
            if stale.models {
                state.models.list.refresh(|| core.call(ListModels {}));
            }
        }
        self.overview_due |= stale.overview;
        more
    }

    /// The profile that became the active one since the last call, if it is not the one that is shown.
    pub(super) fn take_switch(&mut self, state: &AppState) -> Option<ProfileId> {
        self.switched.take().filter(|profile| state.profile != Some(*profile))
    }

    /// Lets go of all that was asked in the profile before, and asks for everything in this one.
    pub(super) fn enter_profile(&mut self, state: &mut AppState, profile: ProfileId) {
        self.errands.clear();
        self.network.clear();
        self.jobs.clear();
        state.enter_profile(profile);
        if let Some(root) = &self.root {
            self.core = Some(root.in_profile(profile));
            self.ask_everything(state);
        }
    }

    /// Takes replies in.
    pub(super) fn poll(&mut self, ctx: &Context, state: &mut AppState, queue: &mut CommandQueue) {
        self.errands.retain_mut(|errand| !errand.poll(state, queue));
        if self.network.poll() {
            state.network = self.network.get().cloned();
        }
        if self.jobs.poll()
            && let Some(jobs) = self.jobs.get()
        {
            state.jobs = jobs.clone();
        }
        if self.consents.poll()
            && let Some(waiting) = self.consents.get()
        {
            waiting.iter().for_each(|question| state.consents.asked(question.clone()));
        }
        state.overview.poll();
        state.chats.poll(self.core.as_ref());
        state.knowledge.sources.poll();
        state.knowledge.results.poll();
        state.knowledge.why_not.poll();
        state.knowledge.page.poll();
        if let Some((_, slot)) = &mut state.knowledge.beyond {
            slot.poll();
        }
        for slot in state.knowledge.outlines.values_mut() {
            slot.poll();
        }
        state.models.list.poll();
        state.models.recommendation.poll();
        state.models.catalogue.poll();
        if state.settings.poll() {
            state.adopt_look();
        }
        for slot in state.knowledge.documents.values_mut() {
            slot.poll();
        }
        for slot in state.knowledge.problems.values_mut() {
            slot.poll();
        }
        for slot in state.knowledge.texts.values_mut() {
            slot.poll();
        }
        if let Some(core) = &self.core {
            if state.chats.list.take_stale() {
                state.chats.list.ask(core.call(ListChats {}));
            }
            if state.knowledge.sources.take_stale() {
                state.knowledge.sources.ask(core.call(ListSources {}));
            }
            if state.models.list.take_stale() {
                state.models.list.ask(core.call(ListModels {}));
            }
        }
        state.pages.poll(self.core.as_ref());
        self.ask_overview(ctx, state);
    }

    fn ask_overview(&mut self, ctx: &Context, state: &mut AppState) {
        let Some(core) = &self.core else { return };
        if !self.overview_due || state.overview.is_waiting() {
            return;
        }
        let since = self.overview_asked.map(|asked| asked.elapsed());
        match since {
            Some(since) if since < OVERVIEW_EVERY => ctx.request_repaint_after(OVERVIEW_EVERY - since),
            _ => {
                state.overview.ask(core.call(GetOverview { days: DAYS }));
                self.overview_asked = Some(Instant::now());
                self.overview_due = false;
            }
        }
    }

    pub(super) fn overview_now(&mut self, state: &mut AppState) {
        if let Some(core) = &self.core {
            state.overview.ask(core.call(GetOverview { days: DAYS }));
            self.overview_asked = Some(Instant::now());
            self.overview_due = false;
        }
    }

    fn ask_everything(&mut self, state: &mut AppState) {
        let Some(core) = &self.core else { return };
        self.network.ask(core.call(GetNetworkStatus {}));
        self.jobs.ask(core.call(ListJobs {}));
        self.consents.ask(core.call(ListConsents {}));
        state.chats.list.ask(core.call(ListChats {}));
        state.knowledge.sources.ask(core.call(ListSources {}));
        state.models.list.ask(core.call(ListModels {}));
        state.settings.ask(core.call(ListSettings {}));
        self.overview_now(state);
    }

    /// What the models page and the welcome need beyond the list.
    pub(super) fn ask_models(&mut self, state: &mut AppState) {
        let Some(core) = &self.core else { return };
        if state.models.recommendation.get().is_none() && !state.models.recommendation.is_waiting() {
            state.models.recommendation.ask(core.call(Recommend {}));
        }
        if state.models.catalogue.get().is_none() && !state.models.catalogue.is_waiting() {
            state.models.catalogue.ask(core.call(ListCatalogue {}));
        }
    }

    pub(super) fn core(&self) -> Option<&Core> {
        self.core.as_ref()
    }

    /// Sends a request; `then` runs when the reply is there. An error is told as a notice.
    pub(super) fn send<C: Call>(
        &mut self,
        state: &mut AppState,
        request: C,
        then: impl FnOnce(&mut AppState, &mut CommandQueue, C::Reply) + 'static,
    ) {
        self.send_or(state, request, then, |_| {});
    }

    /// As `send`; `otherwise` puts the state right when it failed.
    pub(super) fn send_or<C: Call>(
        &mut self,
        state: &mut AppState,
        request: C,
        then: impl FnOnce(&mut AppState, &mut CommandQueue, C::Reply) + 'static,
        otherwise: impl FnOnce(&mut AppState) + 'static,
    ) {
        let Some(core) = &self.core else {
            state.notices.push(state.now, NoticeKind::Error, tr("core.failed"), tr("core.failed_detail"));
            otherwise(state);
            return;
        };
        let then = move |state: &mut AppState, queue: &mut CommandQueue, reply: Result<C::Reply, ApiError>| match reply
        {
            Ok(reply) => then(state, queue, reply),
            Err(error) => {
                state.notices.error(state.now, &error);
                otherwise(state);
            }
        };
        self.errands.push(Box::new(Once { pending: core.call(request), then: Some(then) }));
    }

    /// Does this on a thread of its own, as nothing that touches a disk may hold up drawing; `then` runs when it is done.
    pub(super) fn on_a_thread<T: Send + 'static>(
        &mut self,
        ctx: &Context,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(&mut AppState, T) + 'static,
    ) {
        let (sender, receiver) = channel();
        let wake = ctx.clone();
        let begun = std::thread::Builder::new().name("window-work".into()).spawn(move || {
            // Nobody waits any more when the window was closed in the meantime.
            if sender.send(work()).is_ok() {
                wake.request_repaint();
            }
        });
        if let Err(error) = begun {
            tracing::error!(%error, "a thread for the window's work cannot be started");
        }
        self.errands.push(Box::new(Beside { receiver, then: Some(then) }));
    }

    /// Sends what nobody waits for: when it fails, only the log says so.
    pub(super) fn send_quietly<C: Call>(&mut self, request: C) {
        let Some(core) = &self.core else { return };
        let then = |_: &mut AppState, _: &mut CommandQueue, reply: Result<C::Reply, ApiError>| {
            if let Err(error) = reply {
                tracing::debug!(%error, "what the window tells the core was not taken");
            }
        };
        self.errands.push(Box::new(Once { pending: core.call(request), then: Some(then) }));
    }

    pub(super) fn shutdown(&mut self) {
        self.errands.clear();
        self.events = None;
        self.core = None;
        if let Some(core) = self.root.take() {
            core.shutdown();
        }
    }
}
