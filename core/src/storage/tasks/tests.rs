//! Tasks as they are stored: indexes that fit their rows, pages, the board, circles, the trash, old ones.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use super::record::{StoredTally, StoredTask};
use super::*;
use crate::api::request::tasks::UpdateTask;
use crate::clock::{Ids, ManualClock};
use crate::model::{
    AgentId, BoardColumn, PageRequest, Priority, ScheduleId, Task, TaskDraft, TaskFilter, TaskId, TaskSort, TaskStatus,
    Timestamp, TrashId, Wait,
};
use crate::soak::Chance;
use crate::storage::disk::simulated::SimulatedDisk;
use crate::storage::trash::{self, Deletion};
use crate::storage::{Db, DbOptions, RecordReading, decode, tables};
use crate::tasks::state::{Defaults, End, Origin};

const NOW: Timestamp = Timestamp(1_760_000_000_000);
const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));
const DEFAULTS: Defaults = Defaults { max_retries: 3, time_limit_s: 60 };

/// Every index holds what the rows say, no more and no less.
pub(crate) fn verify(main: &Db, profile: ProfileId) {
    let txn = main.read().unwrap();
    let own = profile.0.as_u128();
    let mut tally = StoredTally::default();
    let (mut status, mut board, mut ready, mut due, mut needs, mut numbers, mut agents) = (
        BTreeSet::new(),
        BTreeSet::new(),
        BTreeSet::new(),
        BTreeSet::new(),
        BTreeSet::new(),
        BTreeSet::new(),
        BTreeSet::new(),
    );
    for row in txn.table(TASKS).unwrap().range((own, 0)..=(own, u128::MAX)).unwrap() {
        let (key, value) = row.unwrap();
        let id = key.value().1;
        let entry = decode::<StoredTask>(value.value()).unwrap().into_entry(id);
        let task = &entry.task;
        numbers.insert((task.number, id));
        needs.extend(task.depends_on.iter().map(|on| (on.0.as_u128(), id)));
        tally.last_number = tally.last_number.max(task.number);
        let leased = txn.table(LEASES).unwrap().get((own, id)).unwrap().is_some();
        assert_eq!(leased, task.status == TaskStatus::Running && task.agent.is_some(), "{task:?}");
        if entry.trashed {
            continue;
        }
        assert_eq!(task.column, entry.column());
        tally.by_status[task.status as usize] += 1;
        tally.by_column[task.column as usize] += 1;
        status.insert((task.status as u8, task.created.0, id));
        board.insert((task.column as u8, task.position, id));
        agents.extend(task.agent.map(|agent| (agent.0.as_u128(), id)));
        if entry.is_ready() {
            ready.insert((task.agent.unwrap().0.as_u128(), 3 - task.priority as u8, task.created.0, id));
        }
        if let (TaskStatus::Pending, Some(Wait::Until { at })) = (task.status, &task.waits) {
            due.insert((at.0, id));
        }
    }
    fn stored<K: redb::Key + 'static, V: redb::Value + 'static, T: Ord>(
        txn: &crate::storage::ReadTxn,
        table: TableDefinition<'static, K, V>,
        pick: impl for<'k> Fn(K::SelfType<'k>) -> Option<T>,
    ) -> BTreeSet<T> {
        txn.table(table).unwrap().iter().unwrap().filter_map(|row| pick(row.unwrap().0.value())).collect()
    }
    let ours = |profile: u128| profile == own;
    assert_eq!(stored(&txn, BY_STATUS, |(p, s, at, id)| ours(p).then_some((s, at, id))), status);
    assert_eq!(stored(&txn, BOARD, |(p, c, at, id)| ours(p).then_some((c, at, id))), board);
    assert_eq!(stored(&txn, BY_AGENT, |(p, a, _, id)| ours(p).then_some((a, id))), agents);
    assert_eq!(stored(&txn, READY, |(p, a, u, at, id)| ours(p).then_some((a, u, at, id))), ready);
    assert_eq!(stored(&txn, DUE, |(p, at, id)| ours(p).then_some((at, id))), due);
    assert_eq!(stored(&txn, NEEDED_BY, |(p, on, id)| ours(p).then_some((on, id))), needs);
    let found: BTreeSet<(u64, u128)> = txn
        .table(NUMBERS)
        .unwrap()
        .range((own, 0)..=(own, u64::MAX))
        .unwrap()
        .map(|row| row.map(|(key, id)| (key.value().1, id.value())).unwrap())
        .collect();
    assert_eq!(found, numbers);
    let counted: StoredTally = txn.table(TALLY).unwrap().record(own).unwrap().unwrap_or_default();
    assert_eq!((counted.by_status, counted.by_column), (tally.by_status, tally.by_column));
    assert!(counted.last_number >= tally.last_number);
}

