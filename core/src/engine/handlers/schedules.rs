//! The family of schedules: requests to the scheduler and the background agents.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::agents::{AgentsRequest, AgentsResponse, CreateAgent};
use crate::api::request::schedules::{SchedulesRequest as Request, SchedulesResponse as Response};
use crate::clock::Ids;
use crate::engine::{Context, Service, handlers};
use crate::model::{AgentDraft, AgentId, AllowedFolder, DoctorCheck, Task};
use crate::schedules::{KnowsAgents, MakesTasks, Parts, Scheduler};
use crate::storage::schedules::Made;
use crate::storage::tasks::{self, Change, NewTask};
use crate::storage::{StorageError, WriteTxn, agents};
use crate::tasks::draft;
use crate::tasks::state::Origin;

/// The scheduler.
pub struct Schedules {
    scheduler: Scheduler,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Schedules {
    /// A schedule came back from the trash.
    pub(in crate::engine) fn returned(&self) -> Result<(), ApiError> {
        self.scheduler.returned()
    }

    fn work(&self, ctx: &Context, name: &'static str, run: fn(&Context, &Scheduler)) {
        let (supervisor, scheduler) = (ctx.clone(), self.scheduler.clone());
        match std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&supervisor, &scheduler)) {
            Ok(thread) => self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread),
            Err(error) => ctx.health(name, false, &format!("schedules do not run: {error}")),
        }
    }
}

impl Service for Schedules {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        let (publisher, keeper, turns) = (ctx.clone(), ctx.clone(), ctx.clone());
        let scheduler = Scheduler::new(Parts {
            main: ctx.databases.main().clone(),
            profile: ctx.profile,
            clock: ctx.clock.clone(),
            ids: Arc::new(Ids::new(ctx.clock.clone())),
            here: Arc::new(jiff::tz::TimeZone::system),
            publish: Arc::new(move |event| publisher.publish(event)),
            happened: Arc::new(move |happening| keeper.activity(happening)),
            turn: Arc::new(move |name| turns.begin_turn(name)),
            tasks: Arc::new(Queue(ctx.clone())),
            agents: Arc::new(Agents(ctx.clone())),
        });
        Ok(Self { scheduler, threads: Mutex::default() })
    }

    fn start(&self, ctx: &Context) {
        self.work(ctx, "schedules", |ctx, scheduler| ctx.supervise("schedules", || scheduler.run()));
        self.work(ctx, "triggers", |ctx, scheduler| ctx.supervise("triggers", || scheduler.run_triggers()));
    }

    fn doctor(&self, _ctx: &Context) -> Vec<DoctorCheck> {
        let check = |result: Result<String, String>| DoctorCheck {
            name: "schedules".to_owned(),
            ok: result.is_ok(),
            detail: result.unwrap_or_else(|detail| detail),
        };
        let listed = self.scheduler.list("").map_err(|error| error.to_string());
        vec![check(listed.and_then(|all| {
            let on = all.iter().filter(|one| one.settings.enabled).count();
            match all.iter().find_map(|one| Some((one, one.problem.as_ref()?))) {
                Some((one, problem)) => Err(format!("\"{}\": {problem}", one.settings.name)),
                None => Ok(format!("{} schedules, {on} of them on", all.len())),
            }
        }))]
    }

    fn stop(&self) {
        self.scheduler.close();
        for thread in std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner)) {
            if thread.join().is_err() {
                tracing::error!("a thread of the schedules ended with a panic");
            }
        }
    }
}

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    // Every one of them reads or writes the database.
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    let service = ctx.schedules()?;
    let scheduler = &service.scheduler;
    Ok(match request {
        Request::ListSchedules(list) => Response::ListSchedules(scheduler.list(&list.text)?),
        Request::GetSchedule(get) => Response::GetSchedule(scheduler.get(get.id)?),
        Request::CreateSchedule(create) => Response::CreateSchedule(scheduler.create(create.draft)?),
        Request::UpdateSchedule(update) => Response::UpdateSchedule(scheduler.update(update.id, update.draft)?),
        Request::EnableSchedule(enable) => Response::EnableSchedule(scheduler.enable(enable.id, enable.enabled)?),
        Request::DeleteSchedule(delete) => {
            let item = scheduler.delete(delete.id, handlers::trash::deletion(ctx))?;
            ctx.publish(crate::api::Event::TrashChanged);
            Response::DeleteSchedule(item)
        }
        Request::RunScheduleNow(run) => Response::RunScheduleNow(scheduler.run_now(run.id)?),
        Request::ListScheduleRuns(runs) => Response::ListScheduleRuns(scheduler.runs(runs.id, runs.page)?),
        Request::PreviewTiming(preview) => Response::PreviewTiming(scheduler.preview(&preview.timing, preview.count)?),
        Request::ListBackgroundAgents(_) => Response::ListBackgroundAgents(scheduler.background()?),
        Request::SwitchBackgroundAgent(switch) => {
            Response::SwitchBackgroundAgent(scheduler.switch_background(&switch.kind, switch.on, &switch.values)?)
        }
    })
}

