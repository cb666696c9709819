//! Many tasks under random kills: each ends in exactly one final state, none is lost, and what a task changes outside is
//! changed once, or as often as the person said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use uuid::Uuid;

use super::{Doing, PROFILE, START, World, agent, done, failed, world_on};
use crate::clock::ManualClock;
use crate::model::{
    ApprovalId, BoardColumn, PageRequest, Priority, RunId, Task, TaskDraft, TaskFilter, TaskId, TaskOutput, TaskSort,
    TaskStatus, Timestamp, Wait,
};
use crate::soak::{self, Chance};
use crate::storage::disk::simulated::SimulatedDisk;
use crate::storage::tasks::verify;
use crate::tasks::state::Origin;
use crate::tasks::{Attempt, Failure};

/// Tasks of one disk.
const TASKS: usize = 250;

/// The world outside of the program, which no kill takes back.
#[derive(Default)]
struct Outside {
    effects: BTreeMap<TaskId, u32>,
    /// How often the person said that it may be done once more.
    consents: BTreeMap<TaskId, u32>,
    /// Whose effect is recorded as a step of its run.
    recorded: BTreeMap<TaskId, bool>,
    chance: Option<Chance>,
    /// Nothing goes wrong any more.
    calm: bool,
}

struct Shared {
    outside: Mutex<Outside>,
    disk: Mutex<SimulatedDisk>,
    /// Every attempt reads it while it goes on; whoever may write knows that all have ended.
    attempts: RwLock<()>,
}

impl Shared {
    fn outside(&self) -> MutexGuard<'_, Outside> {
        self.outside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn below(&self, end: usize) -> usize {
        self.outside().chance.as_mut().unwrap().below(end)
    }

    /// One in so many, unless all is calm.
    fn unlucky(&self, end: usize) -> bool {
        let calm = self.outside().calm;
        !calm && self.below(end) == 0
    }

    fn disk(&self) -> SimulatedDisk {
        self.disk.lock().unwrap().clone()
    }

    /// What an agent does: records its run, changes something outside once, and goes wrong in every way. `disk` is the one
    /// of its own life: what is cut off cuts no later one.
    fn execute(&self, disk: &SimulatedDisk, attempt: &Attempt<'_>) -> Result<TaskOutput, Failure> {
        let _going_on = self.attempts.read().unwrap_or_else(PoisonError::into_inner);
        let id = attempt.task.id;
        let stopped = |_error| failed(true);
        if attempt.resumes.is_none() {
            attempt.queue.runs(RunId(Uuid::from_u128(id.0.as_u128() + 1))).map_err(stopped)?;
        }
        if self.unlucky(8) {
            attempt.queue.waits(Some(Wait::Approval { id: ApprovalId(Uuid::from_u128(1)) })).map_err(stopped)?;
            attempt.queue.waits(None).map_err(stopped)?;
        }
        if self.unlucky(10) {
            return Err(failed(true));
        }
        if attempt.cancel.is_cancelled() {
            return Err(failed(false));
        }
        let recorded = self.outside().recorded.get(&id).copied().unwrap_or(false);
        if !(attempt.resumes.is_some() && recorded) || attempt.may_repeat {
            attempt.queue.effect_begins("changing the world").map_err(stopped)?;
            if self.unlucky(25) {
                cut(disk);
            }
            *self.outside().effects.entry(id).or_default() += 1;
            if self.unlucky(25) {
                cut(disk);
            }
            if self.unlucky(30) {
                panic!("a fault in the middle");
            }
            self.outside().recorded.insert(id, true);
            attempt.queue.effect_ended().map_err(stopped)?;
        }
        if self.unlucky(10) {
            return Err(failed(self.below(2) == 0));
        }
        if self.unlucky(40) {
            panic!("a fault afterwards");
        }
        done()
    }
}

/// The power goes now.
fn cut(disk: &SimulatedDisk) {
    if !disk.is_cut() {
        disk.cut_at(disk.operations());
    }
}

struct Play {
    shared: Arc<Shared>,
    clock: Arc<ManualClock>,
    world: Option<World>,
    /// Those whose making was confirmed.
    made: Vec<TaskId>,
    /// As they ended, where the person has not asked for more since.
    ends: BTreeMap<TaskId, TaskStatus>,
    kills: usize,
}