struct Store {
    main: Db,
    clock: Arc<ManualClock>,
    ids: Ids,
}

fn agent(number: u128) -> AgentId {
    AgentId(Uuid::from_u128(number))
}

impl Store {
    fn open() -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let disk = Arc::new(SimulatedDisk::new());
        let options = DbOptions { disk, clock: clock.clone(), ..DbOptions::default() };
        let main = Db::open(Path::new("/main.redb"), &tables::MAIN, options).unwrap();
        Self { main, ids: Ids::seeded(clock.clone(), 1), clock }
    }

    fn change(&self) -> Change {
        use crate::clock::Clock;
        Change { profile: PROFILE, now: self.clock.now() }
    }

    fn add(&self, draft: TaskDraft) -> Task {
        self.add_from(draft, Origin::default()).unwrap()
    }

    fn add_from(&self, draft: TaskDraft, origin: Origin) -> Result<Task, StorageError> {
        let new = [NewTask { id: TaskId(self.ids.next()), draft, agent_name: "Ada".to_owned() }];
        let change = self.change();
        self.main.write(move |txn| create(txn, change, &new, origin, DEFAULTS)).map(|mut made| made.remove(0))
    }

    fn titled(&self, title: &str) -> Task {
        self.add(TaskDraft::new(Some(agent(1)), title))
    }

    /// Takes what may be taken, and ends these.
    fn turn(&self, free: usize, ended: Vec<(TaskId, End)>) -> Stepped {
        let turn = Step {
            profile: PROFILE,
            now: self.change().now,
            ended: ended.into_iter().map(|(task, end)| Ended { task, end, worked_ms: 1, random: 0 }).collect(),
            free,
            agents: (0..10).map(agent).collect(),
            base_s: 5,
        };
        self.main.write(move |txn| step(txn, &turn)).unwrap()
    }

    fn complete(&self, id: TaskId) {
        self.turn(usize::MAX, Vec::new());
        self.turn(0, vec![(id, End::Completed(crate::model::TaskOutput::default()))]);
    }

    fn page(&self, filter: &TaskFilter, sort: TaskSort) -> Vec<Task> {
        list(&self.main, PROFILE, filter, sort, PageRequest { offset: 0, limit: 1_000 }).unwrap().items
    }

    fn column(&self, column: BoardColumn) -> Vec<TaskId> {
        let board = board(&self.main, PROFILE, &TaskFilter::default(), 1_000).unwrap();
        let content = board.columns.into_iter().find(|content| content.column == column).unwrap();
        assert_eq!(content.total, content.tasks.len() as u64);
        content.tasks.into_iter().map(|task| task.id).collect()
    }

    fn deletion(&self) -> Deletion {
        Deletion { id: TrashId(self.ids.next()), at: self.change().now, days: 30 }
    }
}

