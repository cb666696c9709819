//! The family of crews: requests to their service, and the worker that lets runs go on when tasks change.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::agents::validate;
use crate::api::request::agents::{AgentsRequest, AgentsResponse, CreateAgent};
use crate::api::request::crews::{CrewsRequest as Request, CrewsResponse as Response};
use crate::api::{ApiError, ErrorCategory, Event, EventEnvelope, Heard};
use crate::clock::Ids;
use crate::crews::{self, Crews as Keeper, KnowsAgents, Parts, marked, templates};
use crate::engine::handlers::runs::crossed;
use crate::engine::{Context, Service, handlers};
use crate::model::{
    Agent, AgentDraft, AgentType, AllowedFolder, ApprovalState, CrewRun, CrewRunId, CrewRunState, DoctorCheck,
    StepState, Wait,
};
use crate::storage::{agents, crews as stored};

const WORKER: &str = "crews";
/// Before what could not be stored is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Crews and their runs.
pub struct Crews {
    crews: Keeper,
    /// The worker is there.
    follows: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Crews {
    pub fn crews(&self) -> &crews::Crews {
        &self.crews
    }

    /// Lets runs go on in this process, from now until the profile is closed.
    pub(super) fn begin(&self, ctx: &Context) -> Result<(), ApiError> {
        if self.follows.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let (crews, supervisor) = (self.crews.clone(), ctx.clone());
        // Before anything can be missed.
        let mut listener = ctx.events.listen();
        let mut failed = true;
        let work = move || {
            let ctx = supervisor.clone();
            let mut follow = || {
                loop {
                    ctx.begin_turn(WORKER);
                    if failed {
                        let gone_on = crews.turn();
                        failed = gone_on.is_err();
                        if let Err(error) = gone_on {
                            tracing::warn!(%error, "runs of crews could not go on");
                            ctx.health(WORKER, false, &error.to_string());
                        }
                    }
                    let heard = ctx.runtime.block_on(async {
                        tokio::select! {
                            biased;
                            () = ctx.shutdown.cancelled() => None,
                            heard = listener.recv() => Some(heard),
                            () = tokio::time::sleep(RETRY), if failed => Some(Heard::Gap(0)),
                        }
                    });
                    match heard {
                        None | Some(Heard::Closed) => return,
                        Some(heard) => failed = failed || concerns(&ctx, &heard),
                    }
                }
            };
            supervisor.supervise(WORKER, &mut follow);
        };
        let thread = std::thread::Builder::new().name(WORKER.to_owned()).spawn(work).map_err(|error| {
            ApiError::new(
                ErrorCategory::System,
                format!("no thread for the crews: {error}"),
                "Close other programs, then try again.",
            )
        })?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }
}

/// Whether a run may go on because of this.
fn concerns(ctx: &Context, heard: &Heard) -> bool {
    match heard {
        Heard::Event(EventEnvelope { profile, event, .. }) => {
            let own = profile.is_none_or(|profile| profile == ctx.profile);
            own && match event {
                Event::TaskChanged { task } => marked(&task.input).is_some(),
                Event::TasksChanged | Event::AgentsChanged | Event::AgentStatusChanged { .. } => true,
                _ => false,
            }
        }
        Heard::Gap(_) => true,
        Heard::Closed => false,
    }
}

impl Service for Crews {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        let (publisher, keeper, queue, settings) = (ctx.clone(), ctx.clone(), ctx.clone(), ctx.clone());
        let crews = Keeper::new(Parts {
            main: ctx.databases.main().clone(),
            profile: ctx.profile,
            clock: ctx.clock.clone(),
            ids: Arc::new(Ids::new(ctx.clock.clone())),
            publish: Arc::new(move |event| publisher.publish(event)),
            happened: Arc::new(move |happening| keeper.activity(happening)),
            agents: Arc::new(Agents(ctx.clone())),
            queue: Arc::new(move || Ok(queue.tasks()?.queue().clone())),
            defaults: Arc::new(move || handlers::tasks::queue_settings(&settings).defaults),
        });
        Ok(Self { crews, follows: AtomicBool::new(false), thread: Mutex::default() })
    }

    fn start(&self, ctx: &Context) {
        if let Err(error) = self.begin(ctx) {
            ctx.health(WORKER, false, &error.to_string());
        }
    }

    fn doctor(&self, ctx: &Context) -> Vec<DoctorCheck> {
        let open = stored::open_runs(ctx.databases.main(), ctx.profile).map_err(ApiError::from);
        let both = self.crews.list().and_then(|crews| Ok((crews.len(), open?.len())));
        let (ok, detail) = match both {
            Ok((crews, open)) => (true, format!("{crews} crews, {open} runs that go on")),
            Err(error) => (false, error.to_string()),
        };
        vec![DoctorCheck { name: WORKER.to_owned(), ok, detail }]
    }

    fn stop(&self) {
        // The profile is being closed, which ends the worker.
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the crews ended with a panic");
        }
    }
}

