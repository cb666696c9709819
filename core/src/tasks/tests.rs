//! What the queue does in time: order, tries, limits, cancelling, waiting, the end of the program and the next start.

mod kills;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::state::{Defaults, Origin};
use super::*;
use crate::api::{ErrorCategory, Event};
use crate::clock::{Ids, ManualClock};
use crate::model::{
    AgentId, ApprovalId, BoardColumn, PageRequest, Priority, ProfileId, TaskDraft, TaskFilter, TaskId, TaskSort,
    TaskStatus, Timestamp,
};
use crate::storage::disk::simulated::SimulatedDisk;
use crate::storage::{Db, DbOptions, tables};

const START: Timestamp = Timestamp(1_760_000_000_000);
/// Long enough for any computer; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));

pub(super) fn agent(number: u128) -> AgentId {
    AgentId(Uuid::from_u128(number))
}

/// Agents that are there, and why some take no tasks.
#[derive(Default)]
pub(super) struct Team {
    away: Mutex<HashMap<AgentId, String>>,
    ended: Arc<AtomicUsize>,
}

impl Agents for Team {
    fn takes_tasks(&self, agent: AgentId) -> Result<(), String> {
        match self.away.lock().unwrap().get(&agent) {
            Some(why) => Err(why.clone()),
            None => Ok(()),
        }
    }

    fn name(&self, agent: AgentId) -> Result<String, ApiError> {
        Ok(format!("agent {}", agent.0.as_u128()))
    }