#[test]
fn lists_show_what_their_filters_say() {
    let store = Store::open();
    let mut chance = Chance(7);
    let schedule = ScheduleId(Uuid::from_u128(5));
    for n in 0..120 {
        store.clock.advance_ms(1 + chance.below(5_000) as i64);
        let mut draft = TaskDraft::new((n % 4 > 0).then(|| agent(n % 4)), format!("Task {} of {}", n % 10, n));
        draft.description = ["about sales", "about ships"][chance.below(2)].to_owned();
        draft.priority = [Priority::Low, Priority::Medium, Priority::High, Priority::Urgent][chance.below(4)];
        draft.held = chance.below(3) == 0;
        draft.labels = if chance.below(4) == 0 { vec!["Red".to_owned()] } else { Vec::new() };
        draft.due = (chance.below(2) == 0).then(|| Timestamp(NOW.0 + chance.below(100_000) as i64));
        let origin = Origin { schedule: (n % 7 == 0).then_some(schedule), ..Origin::default() };
        store.add_from(draft, origin).unwrap();
    }
    let taken = store.turn(20, Vec::new()).taken;
    assert_eq!(taken.len(), 20);
    for (at, taken) in taken.iter().enumerate().take(15) {
        let end = match at % 2 {
            0 => End::Completed(crate::model::TaskOutput::default()),
            _ => End::Failed { error: crate::api::ApiError::cancelled(), retry: false, partial: None },
        };
        store.turn(0, vec![(taken.task.id, end)]);
    }
    verify(&store.main, PROFILE);
    let all = store.page(&TaskFilter::default(), TaskSort::Created);
    assert_eq!(all.len(), 120);
    assert!(all.windows(2).all(|pair| pair[0].created >= pair[1].created));
    let middle = all[60].created;
    let filters = [
        TaskFilter { text: "SALES".to_owned(), ..TaskFilter::default() },
        TaskFilter { text: "#17".to_owned(), ..TaskFilter::default() },
        TaskFilter { status: vec![TaskStatus::Completed, TaskStatus::Failed], ..TaskFilter::default() },
        TaskFilter { agent: Some(agent(2)), ..TaskFilter::default() },
        TaskFilter { agent: Some(agent(2)), status: vec![TaskStatus::Pending], ..TaskFilter::default() },
        TaskFilter { priority: Some(Priority::Urgent), ..TaskFilter::default() },
        TaskFilter { label: Some("red".to_owned()), ..TaskFilter::default() },
        TaskFilter { schedule: Some(schedule), ..TaskFilter::default() },
        TaskFilter { from: Some(middle), ..TaskFilter::default() },
        TaskFilter { until: Some(middle), agent: Some(agent(1)), ..TaskFilter::default() },
        TaskFilter { label: Some("Red".to_owned()), text: "ships".to_owned(), ..TaskFilter::default() },
    ];
    for filter in filters {
        let fits = |task: &&Task| {
            let text = filter.text.to_lowercase();
            (filter.status.is_empty() || filter.status.contains(&task.status))
                && filter.agent.is_none_or(|agent| task.agent == Some(agent))
                && filter.priority.is_none_or(|priority| task.priority == priority)
                && (filter.label.is_none() || task.labels == ["Red"])
                && (filter.schedule.is_none() || task.schedule.is_some())
                && filter.from.is_none_or(|from| task.created >= from)
                && filter.until.is_none_or(|until| task.created < until)
                && (task.description.contains(&text) || format!("#{}", task.number) == text)
        };
        let expected: BTreeSet<TaskId> = all.iter().filter(fits).map(|task| task.id).collect();
        assert!(!expected.is_empty(), "{filter:?}");
        for sort in [TaskSort::Created, TaskSort::Updated, TaskSort::Priority, TaskSort::Due, TaskSort::Title] {
            let found = store.page(&filter, sort);
            assert_eq!(found.iter().map(|task| task.id).collect::<BTreeSet<_>>(), expected, "{filter:?}");
            let sorted = |by: fn(&Task, &Task) -> bool| found.windows(2).all(|pair| by(&pair[0], &pair[1]));
            assert!(match sort {
                TaskSort::Created => sorted(|a, b| a.created >= b.created),
                TaskSort::Updated => sorted(|a, b| a.updated >= b.updated),
                TaskSort::Priority => sorted(|a, b| a.priority >= b.priority),
                TaskSort::Due => sorted(|a, b| a.due.map_or(i64::MAX, |at| at.0) <= b.due.map_or(i64::MAX, |at| at.0)),
                TaskSort::Title => sorted(|a, b| a.title.to_lowercase() <= b.title.to_lowercase()),
            });
        }
        let board = board(&store.main, PROFILE, &filter, 1_000).unwrap();
        let shown: u64 = board.columns.iter().map(|column| column.total).sum();
        assert_eq!(shown, expected.len() as u64);
    }
    let page =
        list(&store.main, PROFILE, &TaskFilter::default(), TaskSort::Created, PageRequest { offset: 50, limit: 10 });
    let page = page.unwrap();
    assert_eq!((page.total, page.offset), (120, 50));
    assert_eq!(page.items, all[50..60]);
    let counts = counts(&store.main, PROFILE).unwrap();
    assert_eq!((counts.running, counts.completed, counts.failed), (5, 8, 7));
}