pub async fn handle(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    if let Request::WaitForCrewRun(wait) = request {
        return ended(ctx, &cancel, wait.id).await.map(Response::WaitForCrewRun);
    }
    let ctx = ctx.clone();
    // Every one of them reads or writes the database.
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    let service = ctx.crews()?;
    let crews = &service.crews;
    Ok(match request {
        Request::ListCrews(_) => Response::ListCrews(crews.list()?),
        Request::GetCrew(get) => Response::GetCrew(crews.get(get.id)?),
        Request::CreateCrew(create) => Response::CreateCrew(crews.create(create.draft)?),
        Request::UpdateCrew(update) => Response::UpdateCrew(crews.update(update.id, update.draft)?),
        Request::DuplicateCrew(duplicate) => Response::DuplicateCrew(crews.duplicate(duplicate.id)?),
        Request::DeleteCrew(delete) => Response::DeleteCrew(crews.delete(delete.id, handlers::trash::deletion(ctx))?),
        Request::ListCrewTemplates(_) => Response::ListCrewTemplates(templates::all().to_vec()),
        Request::CreateCrewFromTemplate(create) => Response::CreateCrewFromTemplate(crews.from_template(create)?),
        Request::ExportCrew(export) => Response::ExportCrew(crews.export(export.id)?),
        Request::ImportCrew(import) => Response::ImportCrew(crews.import(&import.text)?),
        Request::RunCrew(run) => Response::RunCrew(crews.run(run.id, run.draft)?),
        Request::ListCrewRuns(list) => Response::ListCrewRuns(crews.runs(list.crew, list.page)?),
        Request::GetCrewRun(get) => Response::GetCrewRun(crews.get_run(get.id)?),
        Request::CancelCrewRun(cancel) => Response::CancelCrewRun(crews.cancel(cancel.id)?),
        Request::ResumeCrewRun(resume) => Response::ResumeCrewRun(crews.resume(resume.id)?),
        Request::ReplayCrewRun(replay) => Response::ReplayCrewRun(crews.replay(replay.draft)?),
        Request::WaitForCrewRun(_) => return Err(crossed()),
    })
}

/// Waits until a run has ended, or nothing of it goes on without the person; the queue runs here meanwhile.
async fn ended(ctx: &Context, cancel: &CancellationToken, id: CrewRunId) -> Result<CrewRun, ApiError> {
    let (service, tasks) = (ctx.crews()?, ctx.tasks()?);
    tasks.begin(ctx)?;
    let mut changes = service.crews.changes();
    loop {
        changes.borrow_and_update();
        let crews = service.crews.clone();
        let inner = ctx.clone();
        let look = move || {
            let run = crews.get_run(id)?;
            let over = run.state != CrewRunState::Running || waits_for_the_person(&inner, &run)?;
            Ok((run, over))
        };
        let (run, over) = ctx.blocking(look).await?;
        if over {
            return Ok(run);
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(ApiError::cancelled()),
            () = ctx.shutdown.cancelled() => return Err(ApiError::cancelled()),
            changed = changes.changed() => if changed.is_err() {
                return Err(ApiError::cancelled());
            },
        }
    }
}

/// Whether nothing goes on but by a word of the person. What was answered a moment ago goes on, though the work has not
/// noticed yet.
fn waits_for_the_person(ctx: &Context, run: &CrewRun) -> Result<bool, ApiError> {
    let mut waits = false;
    for step in &run.steps {
        match (step.state, step.task) {
            (StepState::Running, _) => return Ok(false),
            (StepState::NeedsYou, Some(task)) => {
                match ctx.tasks()?.queue().get(task)?.waits {
                    None => return Ok(false),
                    Some(Wait::Approval { id }) => {
                        let approval = ctx.runs()?.desk().get(id)?;
                        if approval.is_some_and(|approval| approval.state != ApprovalState::Waiting) {
                            return Ok(false);
                        }
                    }
                    Some(_) => {}
                }
                waits = true;
            }
            _ => {}
        }
    }
    Ok(waits)
}

/// The agents, as crews use them.
struct Agents(Context);

impl KnowsAgents for Agents {
    fn all(&self) -> Result<Vec<Agent>, ApiError> {
        Ok(agents::list(self.0.databases.main(), self.0.profile)?)
    }

    fn make(&self, draft: AgentDraft) -> Result<Agent, ApiError> {
        let request = AgentsRequest::CreateAgent(CreateAgent { draft });
        match handlers::agents::answer(&self.0, request)? {
            AgentsResponse::CreateAgent(agent) => Ok(agent),
            _other => Err(crossed()),
        }
    }

    fn kind(&self, id: &str) -> Option<AgentType> {
        handlers::agents::agent_types(&self.0).types.into_iter().find(|kind| kind.id == id)
    }

    fn check_folder(&self, folder: &Path) -> Result<(), ApiError> {
        let ground = validate::Ground {
            data: Some(self.0.places.data().to_owned()),
            home: self.0.places.home().map(ToOwned::to_owned),
            ..validate::Ground::default()
        };
        validate::folder(&AllowedFolder { path: folder.to_owned(), write: false }, &ground)
    }
}
