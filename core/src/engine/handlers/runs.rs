//! The family of runs: recorded steps, and the loop that makes them with what it gets from its neighbours.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::agents::approvals::{Desk, DeskParts};
use crate::agents::executor::Worker;
use crate::agents::{Directory, Parts};
use crate::api::request::runs::{RunsRequest as Request, RunsResponse as Response};
use crate::api::{ApiError, ErrorCategory};
use crate::clock::Ids;
use crate::crews::{self, StepWork};
use crate::engine::handlers::chats::Loader;
use crate::engine::host::EngineHost;
use crate::engine::{Context, Service, handlers};
use crate::model::{
    Agent, AgentId, AgentType, PageRequest, Permission, Task, TaskFilter, TaskId, TaskSort, TaskStatus,
};
use crate::storage::{agents, runs, ui_state};
use crate::tasks::Executor;

/// The loop of the agents, and the desk where they wait for the person.
pub struct Runs {
    worker: Arc<Worker>,
}

impl Runs {
    /// Does what tasks say: for the queue.
    pub fn executor(&self) -> Arc<dyn Executor> {
        self.worker.clone()
    }

    pub fn desk(&self) -> &Desk {
        self.worker.desk()
    }
}

impl Service for Runs {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        let main = ctx.databases.main().clone();
        let closed = runs::close_unfinished(&main, ctx.profile, ctx.clock.now())?;
        if closed > 0 {
            tracing::info!(runs = closed, "runs were cut off when the program last ended");
        }
        let ids = Arc::new(Ids::new(ctx.clock.clone()));
        let (publisher, keeper, hosts, finder) = (ctx.clone(), ctx.clone(), ctx.clone(), ctx.clone());
        let publish: crate::answering::Publish = Arc::new(move |event| publisher.publish(event));
        let happened = Arc::new(move |happening| keeper.activity(happening));
        let desk = Desk::new(DeskParts {
            main: main.clone(),
            profile: ctx.profile,
            clock: ctx.clock.clone(),
            ids: ids.clone(),
            publish: publish.clone(),
            happened: happened.clone(),
            runtime: ctx.runtime.clone(),
        });
        let parts = Parts {
            main,
            profile: ctx.profile,
            clock: ctx.clock.clone(),
            ids,
            publish,
            happened,
            models: Arc::new(Loader(ctx.clone())),
            directory: Arc::new(EngineDirectory(ctx.clone())),
            tools: Arc::new(move |name| handlers::mcp::find_tool(&finder, name, true)),
            host: Arc::new(move |agent, run| Arc::new(EngineHost::new(hosts.clone(), agent, run))),
            runtime: ctx.runtime.clone(),
            ending: ctx.shutdown.clone(),
        };
        Ok(Self { worker: Arc::new(Worker::new(parts, desk)) })
    }

    /// A window opens: agents can say what happened since the one before it.
    fn start(&self, ctx: &Context) {
        if let Err(error) = ui_state::opened(ctx.databases.main(), ctx.profile, ctx.clock.now()) {
            tracing::warn!(%error, "that the window was opened was not kept");
        }
    }
}

pub async fn handle(ctx: &Context, _cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    let ctx = ctx.clone();
    // Every one of them reads the database.
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    let main = ctx.databases.main();
    Ok(match request {
        Request::ListRuns(list) => Response::ListRuns(runs::list(main, ctx.profile, list.agent, list.task, list.page)?),
        Request::GetRun(get) => Response::GetRun(runs::get(main, ctx.profile, get.id)?),
        Request::GetRunSteps(get) => Response::GetRunSteps(runs::steps(main, ctx.profile, get.id, get.page)?),
    })
}

/// Asks the stores of agents and tasks.
struct EngineDirectory(Context);

/// A family answered another request: cannot be.
pub(in crate::engine) fn crossed() -> ApiError {
    ApiError::new(ErrorCategory::System, "a part of the program gave another answer than was asked", "Report this.")
}

impl Directory for EngineDirectory {
    fn agent(&self, id: AgentId) -> Result<Agent, ApiError> {
        Ok(agents::get(self.0.databases.main(), self.0.profile, id)?)
    }

    fn kind(&self, id: &str) -> Result<Option<AgentType>, ApiError> {
        Ok(handlers::agents::agent_types(&self.0).types.into_iter().find(|kind| kind.id == id))
    }

    fn policy(&self, tool: &str) -> Result<Option<Permission>, ApiError> {
        Ok(agents::policies(self.0.databases.main(), self.0.profile)?.get(tool).copied())
    }

    fn crew_step(&self, task: &Task) -> Result<Option<StepWork>, ApiError> {
        // Whoever works off other tasks needs no crews.
        if crews::marked(&task.input).is_none() {
            return Ok(None);
        }
        self.0.crews()?.crews().work_of(task)
    }

    fn task(&self, id: TaskId) -> Result<Task, ApiError> {
        self.0.tasks()?.queue().get(id)
    }

    fn outcomes(&self, agent: AgentId, most: u32) -> Result<Vec<String>, ApiError> {
        let filter = TaskFilter {
            agent: Some(agent),
            status: vec![TaskStatus::Completed, TaskStatus::Failed],
            ..TaskFilter::default()
        };
        let page = PageRequest { offset: 0, limit: most };
        let page = self.0.tasks()?.queue().list(&filter, TaskSort::Updated, page)?;
        Ok(page.items.iter().map(outcome).collect())
    }
}

fn outcome(task: &Task) -> String {
    let how = match (&task.output, &task.error) {
        (Some(output), _) => crate::agents::context::cut(&output.text, 400),
        (None, Some(error)) => format!("failed: {}", error.message),
        (None, None) => "done".to_owned(),
    };
    format!("{}: {how}", task.title)
}