#[test]
fn the_board_keeps_the_order_that_the_person_makes() {
    let store = Store::open();
    let ids: Vec<TaskId> = (0..4).map(|n| store.titled(&format!("{n}")).id).collect();
    assert_eq!(store.column(BoardColumn::Queued), ids);
    let shift = |id, column, before| shift(&store.main, store.change(), id, column, before).map(drop);
    shift(ids[3], BoardColumn::Queued, Some(ids[1])).unwrap();
    assert_eq!(store.column(BoardColumn::Queued), [ids[0], ids[3], ids[1], ids[2]]);
    shift(ids[0], BoardColumn::Queued, None).unwrap();
    assert_eq!(store.column(BoardColumn::Queued), [ids[3], ids[1], ids[2], ids[0]]);
    // Between the same two until there is no room: all move apart.
    for _ in 0..30 {
        shift(ids[0], BoardColumn::Queued, Some(ids[1])).unwrap();
        shift(ids[2], BoardColumn::Queued, Some(ids[1])).unwrap();
    }
    assert_eq!(store.column(BoardColumn::Queued), [ids[3], ids[0], ids[2], ids[1]]);
    shift(ids[2], BoardColumn::Backlog, None).unwrap();
    shift(ids[1], BoardColumn::Backlog, Some(ids[2])).unwrap();
    assert_eq!(store.column(BoardColumn::Backlog), [ids[1], ids[2]]);
    assert!(shift(ids[0], BoardColumn::Backlog, Some(ids[3])).is_err());
    assert_eq!(store.column(BoardColumn::Queued), [ids[3], ids[0]], "nothing of it was done");
    store.clock.advance_ms(1_000);
    shift(ids[0], BoardColumn::Done, None).unwrap();
    store.clock.advance_ms(1_000);
    shift(ids[3], BoardColumn::Done, None).unwrap();
    assert_eq!(store.column(BoardColumn::Done), [ids[3], ids[0]], "what ended last stands highest");
    verify(&store.main, PROFILE);
}

#[test]
fn what_depends_on_others_goes_on_or_breaks_with_them() {
    let store = Store::open();
    let needs = |on: TaskId, title: &str| {
        store.add(TaskDraft { depends_on: vec![on], ..TaskDraft::new(Some(agent(1)), title) })
    };
    let first = store.titled("first");
    let second = needs(first.id, "second");
    let third = needs(second.id, "third");
    let on = |id, on: Vec<TaskId>| {
        let update = UpdateTask { depends_on: Some(on), ..UpdateTask::default() };
        edit(&store.main, store.change(), id, update, None)
    };
    let refused = on(first.id, vec![third.id]).unwrap_err().to_string();
    assert!(refused.contains("#3 “third”"), "{refused}");
    assert!(on(first.id, vec![first.id]).is_err());
    assert!(on(first.id, vec![TaskId(Uuid::from_u128(99))]).is_err());
    let waits = |id| get(&store.main, PROFILE, id).unwrap().task.waits;
    cancel(&store.main, store.change(), vec![first.id]).unwrap();
    assert_eq!(waits(second.id), Some(Wait::Broken { id: first.id }));
    assert_eq!(waits(third.id), Some(Wait::Tasks { ids: vec![second.id] }));
    retry(&store.main, store.change(), vec![first.id]).unwrap();
    assert_eq!(waits(second.id), Some(Wait::Tasks { ids: vec![first.id] }));
    store.complete(first.id);
    assert_eq!(waits(second.id), None);
    // What was completed may go for good; what broke stays broken.
    let items = trash::tasks(&store.main, PROFILE, vec![(first.id, store.deletion())]).unwrap();
    trash::erase(&store.main, PROFILE, items[0].id, 30).unwrap();
    assert_eq!(waits(second.id), None);
    let items = trash::tasks(&store.main, PROFILE, vec![(second.id, store.deletion())]).unwrap();
    assert_eq!(waits(third.id), Some(Wait::Broken { id: second.id }));
    verify(&store.main, PROFILE);
    trash::restore(&store.main, PROFILE, items[0].id, 30).unwrap();
    assert_eq!(waits(second.id), Some(Wait::Held), "it does not run only because it came back");
    assert_eq!(waits(third.id), Some(Wait::Tasks { ids: vec![second.id] }));
    verify(&store.main, PROFILE);
}

