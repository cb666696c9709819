//! `rspa bench tasks`: tasks that are stored, run and completed per second, and what many waiting ones cost.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use rspa_core::api::{ApiError, Event};
use rspa_core::clock::{Clock, Ids, SystemClock};
use rspa_core::cpu_time;
use rspa_core::model::{
    AgentId, Missed, Priority, ProfileId, ScheduleDraft, Task, TaskDraft, TaskOutput, TaskStatus, TaskTemplate,
    Timestamp, Timing,
};
use rspa_core::schedules::{self, KnowsAgents, MakesTasks, Scheduler};
use rspa_core::storage::schedules::Made;
use rspa_core::storage::{Db, DbOptions, StorageError, WriteTxn, tables};
use rspa_core::tasks::state::{Defaults, Origin};
use rspa_core::tasks::{Agents, Attempt, Executor, Failure as Failed, Parts, Queue, QueueSettings};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Context, Failure, print};

#[derive(Args)]
pub struct TasksArguments {
    /// Tasks that are run
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    count: u32,
    /// Tasks that run at the same time, as agents.max_concurrent_tasks
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=64))]
    at_once: u32,
    /// Tasks that wait for a far time while the processor time is measured
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    waiting: u32,
    /// Schedules for a far time that are there meanwhile
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(0..=200_000))]
    schedules: u32,
    /// How long the processor time is measured
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    idle_seconds: u64,
}

/// Tasks of one commit, as somebody who makes many would ask.
const AT_ONCE: u32 = 500;
/// Threads that make schedules.
const MAKERS: usize = 64;
const YEAR_MS: i64 = 365 * 86_400_000;

pub fn run(context: &Context, arguments: &TasksArguments) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("rspa-bench-").tempdir()?;
    let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).map_err(core_error)?;
    let done = Arc::new(Done::default());
    let queue = queue(&main, arguments.at_once, done.clone())?;
    queue.start()?;
    let started = Instant::now();
    add(context, &queue, arguments.count, None)?;
    let enqueued = started.elapsed().as_secs_f64();
    let stuck = done.wait(arguments.count.into(), || context.interrupt.check())?;
    let seconds = started.elapsed().as_secs_f64();
    if stuck {
        return Err(Failure::system("the tasks did not end", "Look into the log."));
    }
    add(context, &queue, arguments.waiting, Some(Timestamp(SystemClock.now().0 + YEAR_MS)))?;
    let scheduler = scheduler(&main);
    let running = scheduler.clone();
    let worker = std::thread::Builder::new().name("schedules".to_owned()).spawn(move || running.run())?;
    let idle = schedule(context, &scheduler, arguments.schedules)
        .and_then(|()| idle_cpu(arguments.idle_seconds, || context.interrupt.check()));
    scheduler.close();
    if worker.join().is_err() {
        return Err(Failure::system("the worker of the schedules ended with a fault", "Look into the log."));
    }
    let idle = idle?;
    queue.shutdown();
    main.close();
    print(
        context,
        arguments.at_once as usize,
        json!({
            "bench": "tasks",
            "count": arguments.count,
            "per_s": f64::from(arguments.count) / seconds,
            "enqueue_per_s": f64::from(arguments.count) / enqueued,
            "waiting_tasks": arguments.waiting,
            "schedules": arguments.schedules,
            // The name says what the defaults are.
            "idle_cpu_s_per_min_with_100k_schedules": idle,
        }),
    )
}

fn core_error(error: StorageError) -> Failure {
    Failure::Api(ApiError::from(error))
}

fn add(context: &Context, queue: &Queue, count: u32, not_before: Option<Timestamp>) -> Result<(), Failure> {
    let agent = Some(AgentId(Ids::new(Arc::new(SystemClock)).next()));
    let draft = TaskDraft { not_before, ..TaskDraft::new(agent, "Summarise the figures of this week") };
    let mut left = count;
    while left > 0 {
        context.interrupt.check()?;
        let now = left.min(AT_ONCE);
        queue.create(vec![draft.clone(); now as usize], Origin::default())?;
        left -= now;
    }
    Ok(())
}

fn queue(main: &Db, at_once: u32, done: Arc<Done>) -> Result<Queue, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = Ids::new(clock.clone());
    Ok(Queue::new(Parts {
        main: main.clone(),
        profile: ProfileId(ids.next()),
        clock,
        ids: Arc::new(ids),
        publish: Arc::new(move |event| done.hear(&event)),
        happened: Arc::new(|_happening| {}),
        supervise: Arc::new(|work| work()),
        turn: Arc::new(|| {}),
        health: Arc::new(|why| tracing::error!(why, "the queue has trouble")),
        ending: CancellationToken::new(),
        agents: Arc::new(Anybody),
        executor: Arc::new(|| Some(Arc::new(AtOnce))),
        settings: Arc::new(move || QueueSettings {
            at_once: at_once as usize,
            backoff_s: 5,
            defaults: Defaults { max_retries: 3, time_limit_s: 60 },
        }),
    })?)
}