impl Play {
    fn begin(seed: u64) -> Self {
        let outside = Outside { chance: Some(Chance(seed)), ..Outside::default() };
        let shared = Shared {
            outside: Mutex::new(outside),
            disk: Mutex::new(SimulatedDisk::new()),
            attempts: RwLock::default(),
        };
        let mut play = Self {
            shared: Arc::new(shared),
            clock: Arc::new(ManualClock::at(START)),
            world: None,
            made: Vec::new(),
            ends: BTreeMap::new(),
            kills: 0,
        };
        play.open();
        play
    }

    fn open(&mut self) {
        let (shared, disk) = (self.shared.clone(), self.shared.disk());
        let own = disk.clone();
        let executor = Arc::new(Doing(Box::new(move |attempt| shared.execute(&own, attempt))));
        let world = world_on(&disk, &self.clock, 4, executor).unwrap();
        verify(&world.main, PROFILE);
        self.world = Some(world);
        // Before anything runs: what runs may cut the power again at any time.
        self.look();
        self.world().queue.start().unwrap();
    }

    /// The power is cut, and comes back.
    fn kill(&mut self) {
        self.kills += 1;
        cut(&self.shared.disk());
        if let Some(world) = self.world.take() {
            world.queue.shutdown();
            world.main.close();
            // A queue without a disk does not wait for them; here they end with the program.
            drop(self.shared.attempts.write().unwrap_or_else(PoisonError::into_inner));
        }
        let seed = self.shared.below(usize::MAX) as u64;
        let found = self.shared.disk().after_power_cut(seed);
        *self.shared.disk.lock().unwrap() = found;
        self.open();
    }

    fn world(&self) -> &World {
        self.world.as_ref().unwrap()
    }

    fn all(&self) -> Vec<Task> {
        let (mut all, filter) = (Vec::new(), TaskFilter::default());
        loop {
            let page = PageRequest { offset: all.len() as u64, limit: 1_000 };
            let page = self.world().queue.list(&filter, TaskSort::Created, page).unwrap();
            all.extend(page.items);
            if all.len() as u64 >= page.total {
                return all;
            }
        }
    }

    /// Nothing that was confirmed is lost, and what has ended stays ended in the same way.
    fn look(&mut self) {
        let all: BTreeMap<TaskId, Task> = self.all().into_iter().map(|task| (task.id, task)).collect();
        for id in &self.made {
            assert!(all.contains_key(id), "{id} is lost");
        }
        for (id, end) in &self.ends {
            assert_eq!(all[id].status, *end, "{id} ended in two ways");
        }
        let ended = all.values().filter(|task| task.status.is_final());
        self.ends.extend(ended.map(|task| (task.id, task.status)));
        let outside = self.shared.outside();
        for (id, effects) in &outside.effects {
            let allowed = 1 + outside.consents.get(id).copied().unwrap_or(0);
            assert!(*effects <= allowed, "{id} changed the world {effects} times, {allowed} were allowed");
        }
    }

    fn add(&mut self) {
        let drafts: Vec<TaskDraft> = (0..=self.shared.below(12))
            .map(|_| {
                let mut draft = TaskDraft::new(Some(agent(1 + self.shared.below(3) as u128)), "Change the world once");
                draft.priority =
                    [Priority::Low, Priority::Medium, Priority::High, Priority::Urgent][self.shared.below(4)];
                draft.held = self.shared.below(15) == 0;
                draft.max_retries = Some(self.shared.below(4) as u32);
                if self.shared.below(6) == 0 {
                    draft.not_before = Some(Timestamp(START.0 + self.shared.below(10_000_000) as i64));
                }
                if !self.made.is_empty() && self.shared.below(5) == 0 {
                    draft.depends_on.push(self.made[self.shared.below(self.made.len())]);
                }
                draft
            })
            .collect();
        // One that is not confirmed may be there all the same.
        if let Ok(made) = self.world().queue.create(drafts, Origin::default()) {
            self.made.extend(made.into_iter().map(|task| task.id));
        }
    }