#[test]
fn old_ones_go_with_all_that_belongs_to_them() {
    let store = Store::open();
    let day = 86_400_000;
    let (done, failed, open) = (store.titled("done"), store.titled("failed"), store.titled("open"));
    store.complete(done.id);
    let error = crate::api::ApiError::cancelled();
    store.turn(0, vec![(failed.id, End::Failed { error, retry: false, partial: None })]);
    cancel(&store.main, store.change(), vec![open.id]).unwrap();
    store.turn(0, vec![(open.id, End::Stopped)]);
    store.clock.advance_ms(40 * day);
    let ago = |days: i64| Timestamp(store.change().now.0 - days * day);
    let waiting = store.titled("waiting");
    assert_eq!(prune(&store.main, ago(90), ago(30)).unwrap(), 2, "the failed and the cancelled one");
    assert!(get(&store.main, PROFILE, failed.id).is_err());
    store.clock.advance_ms(60 * day);
    assert_eq!(prune(&store.main, ago(90), ago(30)).unwrap(), 1);
    assert_eq!(store.page(&TaskFilter::default(), TaskSort::Created).len(), 1);
    assert_eq!(get(&store.main, PROFILE, waiting.id).unwrap().task.number, 4);
    verify(&store.main, PROFILE);
    let moments = store.main.read().unwrap().table(MOMENTS).unwrap().iter().unwrap().count();
    assert_eq!(moments, 1, "only that the last one was created");
}

#[test]
fn a_profile_goes_with_its_tasks_alone() {
    let store = Store::open();
    let draft = TaskDraft { labels: vec!["x".to_owned()], ..TaskDraft::new(Some(agent(1)), "theirs") };
    store.add(draft.clone());
    let other = ProfileId(Uuid::from_u128(2));
    let new = [NewTask { id: TaskId(store.ids.next()), draft, agent_name: String::new() }];
    let change = Change { profile: other, now: NOW };
    store.main.write(move |txn| create(txn, change, &new, Origin::default(), DEFAULTS)).unwrap();
    store.main.write(|txn| remove_profile(txn, PROFILE)).unwrap();
    verify(&store.main, PROFILE);
    verify(&store.main, other);
    assert_eq!(store.page(&TaskFilter::default(), TaskSort::Created), []);
    assert_eq!(counts(&store.main, other).unwrap().pending, 1);
}

#[test]
fn samples_come_with_a_past_and_go_again() {
    let store = Store::open();
    let mut task = store.titled("a model for it");
    task.id = TaskId(store.ids.next());
    (task.number, task.sample) = (0, true);
    (task.status, task.started, task.completed) = (TaskStatus::Completed, Some(NOW), Some(NOW));
    let change = store.change();
    let made = store.main.write(move |txn| add_made(txn, change, task.clone())).unwrap();
    assert_eq!((made.number, made.column), (2, BoardColumn::Done));
    verify(&store.main, PROFILE);
    assert_eq!(detail(&store.main, PROFILE, made.id).unwrap().timeline.len(), 3);
    assert_eq!(store.main.write(move |txn| remove_samples(txn, change)).unwrap(), 1);
    assert_eq!(counts(&store.main, PROFILE).unwrap().completed, 0);
    verify(&store.main, PROFILE);
}