fn scheduler(main: &Db) -> Scheduler {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = Ids::new(clock.clone());
    Scheduler::new(schedules::Parts {
        main: main.clone(),
        profile: ProfileId(ids.next()),
        clock,
        ids: Arc::new(ids),
        here: Arc::new(jiff::tz::TimeZone::system),
        publish: Arc::new(|_event| {}),
        happened: Arc::new(|_happening| {}),
        turn: Arc::new(|_name| {}),
        tasks: Arc::new(Anybody),
        agents: Arc::new(Anybody),
    })
}

/// Makes so many schedules that are due in a year; from many threads, so that one commit takes many.
fn schedule(context: &Context, scheduler: &Scheduler, count: u32) -> Result<(), Failure> {
    let at = Timestamp(SystemClock.now().0 + YEAR_MS);
    let next = AtomicU64::new(0);
    let make = || -> Result<(), Failure> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= u64::from(count) {
                return Ok(());
            }
            context.interrupt.check()?;
            let template = TaskTemplate {
                agent: None,
                title: "Report of {date}".to_owned(),
                description: String::new(),
                priority: Priority::default(),
                input: serde_json::Value::Null,
                labels: Vec::new(),
                max_retries: None,
                time_limit_s: None,
            };
            scheduler.create(ScheduleDraft {
                name: format!("Report {number}"),
                timing: Timing::Once { at },
                template,
                variables: BTreeMap::new(),
                missed: Missed::default(),
                enabled: true,
            })?;
        }
    };
    std::thread::scope(|scope| {
        let makers: Vec<_> = (0..MAKERS).map(|_| scope.spawn(make)).collect();
        makers.into_iter().try_for_each(|maker| {
            maker.join().unwrap_or_else(|_panic| Err(Failure::system("a schedule was not made", "Look into the log.")))
        })
    })
}

/// Tasks that were completed.
#[derive(Default)]
struct Done {
    count: AtomicU64,
    changed: Condvar,
    turn: Mutex<()>,
}

impl Done {
    fn hear(&self, event: &Event) {
        if let Event::TaskChanged { task } = event
            && task.status == TaskStatus::Completed
        {
            self.count.fetch_add(1, Ordering::Relaxed);
            self.changed.notify_one();
        }
    }

    /// Waits for so many; true when none ended for long.
    fn wait(&self, wanted: u64, check: impl Fn() -> Result<(), Failure>) -> Result<bool, Failure> {
        let mut guard = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut last, mut since) = (0, Instant::now());
        loop {
            check()?;
            let count = self.count.load(Ordering::Relaxed);
            if count >= wanted {
                return Ok(false);
            }
            if count > last {
                (last, since) = (count, Instant::now());
            } else if since.elapsed() > Duration::from_secs(60) {
                return Ok(true);
            }
            let waited = self.changed.wait_timeout(guard, Duration::from_millis(20));
            guard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Agents that always take tasks.
struct Anybody;

impl Agents for Anybody {
    fn takes_tasks(&self, _agent: AgentId) -> Result<(), String> {
        Ok(())
    }

    fn name(&self, _agent: AgentId) -> Result<String, ApiError> {
        Ok("Bench".to_owned())
    }

    fn ended(&self, _txn: &WriteTxn<'_>, _task: &Task) -> Result<(), StorageError> {
        Ok(())
    }
}

impl MakesTasks for Anybody {
    fn make(&self, _txn: &WriteTxn<'_>, _made: &Made) -> Result<Task, StorageError> {
        Err(StorageError::Refused("nothing is due in a measurement".to_owned()))
    }

    fn made(&self, _tasks: &[Task]) {}
}

impl KnowsAgents for Anybody {
    fn names(&self) -> BTreeMap<AgentId, String> {
        BTreeMap::new()
    }

    fn make(&self, _kind: &str, _folders: &[PathBuf]) -> Result<AgentId, ApiError> {
        Err(ApiError::validation("a measurement makes no agents", "Report this."))
    }
}

/// Is done at once: what remains is the queue.
struct AtOnce;

impl Executor for AtOnce {
    fn execute(&self, _attempt: &Attempt<'_>) -> Result<TaskOutput, Failed> {
        Ok(TaskOutput { text: "Done.".to_owned(), ..TaskOutput::default() })
    }
}

/// Processor seconds of this process per minute, measured over so many seconds in which nothing is due.
fn idle_cpu(seconds: u64, check: impl Fn() -> Result<(), Failure>) -> Result<Option<f64>, Failure> {
    let (turn, never) = (Mutex::new(()), Condvar::new());
    let (started, before) = (Instant::now(), cpu_time::of_this_process());
    while started.elapsed() < Duration::from_secs(seconds) {
        check()?;
        let guard = turn.lock().unwrap_or_else(PoisonError::into_inner);
        drop(never.wait_timeout(guard, Duration::from_secs(1)));
    }
    let after = cpu_time::of_this_process();
    let used = after.zip(before).map(|(after, before)| after.saturating_sub(before).as_secs_f64());
    Ok(used.map(|used| used * 60.0 / started.elapsed().as_secs_f64()))
}
