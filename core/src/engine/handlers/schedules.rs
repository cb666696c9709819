//! The family of schedules: requests to the scheduler and the background agents.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

use crate::api::ApiError;
use crate::api::request::schedules::{SchedulesRequest as Request, SchedulesResponse as Response};
use crate::clock::Ids;
use crate::engine::{Context, Service, handlers};
use crate::model::{AgentId, DoctorCheck, Task};
use crate::schedules::{KnowsAgents, MakesTasks, Parts, Scheduler};
use crate::storage::schedules::Made;
use crate::storage::{StorageError, WriteTxn};

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

    fn work(&self, ctx: &Context, name: &'static str, run: fn(&Scheduler)) {
        let (supervisor, scheduler) = (ctx.clone(), self.scheduler.clone());
        let work = move || supervisor.supervise(name, || run(&scheduler));
        match std::thread::Builder::new().name(name.to_owned()).spawn(work) {
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
        self.work(ctx, "schedules", Scheduler::run);
        self.work(ctx, "triggers", Scheduler::run_triggers);
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

impl MakesTasks for Queue {
    fn make(&self, _txn: &WriteTxn<'_>, made: &Made) -> Result<Task, StorageError> {
        let profile = self.0.profile;
        Err(StorageError::Refused(format!("the queue of {profile} takes no task \"{}\" yet", made.draft.title)))
    }

    fn made(&self, tasks: &[Task]) {
        for task in tasks {
            self.0.publish(crate::api::Event::TaskChanged { task: Box::new(task.clone()) });
        }
    }
}

/// The agents, as the scheduler uses them.
struct Agents(Context);

impl KnowsAgents for Agents {
    fn names(&self) -> BTreeMap<AgentId, String> {
        BTreeMap::new()
    }

    fn make(&self, kind: &str, _values: &BTreeMap<String, String>) -> Result<AgentId, ApiError> {
        Err(ApiError::validation(format!("there is no agent type \"{kind}\" in {}", self.0.profile), "Wait for it."))
    }
}