/// The queue, as the scheduler uses it.
struct Queue(Context);

impl Queue {
    /// The task as the queue keeps it: with the name of its agent, which must be there.
    fn checked(&self, made: &Made) -> Result<NewTask, StorageError> {
        let refused = |error: ApiError| StorageError::Refused(error.message);
        let draft = draft::checked(made.draft.clone()).map_err(refused)?;
        let agent_name = match draft.agent {
            Some(agent) => match agents::get(self.0.databases.main(), self.0.profile, agent) {
                Ok(agent) => agent.settings.name,
                Err(StorageError::NotFound(_)) => return Err(StorageError::Refused("its agent is gone".to_owned())),
                Err(error) => return Err(error),
            },
            None => String::new(),
        };
        Ok(NewTask { id: made.id, draft, agent_name })
    }
}

impl MakesTasks for Queue {
    fn make(&self, txn: &WriteTxn<'_>, made: &Made) -> Result<Task, StorageError> {
        let change = Change { profile: self.0.profile, now: made.at };
        let origin = Origin { schedule: Some(made.schedule), ..Origin::default() };
        let defaults = handlers::tasks::queue_settings(&self.0).defaults;
        let tasks = tasks::create(txn, change, &[self.checked(made)?], origin, defaults)?;
        tasks.into_iter().next().ok_or_else(|| StorageError::Refused("the queue made no task".to_owned()))
    }

    fn made(&self, tasks: &[Task]) {
        match self.0.tasks() {
            Ok(service) => service.queue().created(tasks),
            Err(error) => tracing::warn!(%error, "the queue does not know of new tasks yet"),
        }
    }
}

/// The agents, as the scheduler uses them.
struct Agents(Context);

impl Agents {
    fn request(&self, request: AgentsRequest) -> Result<AgentsResponse, ApiError> {
        let token = self.0.shutdown.child_token();
        self.0.runtime.block_on(handlers::agents::handle(&self.0, token, request))
    }
}

impl KnowsAgents for Agents {
    fn names(&self) -> BTreeMap<AgentId, String> {
        let all = agents::list(self.0.databases.main(), self.0.profile);
        let all = all.inspect_err(|error| tracing::warn!(%error, "the names of agents cannot be read"));
        all.unwrap_or_default().into_iter().map(|agent| (agent.id, agent.settings.name)).collect()
    }

    fn make(&self, kind: &str, folders: &[PathBuf]) -> Result<AgentId, ApiError> {
        let types = handlers::agents::agent_types(&self.0).types;
        let Some(kind) = types.into_iter().find(|one| one.id == kind) else {
            return Err(ApiError::validation(
                format!("there is no agent type \"{kind}\""),
                "Bring its folder back, or restart rspa.",
            ));
        };
        let taken: Vec<String> = self.names().values().map(|name| name.to_lowercase()).collect();
        let own = kind.defaults.name.clone();
        let numbered = (2..1_000).map(|number| format!("{own} ({number})"));
        let free = std::iter::once(own.clone()).chain(numbered).find(|name| !taken.contains(&name.to_lowercase()));
        let folders = folders.iter().map(|path| AllowedFolder { path: path.clone(), write: false });
        let draft = AgentDraft { name: free.unwrap_or(own), folders: folders.collect(), ..kind.defaults };
        match self.request(AgentsRequest::CreateAgent(CreateAgent { draft }))? {
            AgentsResponse::CreateAgent(agent) => Ok(agent.id),
            _other => Err(ApiError::cancelled()),
        }
    }
}