    fn ended(&self, _txn: &WriteTxn<'_>, _task: &Task) -> Result<(), StorageError> {
        self.ended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

type Work = dyn Fn(&Attempt<'_>) -> Result<TaskOutput, Failure> + Send + Sync;

pub(super) struct Doing(pub Box<Work>);

impl Executor for Doing {
    fn execute(&self, attempt: &Attempt<'_>) -> Result<TaskOutput, Failure> {
        (self.0)(attempt)
    }
}

pub(super) fn failed(retry: bool) -> Failure {
    Failure { error: ApiError::new(ErrorCategory::Processing, "it went wrong", "Try again."), retry, partial: None }
}

pub(super) fn done() -> Result<TaskOutput, Failure> {
    Ok(TaskOutput { text: "done".to_owned(), ..TaskOutput::default() })
}

pub(super) struct World {
    pub queue: Queue,
    pub clock: Arc<ManualClock>,
    team: Arc<Team>,
    pub events: Receiver<Event>,
    pub main: Db,
}

pub(super) fn open(disk: &SimulatedDisk, clock: &Arc<ManualClock>) -> Result<Db, StorageError> {
    let options = DbOptions { disk: Arc::new(disk.clone()), clock: clock.clone(), ..DbOptions::default() };
    Db::open(std::path::Path::new("/main.redb"), &tables::MAIN, options)
}

pub(super) fn world_on(
    disk: &SimulatedDisk,
    clock: &Arc<ManualClock>,
    at_once: usize,
    executor: Arc<dyn Executor>,
) -> Result<World, ApiError> {
    let main = open(disk, clock)?;
    let (sender, events) = channel();
    let sender = Mutex::new(sender);
    let team = Arc::new(Team::default());
    let queue = Queue::new(Parts {
        main: main.clone(),
        profile: PROFILE,
        clock: clock.clone(),
        ids: Arc::new(Ids::new(clock.clone())),
        publish: Arc::new(move |event| drop(sender.lock().unwrap_or_else(PoisonError::into_inner).send(event))),
        happened: Arc::new(|_happening| {}),
        supervise: Arc::new(|work| work()),
        turn: Arc::new(|| {}),
        health: Arc::new(|_why| {}),
        ending: CancellationToken::new(),
        agents: team.clone(),
        executor: Arc::new(move || Some(executor.clone())),
        settings: Arc::new(move || QueueSettings {
            at_once,
            backoff_s: 5,
            defaults: Defaults { max_retries: 2, time_limit_s: 60 },
        }),
    })?;
    Ok(World { queue, clock: clock.clone(), team, events, main })
}

fn world(at_once: usize, work: impl Fn(&Attempt<'_>) -> Result<TaskOutput, Failure> + Send + Sync + 'static) -> World {
    let clock = Arc::new(ManualClock::at(START));
    world_on(&SimulatedDisk::new(), &clock, at_once, Arc::new(Doing(Box::new(work)))).unwrap()
}

impl World {
    fn add(&self, draft: TaskDraft) -> TaskId {
        self.queue.create(vec![draft], Origin::default()).unwrap()[0].id
    }

    fn named(&self, title: &str) -> TaskId {
        self.add(TaskDraft::new(Some(agent(1)), title))
    }

    fn get(&self, id: TaskId) -> Task {
        self.queue.get(id).unwrap()
    }

    /// Waits until a task is as it should be.
    fn until(&self, id: TaskId, wanted: impl Fn(&Task) -> bool) -> Task {
        loop {
            let task = self.get(id);
            if wanted(&task) {
                return task;
            }
            if self.events.recv_timeout(PATIENCE).is_err() {
                panic!("nothing happens any more to {task:?}");
            }
        }
    }

    fn ended(&self, id: TaskId) -> Task {
        self.until(id, |task| task.status.is_final())
    }

    fn kinds(&self, id: TaskId) -> Vec<String> {
        self.queue.detail(id).unwrap().timeline.into_iter().map(|moment| moment.kind).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.queue.shutdown();
    }
}

/// Lets attempts go on one by one.
struct Gate(Mutex<Receiver<()>>);

fn gate() -> (Sender<()>, Gate) {
    let (sender, receiver) = channel();
    (sender, Gate(Mutex::new(receiver)))
}

impl Gate {
    fn pass(&self) {
        self.0.lock().unwrap().recv().unwrap();
    }
}

#[test]
fn the_most_urgent_go_first_and_equals_in_turn() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = order.clone();
    let world = world(1, move |attempt| {
        seen.lock().unwrap().push(attempt.task.title.clone());
        done()
    });
    let mut last = None;
    for (title, priority) in [
        ("a", Priority::Low),
        ("b", Priority::Medium),
        ("c", Priority::Urgent),
        ("d", Priority::Medium),
        ("e", Priority::Urgent),
        ("f", Priority::High),
    ] {
        let id = world.add(TaskDraft { priority, ..TaskDraft::new(Some(agent(1)), title) });
        last = last.or(Some(id));
    }
    world.queue.start().unwrap();
    world.ended(last.unwrap());
    assert_eq!(*order.lock().unwrap(), ["c", "e", "f", "b", "d", "a"]);
    let task = world.get(last.unwrap());
    assert_eq!((task.status, task.output.unwrap().text), (TaskStatus::Completed, "done".to_owned()));
    assert_eq!(world.kinds(last.unwrap()), ["created", "started", "completed"]);
    assert_eq!(world.team.ended.load(Ordering::SeqCst), 6);
}

#[test]
fn as_many_run_as_may_and_waiting_for_the_person_takes_no_place() {
    let (go, gate) = gate();
    let (told, tells) = channel();
    let told = Mutex::new(told);
    let most = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let count = most.clone();
    let world = world(2, move |attempt| {
        if attempt.task.title == "asks" {
            let id = ApprovalId(Uuid::from_u128(3));
            attempt.queue.waits(Some(Wait::Approval { id })).unwrap();
            told.lock().unwrap().send(()).unwrap();
            gate.pass();
            attempt.queue.waits(None).unwrap();
            return done();
        }
        let now = count.0.fetch_add(1, Ordering::SeqCst) + 1;
        count.1.fetch_max(now, Ordering::SeqCst);
        count.0.fetch_sub(1, Ordering::SeqCst);
        done()
    });
    let asks = world.named("asks");
    world.queue.start().unwrap();
    tells.recv().unwrap();
    let waiting = world.until(asks, |task| task.column == BoardColumn::NeedsYou);
    assert_eq!((waiting.status, world.queue.counts().unwrap().needs_you), (TaskStatus::Running, 1));
    let others: Vec<_> = (0..20).map(|n| world.named(&format!("task {n}"))).collect();
    for id in others {
        assert_eq!(world.ended(id).status, TaskStatus::Completed);
    }
    assert!((1..=2).contains(&most.1.load(Ordering::SeqCst)));
    // An hour of thinking is not an hour of work.
    world.clock.advance_ms(3_600_000);
    world.queue.wake();
    go.send(()).unwrap();
    let task = world.ended(asks);
    assert_eq!((task.status, task.execution_ms), (TaskStatus::Completed, 0));
}

#[test]
fn a_try_that_fails_is_made_again_when_its_pause_is_over() {
    let world = world(1, |attempt| if attempt.number < 3 { Err(failed(true)) } else { done() });
    world.queue.start().unwrap();
    let id = world.named("flaky");
    for (tries, pause) in [(1, 5_000), (2, 10_000)] {
        let task = world.until(id, |task| task.retries == tries && task.status == TaskStatus::Pending);
        let Some(Wait::Until { at }) = task.waits else { panic!("{:?}", task.waits) };
        assert!((pause..=pause + pause / 10).contains(&(at.0 - world.clock_now())), "{at:?}");
        world.clock.advance_ms(at.0 - world.clock_now());
        world.queue.wake();
    }
    let task = world.ended(id);
    assert_eq!((task.status, task.retries, task.error), (TaskStatus::Completed, 2, None));
    assert_eq!(world.kinds(id), ["created", "started", "retried", "started", "retried", "started", "completed"]);
}

impl World {
    fn clock_now(&self) -> i64 {
        use crate::clock::Clock;
        self.clock.now().0
    }
}

#[test]
fn a_fault_in_a_task_is_a_failed_try() {
    let world = world(1, |_attempt| panic!("a bug"));
    world.queue.start().unwrap();
    let id = world.add(TaskDraft { max_retries: Some(0), ..TaskDraft::new(Some(agent(1)), "buggy") });
    let task = world.ended(id);
    assert_eq!(task.status, TaskStatus::Failed);
    assert!(task.error.unwrap().message.contains("fault"));
}

#[test]
fn a_try_that_takes_too_long_is_stopped_and_cancelling_reaches_it() {
    let (told, tells) = channel();
    let told = Mutex::new(told);
    let world = world(2, move |attempt| {
        told.lock().unwrap().send(()).unwrap();
        let waiting = attempt.cancel.clone();
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(waiting.cancelled());
        assert!(attempt.queue.effect_begins("changing it now").is_err(), "nothing new begins outside");
        Err(failed(false))
    });
    world.queue.start().unwrap();
    let slow =
        world.add(TaskDraft { max_retries: Some(0), time_limit_s: Some(30), ..TaskDraft::new(Some(agent(1)), "slow") });
    let unwanted = world.named("unwanted");
    tells.recv().unwrap();
    tells.recv().unwrap();
    assert_eq!(world.queue.cancel(vec![unwanted]).unwrap(), 1);
    assert_eq!(world.ended(unwanted).status, TaskStatus::Cancelled);
    assert_eq!(world.queue.cancel(vec![unwanted]).unwrap(), 0);
    world.clock.advance_ms(29_999);
    world.queue.wake();
    assert_eq!(world.get(slow).status, TaskStatus::Running);
    world.clock.advance_ms(1);
    world.queue.wake();
    let task = world.ended(slow);
    assert_eq!((task.status, task.execution_ms), (TaskStatus::Failed, 30_000));
    assert!(task.error.unwrap().message.contains("30 s"));
}

#[test]
fn tasks_wait_for_others_for_times_for_agents_and_for_the_queue() {
    let world = world(4, |attempt| if attempt.task.title == "bad" { Err(failed(false)) } else { done() });
    world.team.away.lock().unwrap().insert(agent(2), "it is paused".to_owned());
    world.queue.pause(true).unwrap();
    world.queue.start().unwrap();
    let first = world.named("first");
    let bad = world.named("bad");
    let after = |on: TaskId, title: &str| {
        world.add(TaskDraft { depends_on: vec![on], ..TaskDraft::new(Some(agent(1)), title) })
    };
    let second = after(first, "second");
    let never = after(bad, "never");
    let later = world
        .add(TaskDraft { not_before: Some(Timestamp(START.0 + 3_600_000)), ..TaskDraft::new(Some(agent(1)), "later") });
    let away = world.add(TaskDraft::new(Some(agent(2)), "for one who is away"));
    let held = world.add(TaskDraft { held: true, ..TaskDraft::new(Some(agent(1)), "held") });
    assert_eq!(world.get(first).waits, Some(Wait::Paused));
    assert_eq!(world.get(second).waits, Some(Wait::Tasks { ids: vec![first] }));
    world.queue.pause(false).unwrap();
    world.ended(second);
    world.ended(bad);
    assert_eq!(world.until(never, |task| task.waits == Some(Wait::Broken { id: bad })).status, TaskStatus::Pending);
    assert_eq!(world.get(away).waits, Some(Wait::Agent { why: "it is paused".to_owned() }));
    assert_eq!(world.get(held).waits, Some(Wait::Held));
    world.clock.advance_ms(3_600_000);
    world.queue.wake();
    world.ended(later);
    world.team.away.lock().unwrap().clear();
    world.queue.wake();
    world.ended(away);
    world.queue.shift(held, BoardColumn::Queued, None).unwrap();
    assert_eq!(world.ended(held).status, TaskStatus::Completed);
    assert_eq!(world.queue.cancel(vec![never]).unwrap(), 1);
}

#[test]
fn the_end_of_the_program_stops_what_runs_and_the_next_start_takes_it_up_again() {
    let (disk, clock) = (SimulatedDisk::new(), Arc::new(ManualClock::at(START)));
    let run = RunId(Uuid::from_u128(5));
    let (told, tells) = channel();
    let told = Mutex::new(told);
    let stopped = Doing(Box::new(move |attempt| {
        attempt.queue.runs(run).unwrap();
        if attempt.task.title == "in the middle" {
            attempt.queue.effect_begins("writing a.md").unwrap();
        }
        told.lock().unwrap().send(()).unwrap();
        let waiting = attempt.cancel.clone();
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(waiting.cancelled());
        Err(failed(false))
    }));
    let world = world_on(&disk, &clock, 2, Arc::new(stopped)).unwrap();
    world.queue.start().unwrap();
    let (plain, middle) = (world.named("plain"), world.named("in the middle"));
    tells.recv().unwrap();
    tells.recv().unwrap();
    assert_eq!(world.queue.in_the_middle(), ["in the middle"]);
    world.queue.shutdown();
    assert_eq!(world.get(plain).status, TaskStatus::Pending);
    world.main.close();
    drop(world);
    let resumed = Arc::new(Mutex::new(Vec::new()));
    let seen = resumed.clone();
    let executor = Doing(Box::new(move |attempt| {
        seen.lock().unwrap().push((attempt.task.id, attempt.resumes, attempt.may_repeat, attempt.number));
        done()
    }));
    let world = world_on(&disk, &clock, 2, Arc::new(executor)).unwrap();
    world.queue.start().unwrap();
    assert_eq!(world.ended(plain).retries, 0);
    let asking = world.get(middle);
    assert_eq!(asking.column, BoardColumn::NeedsYou);
    assert_eq!(asking.waits, Some(Wait::Repeat { done: vec!["writing a.md".to_owned()] }));
    world.queue.allow_repeat(middle, true).unwrap();
    assert_eq!(world.ended(middle).status, TaskStatus::Completed);
    assert_eq!(*resumed.lock().unwrap(), [(plain, Some(run), false, 1), (middle, Some(run), true, 1)]);
}

#[test]
fn pages_are_listed_and_found_by_name() {
    let world = world(1, |_attempt| done());
    let id = world.named("Summarise the sales of Q3");
    world.named("Clean the tables");
    assert_eq!(world.queue.find("#1").unwrap().id, id);
    assert_eq!(world.queue.find(&id.to_string()).unwrap().id, id);
    assert!(world.queue.find("#9").is_err());
    let filter = TaskFilter { text: "sales".to_owned(), ..TaskFilter::default() };
    let page = world.queue.list(&filter, TaskSort::Title, PageRequest::default()).unwrap();
    assert_eq!((page.total, page.items[0].id), (1, id));
}
