//! The family of tasks: requests to the queue, and what the queue gets from its neighbours.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_util::sync::CancellationToken;

use crate::api::request::tasks::{TasksRequest as Request, TasksResponse as Response};
use crate::api::{ApiError, ErrorCategory, Event, Heard};
use crate::clock::Ids;
use crate::engine::handlers::trash;
use crate::engine::{Context, Service};
use crate::model::{AgentId, PageRequest, ProfileId, Task, TaskDraft, TaskId, TaskStatus};
use crate::storage::{Db, StorageError, WriteTxn, agents, runs};
use crate::tasks::state::{Defaults, Origin};
use crate::tasks::{Agents, Executor, Parts, Queue, QueueSettings};

const WORKER: &str = "queue";
const EVENTS: &str = "queue events";
/// Tries that are shown with a task, the last ones.
const MOST_RUNS: u32 = 100;

/// Who does what tasks say; none until the agents have said so.
type Doer = Arc<RwLock<Option<Arc<dyn Executor>>>>;

/// The queue.
pub struct Tasks {
    queue: Queue,
    doer: Doer,
    /// What concerns the queue from outside is heard.
    follows: AtomicBool,
}

impl Tasks {
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// From now on this one does what tasks say.
    pub fn work_with(&self, executor: Arc<dyn Executor>) {
        *self.doer.write().unwrap_or_else(PoisonError::into_inner) = Some(executor);
        self.queue.wake();
    }

    /// Makes tasks for another part of the program, such as a schedule.
    ///
    /// # Errors
    /// As [`Queue::create`].
    pub fn create(&self, drafts: Vec<TaskDraft>, origin: Origin) -> Result<Vec<Task>, ApiError> {
        self.queue.create(drafts, origin)
    }

    /// Lets the queue run in this process, from now until the profile is closed.
    pub(super) fn begin(&self, ctx: &Context) -> Result<(), ApiError> {
        self.queue.start()?;
        // What they make of tasks that end is worked off too.
        ctx.crews()?.begin(ctx)?;
        if self.follows.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let (queue, inner, supervisor) = (self.queue.clone(), ctx.clone(), ctx.clone());
        let mut listener = ctx.events.listen();
        let follow = move || {
            loop {
                inner.begin_turn(EVENTS);
                let heard = listener.next();
                // Closing a profile is told to all after it was triggered.
                if inner.shutdown.is_cancelled() {
                    return;
                }
                match heard {
                    Heard::Event(envelope) => match envelope.event {
                        // Another agent may take tasks now, more may run at once, or one came out of the trash.
                        Event::AgentsChanged | Event::AgentStatusChanged { .. } | Event::TasksChanged => queue.wake(),
                        Event::SettingChanged { entry } if entry.key.starts_with("agents.") => queue.wake(),
                        Event::ShuttingDown => return,
                        _ => {}
                    },
                    Heard::Gap(_) => queue.wake(),
                    Heard::Closed => return,
                }
            }
        };
        let thread =
            std::thread::Builder::new().name(EVENTS.to_owned()).spawn(move || supervisor.supervise(EVENTS, follow));
        thread.map(drop).map_err(|error| {
            ApiError::new(
                ErrorCategory::System,
                format!("no thread for the queue: {error}"),
                "Close other programs, then try again.",
            )
        })
    }

    /// What must not be cut off now, a few words for each.
    pub(in crate::engine) fn in_the_middle(&self) -> Vec<String> {
        self.queue.in_the_middle()
    }
}

impl Service for Tasks {
    fn build(ctx: &Context) -> Result<Self, ApiError> {
        let doer = Doer::default();
        let (publisher, keeper, supervisor, turns) = (ctx.clone(), ctx.clone(), ctx.clone(), ctx.clone());
        let (reporter, settings, executor) = (ctx.clone(), ctx.clone(), doer.clone());
        let queue = Queue::new(Parts {
            main: ctx.databases.main().clone(),
            profile: ctx.profile,
            clock: ctx.clock.clone(),
            ids: Arc::new(Ids::new(ctx.clock.clone())),
            publish: Arc::new(move |event| {
                if let Event::TaskChanged { task } = &event {
                    take_back_questions(&publisher, task);
                }
                publisher.publish(event);
            }),
            happened: Arc::new(move |happening| keeper.activity(happening)),
            supervise: Arc::new(move |work| supervisor.supervise(WORKER, work)),
            turn: Arc::new(move || turns.begin_turn(WORKER)),
            health: Arc::new(move |why| reporter.health(WORKER, false, why)),
            ending: ctx.shutdown.clone(),
            agents: Arc::new(StoredAgents { main: ctx.databases.main().clone(), profile: ctx.profile }),
            executor: Arc::new(move || executor.read().unwrap_or_else(PoisonError::into_inner).clone()),
            settings: Arc::new(move || queue_settings(&settings)),
        })?;
        let service = Self { queue, doer, follows: AtomicBool::new(false) };
        service.work_with(ctx.runs()?.executor());
        Ok(service)
    }

    fn start(&self, ctx: &Context) {
        if let Err(error) = self.begin(ctx) {
            ctx.health(WORKER, false, &error.to_string());
        }
    }

    fn stop(&self) {
        self.queue.shutdown();
        // It may hold the context, which holds this.
        self.doer.write().unwrap_or_else(PoisonError::into_inner).take();
    }
}

