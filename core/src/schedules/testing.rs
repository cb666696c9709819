//! What the tests of schedules share: a world with a clock that they move, and a queue that keeps tasks in a table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::tz::TimeZone;
use uuid::Uuid;

use super::service::{Parts, Scheduler};
use super::{KnowsAgents, MakesTasks};
use crate::api::ApiError;
use crate::clock::{Clock, Ids, ManualClock};
use crate::model::{
    ActivityFilter, ActivityId, AgentId, BoardColumn, Happening, Missed, PageRequest, Priority, ProfileId,
    ScheduleDraft, Task, TaskStatus, TaskTemplate, Timestamp, Timing,
};
use crate::storage::disk::simulated::SimulatedDisk;
use crate::storage::schedules::Made;
use crate::storage::{Db, DbOptions, StorageError, WriteTxn, activities, tables};

pub const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));
pub const AGENT: AgentId = AgentId(Uuid::from_u128(77));

pub fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

pub fn cron(expression: &str, zone: &str) -> Timing {
    Timing::Cron { expression: expression.to_owned(), zone: zone.to_owned() }
}

pub fn draft(name: &str, timing: Timing) -> ScheduleDraft {
    ScheduleDraft {
        name: name.to_owned(),
        timing,
        template: TaskTemplate {
            agent: None,
            title: "Report of {date}".to_owned(),
            description: String::new(),
            priority: Priority::Medium,
            input: serde_json::Value::Null,
            labels: Vec::new(),
            max_retries: None,
            time_limit_s: None,
        },
        variables: BTreeMap::new(),
        missed: Missed::RunOnce,
        enabled: true,
    }
}

/// A queue that hands on what was made. Titles that begin with "refuse" are refused.
pub struct Queue {
    sender: Mutex<Sender<Task>>,
}

impl MakesTasks for Queue {
    fn make(&self, txn: &WriteTxn<'_>, made: &Made) -> Result<Task, StorageError> {
        if made.draft.title.starts_with("refuse") {
            return Err(StorageError::Refused("no such agent".to_owned()));
        }
        // In the same change as the schedule, where a test looks for it.
        let happening = Happening::new("test.task", made.schedule.to_string()).with("planned", made.planned.0);
        activities::insert(txn, PROFILE, &happening.kept(ActivityId(made.id.0), made.at))?;
        Ok(task_of(made))
    }

    fn made(&self, tasks: &[Task]) {
        for task in tasks {
            drop(self.sender.lock().unwrap().send(task.clone()));
        }
    }
}

fn open_on(disk: &SimulatedDisk) -> Db {
    let options = DbOptions { disk: Arc::new(disk.clone()), ..DbOptions::default() };
    Db::open(Path::new("/main.redb"), &tables::MAIN, options).unwrap()
}

fn task_of(made: &Made) -> Task {
    let draft = &made.draft;
    Task {
        id: made.id,
        number: 1,
        agent: draft.agent,
        agent_name: String::new(),
        title: draft.title.clone(),
        description: draft.description.clone(),
        status: TaskStatus::Pending,
        column: BoardColumn::Queued,
        position: 0,
        priority: draft.priority,
        input: draft.input.clone(),
        output: None,
        error: None,
        retries: 0,
        max_retries: 0,
        time_limit_s: 60,
        execution_ms: 0,
        not_before: None,
        due: None,
        labels: draft.labels.clone(),
        depends_on: Vec::new(),
        schedule: Some(made.schedule),
        parent: None,
        waits: None,
        progress: None,
        created: made.planned,
        started: None,
        completed: None,
        updated: made.at,
        sample: false,
    }
}

/// Two agents, and those that were made for the background.
#[derive(Default)]
pub struct Agents(Mutex<Vec<(AgentId, String)>>);

impl KnowsAgents for Agents {
    fn names(&self) -> BTreeMap<AgentId, String> {
        let mut names: BTreeMap<AgentId, String> = self.0.lock().unwrap().iter().cloned().collect();
        names.insert(AGENT, "Reporter".to_owned());
        names
    }

    fn make(&self, kind: &str, _folders: &[PathBuf]) -> Result<AgentId, ApiError> {
        let mut made = self.0.lock().unwrap();
        let id = AgentId(Uuid::from_u128(100 + made.len() as u128));
        made.push((id, kind.to_owned()));
        Ok(id)
    }
}

pub struct World {
    pub folder: tempfile::TempDir,
    pub main: Db,
    pub clock: Arc<ManualClock>,
    pub scheduler: Scheduler,
    pub disk: Option<SimulatedDisk>,
    tasks: Mutex<Receiver<Task>>,
}

