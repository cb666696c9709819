//! The services of the families: built when first needed, started for a window, asked for figures, stopped at the end.

use std::sync::{Arc, Mutex, PoisonError};

use super::Context;
use super::handlers::agents::Agents;
use super::handlers::backups::Backups;
use super::handlers::chats::Chats;
use super::handlers::crews::Crews;
use super::handlers::knowledge::Knowledge;
use super::handlers::mcp::Mcp;
use super::handlers::models::Models;
use super::handlers::providers::Providers;
use super::handlers::runs::Runs;
use super::handlers::schedules::Schedules;
use super::handlers::tasks::Tasks;
use super::handlers::usage::Usage;
use crate::api::{ApiError, ErrorCategory};
use crate::credentials::Credentials;
use crate::model::{DoctorCheck, Overview};

/// What the engine asks of a family's service.
pub trait Service: Sized + Send + Sync + 'static {
    /// Makes it, quickly: nothing large is loaded here. Runs once, at the first use.
    fn build(ctx: &Context) -> Result<Self, ApiError>;

    /// Begins background work (scans, watchers). Called once, and only for a window.
    fn start(&self, _ctx: &Context) {}

    /// Fills in its figures of the dashboard.
    fn overview(&self, _ctx: &Context, _overview: &mut Overview) -> Result<(), ApiError> {
        Ok(())
    }

    /// Its lines of `rspa doctor`. May block.
    fn doctor(&self, _ctx: &Context) -> Vec<DoctorCheck> {
        Vec::new()
    }

    /// Ends its own threads and writes what is not yet written. Called after all requests have ended.
    fn stop(&self) {}
}

#[derive(Default)]
pub struct Services {
    agents: Slot<Agents>,
    backups: Slot<Backups>,
    chats: Slot<Chats>,
    credentials: Slot<Credentials>,
    knowledge: Slot<Knowledge>,
    models: Slot<Models>,
    runs: Slot<Runs>,
    schedules: Slot<Schedules>,
    crews: Slot<Crews>,
    mcp: Slot<Mcp>,
    providers: Slot<Providers>,
    usage: Slot<Usage>,
    tasks: Slot<Tasks>,
}

impl Context {
    pub fn agents(&self) -> Result<Arc<Agents>, ApiError> {
        self.services.agents.get(self)
    }

    pub fn backups(&self) -> Result<Arc<Backups>, ApiError> {
        self.services.backups.get(self)
    }

    pub fn chats(&self) -> Result<Arc<Chats>, ApiError> {
        self.services.chats.get(self)
    }

    pub fn credentials(&self) -> Result<Arc<Credentials>, ApiError> {
        self.services.credentials.get(self)
    }

    pub fn knowledge(&self) -> Result<Arc<Knowledge>, ApiError> {
        self.services.knowledge.get(self)
    }

    pub fn models(&self) -> Result<Arc<Models>, ApiError> {
        self.services.models.get(self)
    }

    pub fn runs(&self) -> Result<Arc<Runs>, ApiError> {
        self.services.runs.get(self)
    }

    pub fn schedules(&self) -> Result<Arc<Schedules>, ApiError> {
        self.services.schedules.get(self)
    }

    pub fn crews(&self) -> Result<Arc<Crews>, ApiError> {
        self.services.crews.get(self)
    }

    pub fn mcp(&self) -> Result<Arc<Mcp>, ApiError> {
        self.services.mcp.get(self)
    }

    pub fn providers(&self) -> Result<Arc<Providers>, ApiError> {
        self.services.providers.get(self)
    }

    pub fn usage(&self) -> Result<Arc<Usage>, ApiError> {
        self.services.usage.get(self)
    }

    pub fn tasks(&self) -> Result<Arc<Tasks>, ApiError> {
        self.services.tasks.get(self)
    }
}

impl Services {
    pub(super) fn start_all(&self, ctx: &Context) {
        start(ctx, "models", ctx.models());
        start(ctx, "knowledge", ctx.knowledge());
        start(ctx, "chats", ctx.chats());
        start(ctx, "backups", ctx.backups());
        start(ctx, "credentials", ctx.credentials());
        start(ctx, "agents", ctx.agents());
        start(ctx, "runs", ctx.runs());
        start(ctx, "providers", ctx.providers());
        start(ctx, "usage", ctx.usage());
        start(ctx, "mcp", ctx.mcp());
        start(ctx, "tasks", ctx.tasks());
        start(ctx, "crews", ctx.crews());
        start(ctx, "schedules", ctx.schedules());
    }