    /// One thing that a person does meanwhile.
    fn act(&mut self) {
        let queue = self.world().queue.clone();
        let some = |play: &Self| play.made.get(play.shared.below(play.made.len())).copied();
        match self.shared.below(12) {
            0..4 => {
                self.clock.advance_ms(self.shared.below(20_000) as i64);
                queue.wake();
            }
            4 => {
                if let Some(id) = some(self) {
                    drop(queue.cancel(vec![id]));
                }
            }
            5 => {
                if let Some(id) = some(self) {
                    let again = queue
                        .get(id)
                        .is_ok_and(|task| matches!(task.status, TaskStatus::Failed | TaskStatus::Cancelled));
                    if again {
                        self.ends.remove(&id);
                        *self.shared.outside().consents.entry(id).or_default() += 1;
                        drop(queue.retry(vec![id]));
                    }
                }
            }
            6..9 => self.answer(),
            9 => {
                if let Some(id) = some(self) {
                    let column = [BoardColumn::Backlog, BoardColumn::Queued][self.shared.below(2)];
                    let open = queue.get(id).is_ok_and(|task| !task.status.is_final());
                    // What ended meanwhile would begin anew: that is a consent, too.
                    if open {
                        self.ends.remove(&id);
                        *self.shared.outside().consents.entry(id).or_default() += 1;
                        drop(queue.shift(id, column, None));
                    }
                }
            }
            _ => {
                if let Some(world) = &self.world {
                    // Lets the queue go on.
                    drop(world.events.recv_timeout(Duration::from_millis(2)));
                }
            }
        }
    }

    /// The person's word on everything that waits for it.
    fn answer(&mut self) {
        let queue = self.world().queue.clone();
        let Ok(board) = queue.board(&TaskFilter::default(), 1_000) else { return };
        let asking = board.columns.into_iter().filter(|column| column.column == BoardColumn::NeedsYou);
        for task in asking.flat_map(|column| column.tasks) {
            if !matches!(task.waits, Some(Wait::Repeat { .. })) {
                continue;
            }
            let repeat = self.shared.below(2) == 0;
            if repeat {
                *self.shared.outside().consents.entry(task.id).or_default() += 1;
            }
            drop(queue.allow_repeat(task.id, repeat));
        }
    }

    /// Lets everything come to its end, without kills.
    fn finish(&mut self) {
        self.shared.outside().calm = true;
        // What was unlucky just before may still cut the power; after this nothing of it runs any more.
        self.kill();
        let queue = self.world().queue.clone();
        let mut quiet = 0;
        loop {
            let open: Vec<Task> = self.all().into_iter().filter(|task| !task.status.is_final()).collect();
            if open.is_empty() {
                break;
            }
            for task in &open {
                match &task.waits {
                    Some(Wait::Held) => drop(queue.shift(task.id, BoardColumn::Queued, None)),
                    Some(Wait::Broken { .. }) => drop(queue.cancel(vec![task.id])),
                    _ => {}
                }
            }
            self.answer();
            self.clock.advance_ms(30_000_000);
            queue.wake();
            match self.world().events.recv_timeout(Duration::from_millis(200)) {
                Ok(_) => {
                    quiet = 0;
                    self.world().events.try_iter().for_each(drop);
                }
                Err(_) => quiet += 1,
            }
            assert!(quiet < 150, "these never end: {:?}", &open[..open.len().min(3)]);
        }
        self.look();
        verify(&self.world().main, PROFILE);
        let outside = self.shared.outside();
        for task in self.all() {
            let ends = queue.detail(task.id).unwrap().timeline;
            let ends = ends.iter().filter(|m| matches!(m.kind.as_str(), "completed" | "failed" | "cancelled")).count();
            let most = 1 + outside.consents.get(&task.id).copied().unwrap_or(0) as usize;
            assert!((1..=most).contains(&ends), "{} ended {ends} times", task.id);
            let effects = outside.effects.get(&task.id).copied().unwrap_or(0);
            assert!(task.status != TaskStatus::Completed || effects > 0, "{} was completed and never run", task.id);
        }
    }
}

fn play(seed: u64, tasks: usize, kills: usize) -> (usize, usize) {
    let mut play = Play::begin(seed);
    while play.made.len() < tasks || play.kills < kills {
        if play.made.len() < tasks {
            play.add();
        }
        for _ in 0..play.shared.below(6) {
            play.act();
        }
        let disk = play.shared.disk();
        if play.shared.below(4) == 0 {
            disk.cut_at(disk.operations() + play.shared.below(300) as u64);
        }
        if disk.is_cut() || play.shared.below(12) == 0 {
            play.kill();
        }
    }
    play.finish();
    let all = play.all().len();
    (all, play.kills)
}

#[test]
fn tasks_under_random_kills() {
    let seed = soak::seed(42);
    let (mut tasks, mut kills) = (0, 0);
    for round in 0..soak::count(1, 10_000_usize.div_ceil(TASKS)) {
        let (more, killed) = play(seed + round as u64, TASKS, 12);
        (tasks, kills) = (tasks + more, kills + killed);
    }
    soak::report("tasks under kills", tasks, seed);
    soak::report("kills of tasks", kills, seed);
}