pub async fn handle(ctx: &Context, cancel: CancellationToken, request: Request) -> Result<Response, ApiError> {
    if let Request::WaitForTask(wait) = request {
        return ended(ctx, &cancel, wait.id).await.map(Response::WaitForTask);
    }
    let ctx = ctx.clone();
    // Every one of them reads or writes the database.
    ctx.clone().blocking(move || answer(&ctx, request)).await
}

fn answer(ctx: &Context, request: Request) -> Result<Response, ApiError> {
    let service = ctx.tasks()?;
    let queue = &service.queue;
    Ok(match request {
        Request::ListTasks(list) => Response::ListTasks(queue.list(&list.filter, list.sort, list.page)?),
        Request::GetBoard(get) => Response::GetBoard(queue.board(&get.filter, get.per_column)?),
        Request::CountTasks(_) => Response::CountTasks(queue.counts()?),
        Request::GetTask(get) => {
            let mut detail = queue.detail(get.id)?;
            let page = PageRequest { offset: 0, limit: MOST_RUNS };
            detail.runs = runs::list(ctx.databases.main(), ctx.profile, None, Some(get.id), page)?.items;
            detail.runs.reverse();
            Response::GetTask(detail)
        }
        Request::FindTask(find) => Response::FindTask(queue.find(&find.name)?),
        Request::CreateTasks(create) => Response::CreateTasks(queue.create(create.drafts, Origin::default())?),
        Request::UpdateTask(update) => Response::UpdateTask(queue.update(update)?),
        Request::MoveTask(shift) => Response::MoveTask(queue.shift(shift.id, shift.column, shift.before)?),
        Request::CancelTasks(cancel) => {
            let cancelled = queue.cancel(cancel.ids.clone())?;
            for id in cancel.ids {
                take_back_questions(ctx, &queue.get(id)?);
            }
            Response::CancelTasks(cancelled)
        }
        Request::RetryTasks(retry) => Response::RetryTasks(queue.retry(retry.ids)?),
        Request::AllowRepeat(allow) => Response::AllowRepeat(queue.allow_repeat(allow.id, allow.repeat)?),
        Request::DeleteTasks(delete) => {
            let items = queue.delete(delete.ids, || trash::deletion(ctx))?;
            Response::DeleteTasks(items.len() as u64)
        }
        Request::PauseQueue(pause) => Response::PauseQueue(queue.pause(pause.paused)?),
        Request::RunQueue(_) => {
            service.begin(ctx)?;
            Response::RunQueue(queue.counts()?)
        }
        Request::WaitForTask(_) => {
            return Err(ApiError::new(ErrorCategory::System, "waiting is done elsewhere", "Report this."));
        }
    })
}

/// What waits for the person's word for a task that has ended needs none any more.
fn take_back_questions(ctx: &Context, task: &Task) {
    if !task.status.is_final() {
        return;
    }
    let taken_back = ctx.runs().and_then(|runs| runs.desk().withdraw_task(task.id));
    if let Err(error) = taken_back {
        tracing::warn!(%error, task = %task.id, "what a task asked the person was not taken back");
    }
}

/// Waits until a task has ended; the queue runs here meanwhile.
async fn ended(ctx: &Context, cancel: &CancellationToken, id: TaskId) -> Result<Task, ApiError> {
    let service = ctx.tasks()?;
    service.begin(ctx)?;
    let mut ends = service.queue.ends();
    loop {
        let queue = service.queue.clone();
        let task = ctx.blocking(move || queue.get(id)).await?;
        if task.status.is_final() {
            return Ok(task);
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(ApiError::cancelled()),
            () = ctx.shutdown.cancelled() => return Err(ApiError::cancelled()),
            changed = ends.changed() => if changed.is_err() {
                return Err(ApiError::cancelled());
            },
        }
    }
}

struct StoredAgents {
    main: Db,
    profile: ProfileId,
}

impl Agents for StoredAgents {
    fn takes_tasks(&self, agent: AgentId) -> Result<(), String> {
        match agents::takes_tasks(&self.main, self.profile, agent) {
            Ok(takes) => takes,
            Err(error) => Err(error.to_string()),
        }
    }

    fn name(&self, agent: AgentId) -> Result<String, ApiError> {
        Ok(agents::get(&self.main, self.profile, agent)?.settings.name)
    }

    fn ended(&self, txn: &WriteTxn<'_>, task: &Task) -> Result<(), StorageError> {
        let completed = match task.status {
            TaskStatus::Completed => true,
            TaskStatus::Failed => false,
            // Says nothing about the agent.
            TaskStatus::Cancelled | TaskStatus::Pending | TaskStatus::Running => return Ok(()),
        };
        let Some(agent) = task.agent else { return Ok(()) };
        let at = task.completed.unwrap_or(task.updated);
        let tokens = runs::tokens(txn, self.profile, task.id)?;
        agents::count_outcome(txn, self.profile, agent, completed, task.execution_ms, tokens, at)
    }
}

pub(in crate::engine) fn queue_settings(ctx: &Context) -> QueueSettings {
    let current = ctx.settings.current();
    let agents = &current.agents;
    let positive = |value: i64| u32::try_from(value).unwrap_or(1);
    QueueSettings {
        at_once: usize::try_from(agents.max_concurrent_tasks).unwrap_or(1).max(1),
        backoff_s: positive(agents.backoff_seconds),
        defaults: Defaults {
            max_retries: positive(agents.max_retries),
            time_limit_s: positive(agents.max_execution_minutes).saturating_mul(60),
        },
    }
}