    /// Lets each service fill in its figures; one that cannot is named among what is degraded.
    pub(super) fn overview(&self, ctx: &Context, overview: &mut Overview) {
        let results = [
            ("knowledge", ctx.knowledge().and_then(|service| service.overview(ctx, overview))),
            ("chats", ctx.chats().and_then(|service| service.overview(ctx, overview))),
            ("models", ctx.models().and_then(|service| service.overview(ctx, overview))),
        ];
        for (part, result) in results {
            if let Err(error) = result {
                overview.degraded.push(format!("{part}: {error}"));
            }
        }
    }

    pub(super) fn doctor(&self, ctx: &Context) -> Vec<DoctorCheck> {
        let mut checks = Vec::new();
        checks.extend(examine("models", ctx, ctx.models()));
        checks.extend(examine("knowledge", ctx, ctx.knowledge()));
        checks.extend(examine("chats", ctx, ctx.chats()));
        checks.extend(examine("backups", ctx, ctx.backups()));
        checks.extend(examine("credentials", ctx, ctx.credentials()));
        checks.extend(examine("agents", ctx, ctx.agents()));
        checks.extend(examine("tasks", ctx, ctx.tasks()));
        checks.extend(examine("schedules", ctx, ctx.schedules()));
        checks.extend(examine("tool servers", ctx, ctx.mcp()));
        checks.extend(examine("crews", ctx, ctx.crews()));
        checks
    }

    /// Whether an answer is being made.
    pub(super) fn is_answering(&self) -> bool {
        self.chats.made().is_some_and(|chats| chats.is_answering())
    }

    /// Titles of tasks that change something outside just now.
    pub(super) fn in_the_middle_of_tasks(&self) -> Vec<String> {
        self.tasks.made().map(|tasks| tasks.in_the_middle()).unwrap_or_default()
    }

    pub(super) fn stop_all(&self) {
        // What makes work ends before what works.
        self.schedules.stop();
        self.crews.stop();
        self.tasks.stop();
        self.runs.stop();
        self.agents.stop();
        self.backups.stop();
        self.chats.stop();
        self.knowledge.stop();
        self.mcp.stop();
        self.providers.stop();
        self.usage.stop();
        self.models.stop();
        self.credentials.stop();
    }
}

fn start<S: Service>(ctx: &Context, name: &str, service: Result<Arc<S>, ApiError>) {
    match service {
        Ok(service) => service.start(ctx),
        Err(error) => ctx.health(name, false, &error.to_string()),
    }
}

fn examine<S: Service>(name: &str, ctx: &Context, service: Result<Arc<S>, ApiError>) -> Vec<DoctorCheck> {
    match service {
        Ok(service) => service.doctor(ctx),
        Err(error) => vec![DoctorCheck { name: name.to_owned(), ok: false, detail: error.to_string() }],
    }
}

/// A service that is made once, by whoever needs it first; the others wait for it.
struct Slot<S>(Mutex<State<S>>);

struct State<S> {
    service: Option<Arc<S>>,
    /// It is not made again: its profile is closed.
    closed: bool,
}

impl<S> Default for Slot<S> {
    fn default() -> Self {
        Self(Mutex::new(State { service: None, closed: false }))
    }
}

impl<S: Service> Slot<S> {
    fn get(&self, ctx: &Context) -> Result<Arc<S>, ApiError> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(service) = slot.service.as_ref() {
            return Ok(service.clone());
        }
        if slot.closed {
            return Err(ApiError::new(
                ErrorCategory::System,
                "this profile was closed meanwhile",
                "Ask again in the profile that you want.",
            ));
        }
        let service = Arc::new(S::build(ctx)?);
        slot.service = Some(service.clone());
        Ok(service)
    }

    /// The service, if somebody has needed it. Does not wait for one that is just being made.
    fn made(&self) -> Option<Arc<S>> {
        self.0.try_lock().ok()?.service.clone()
    }

    /// Also lets go of it: services hold the context, and the context holds this slot.
    fn stop(&self) {
        let service = {
            let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            slot.closed = true;
            slot.service.take()
        };
        if let Some(service) = service {
            service.stop();
        }
    }
}