impl World {
    pub fn new(now: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
        Self::over(folder, main, Arc::new(ManualClock::at(at(now))), None)
    }

    /// On a disk whose power can be cut.
    pub fn on(disk: SimulatedDisk, now: &str) -> Self {
        let main = open_on(&disk);
        Self::over(tempfile::tempdir().unwrap(), main, Arc::new(ManualClock::at(at(now))), Some(disk))
    }

    /// The power was cut: what is found on the disk then, and the same clock.
    pub fn after_power_cut(self, seed: u64) -> Self {
        self.scheduler.close();
        self.main.close();
        let disk = self.disk.as_ref().unwrap().after_power_cut(seed);
        let main = open_on(&disk);
        Self::over(self.folder, main, self.clock, Some(disk))
    }

    fn over(folder: tempfile::TempDir, main: Db, clock: Arc<ManualClock>, disk: Option<SimulatedDisk>) -> Self {
        let (sender, receiver) = channel();
        let scheduler = Scheduler::new(Parts {
            main: main.clone(),
            profile: PROFILE,
            clock: clock.clone(),
            ids: Arc::new(Ids::new(clock.clone())),
            here: Arc::new(|| TimeZone::UTC),
            publish: Arc::new(|_event| {}),
            happened: Arc::new(|_happening| {}),
            turn: Arc::new(|_name| {}),
            tasks: Arc::new(Queue { sender: Mutex::new(sender) }),
            agents: Arc::new(Agents::default()),
        });
        Self { folder, main, clock, scheduler, disk, tasks: Mutex::new(receiver) }
    }

    /// The program was closed and is started again: all that was not stored is forgotten.
    pub fn again(self) -> Self {
        self.scheduler.close();
        Self::over(self.folder, self.main, self.clock, self.disk)
    }

    pub fn advance(&self, to: &str) {
        self.clock.advance_ms(at(to).0 - self.clock.now().0);
        self.scheduler.wake();
    }

    /// The next task that is made.
    pub fn next_task(&self) -> Task {
        self.tasks.lock().unwrap().recv_timeout(Duration::from_secs(30)).expect("a task is made")
    }

    /// The tasks that were made and not looked at.
    pub fn tasks(&self) -> Vec<Task> {
        self.tasks.lock().unwrap().try_iter().collect()
    }

    /// Runs both workers while `test` does.
    pub fn work(&self, test: impl FnOnce(&Self)) {
        /// Also when the test fails: the workers must end.
        struct Closing<'a>(&'a Scheduler);
        impl Drop for Closing<'_> {
            fn drop(&mut self) {
                self.0.close();
            }
        }
        std::thread::scope(|scope| {
            scope.spawn(|| self.scheduler.run());
            scope.spawn(|| self.scheduler.run_triggers());
            let closing = Closing(&self.scheduler);
            test(self);
            drop(closing);
        });
    }

    pub fn inner_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Schedule and planned time of each task that the store holds.
    pub fn stored_tasks(&self) -> Vec<(String, i64)> {
        let filter = ActivityFilter { kind: "test.task".to_owned(), ..ActivityFilter::default() };
        let page = PageRequest { offset: 0, limit: 1_000 };
        let found = activities::list(&self.main, PROFILE, &filter, page, &|| false).unwrap().unwrap();
        found.items.into_iter().map(|one| (one.title, one.metadata["planned"].parse().unwrap())).collect()
    }

    /// Makes many schedules that are due in a day and later.
    pub fn fill(&self, many: usize) {
        for chunk in (0..many).collect::<Vec<_>>().chunks(1_000) {
            std::thread::scope(|scope| {
                for part in chunk.chunks(125) {
                    scope.spawn(move || {
                        for n in part {
                            let from = Timestamp(self.inner_now().0 + 86_400_000 + *n as i64);
                            let one = draft(&format!("s{n}"), Timing::Every { minutes: 1_440, from });
                            self.scheduler.create(one).unwrap();
                        }
                    });
                }
            });
        }
    }

    /// Waits until something that another thread does has been done.
    pub fn until(&self, done: impl Fn() -> bool) {
        let begun = std::time::Instant::now();
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it is not done in time");
            std::thread::yield_now();
        }
    }

    /// One look of a worker that has begun long ago.
    pub fn idle_turn(&self) {
        self.scheduler.idle_turn().unwrap();
    }

    /// One turn of the worker of times, on this thread.
    pub fn turn(&self) {
        self.scheduler.turn().unwrap();
    }
}
