//! Rules of tasks, one by one and at random.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::model::AgentId;

const NOW: Timestamp = Timestamp(1_760_000_000_000);

fn entry(agent: bool, held: bool, max_retries: u32) -> Entry {
    let agent = agent.then(|| AgentId(Uuid::from_u128(7)));
    let draft = TaskDraft { held, ..TaskDraft::new(agent, "Sort the post") };
    let defaults = Defaults { max_retries, time_limit_s: 60 };
    let mut entry =
        Entry::new(TaskId(Uuid::from_u128(1)), 1, draft, "Ada".to_owned(), Origin::default(), defaults, NOW);
    entry.settle(&Needs::Met, NOW);
    entry
}

fn failure(retry: bool) -> End {
    let error = ApiError::new(ErrorCategory::Processing, "no answer", "Try again.");
    End::Failed { error, retry, partial: None }
}

const PAUSE: Pause = Pause { base_s: 5, random: 0 };

#[test]
fn what_a_task_waits_for_has_an_order() {
    let one = TaskId(Uuid::from_u128(2));
    let mut task = entry(true, true, 3);
    assert_eq!((task.task.waits.clone(), task.column()), (Some(Wait::Held), BoardColumn::Backlog));
    task.held = false;
    task.task.not_before = Some(Timestamp(NOW.0 + 1_000));
    task.settle(&Needs::Broken(one), NOW);
    assert_eq!(task.task.waits, Some(Wait::Broken { id: one }));
    task.settle(&Needs::Open(vec![one]), NOW);
    assert_eq!(task.task.waits, Some(Wait::Tasks { ids: vec![one] }));
    task.settle(&Needs::Met, NOW);
    assert_eq!(task.task.waits, Some(Wait::Until { at: Timestamp(NOW.0 + 1_000) }));
    task.settle(&Needs::Met, Timestamp(NOW.0 + 1_000));
    assert!(task.is_ready());
    let own = entry(false, false, 3);
    assert_eq!((own.task.waits.clone(), own.is_ready()), (Some(Wait::Nobody), false));
}

#[test]
fn a_failed_try_is_made_again_after_a_pause_until_there_are_no_more() {
    let mut task = entry(true, false, 1);
    let lease = task.start(NOW);
    task.end(&lease, failure(true), 40, PAUSE, NOW);
    task.settle(&Needs::Met, NOW);
    assert_eq!(task.task.waits, Some(Wait::Until { at: Timestamp(NOW.0 + 5_000) }));
    assert_eq!((task.task.retries, task.resumes), (1, None));
    let lease = task.start(Timestamp(NOW.0 + 5_000));
    assert_eq!(lease.number, 2);
    task.end(&lease, failure(true), 2, PAUSE, NOW);
    assert_eq!((task.task.status, task.task.execution_ms), (TaskStatus::Failed, 42));
    let mut hopeless = entry(true, false, 3);
    let lease = hopeless.start(NOW);
    hopeless.end(&lease, failure(false), 0, PAUSE, NOW);
    assert_eq!(hopeless.task.status, TaskStatus::Failed);
}

#[test]
fn a_try_that_changed_something_outside_goes_on_from_there() {
    let mut task = entry(true, false, 3);
    let mut lease = task.start(NOW);
    lease.run = Some(RunId(Uuid::from_u128(9)));
    lease.done.push("wrote a.md".to_owned());
    task.end(&lease, failure(true), 0, PAUSE, NOW);
    assert_eq!(task.resumes, lease.run);
    // Nor is it forgotten when the next try fails before it changes anything.
    let next = task.start(NOW);
    task.end(&next, failure(true), 0, PAUSE, NOW);
    assert_eq!(task.resumes, lease.run);
    task.begin_anew(false, NOW);
    assert_eq!(task.resumes, None);
}

#[test]
fn what_was_cut_off_in_the_middle_of_a_change_asks_first() {
    let mut task = entry(true, false, 3);
    let mut lease = task.start(NOW);
    lease.run = Some(RunId(Uuid::from_u128(9)));
    lease.open.push("writing a.md".to_owned());
    for properly in [true, false] {
        let mut cut = task.clone();
        cut.cut_off(&lease, properly, NOW);
        assert_eq!(cut.column(), BoardColumn::NeedsYou);
        cut.settle(&Needs::Met, NOW);
        assert!(!cut.is_ready(), "the word is still needed");
        let mut no = cut.clone();
        no.allow_repeat(false, NOW).unwrap();
        assert_eq!(no.task.status, TaskStatus::Failed);
        assert!(no.task.error.unwrap().message.contains("writing a.md"));
        cut.allow_repeat(true, NOW).unwrap();
        cut.settle(&Needs::Met, NOW);
        assert!(cut.is_ready() && cut.may_repeat);
        let again = cut.start(NOW);
        assert_eq!((again.run, again.may_repeat, again.number), (lease.run, true, 1));
        // Cut off before the permission was used: it is still there.
        cut.cut_off(&again, true, NOW);
        assert!(cut.may_repeat);
        assert!(cut.allow_repeat(true, NOW).is_err());
    }
}

#[test]
fn a_task_that_takes_the_program_down_with_it_is_given_up() {
    let mut task = entry(true, false, 2);
    for _ in 0..2 {
        let lease = task.start(NOW);
        task.cut_off(&lease, false, NOW);
        assert_eq!(task.task.status, TaskStatus::Pending);
    }
    // An end in good order, and one while it waits for the person, say nothing about the task.
    let lease = task.start(NOW);
    task.cut_off(&lease, true, NOW);
    let lease = Lease { waiting: true, ..task.start(NOW) };
    task.cut_off(&lease, false, NOW);
    assert_eq!((task.task.status, task.task.retries), (TaskStatus::Pending, 0));
    let lease = task.start(NOW);
    task.cut_off(&lease, false, NOW);
    assert_eq!(task.task.status, TaskStatus::Failed);
    assert!(task.task.error.unwrap().message.contains("3 times"));
}

#[test]
fn what_was_cancelled_ends_as_cancelled_however_it_ends() {
    for end in [End::Completed(TaskOutput::default()), failure(true), failure(false), End::Stopped] {
        let mut task = entry(true, false, 3);
        let lease = Lease { cancelled: true, ..task.start(NOW) };
        task.end(&lease, end, 0, PAUSE, NOW);
        assert_eq!(task.task.status, TaskStatus::Cancelled);
    }
}

#[test]
fn columns_have_meanings() {
    use BoardColumn::{Backlog, Done, NeedsYou, Queued, Running};
    let moved = |mut entry: Entry, to: BoardColumn| entry.move_to(to, false, NOW).map(|()| entry);
    let queued = || entry(true, false, 3);
    assert_eq!(moved(queued(), Backlog).unwrap().column(), Backlog);
    assert_eq!(moved(entry(true, true, 3), Queued).unwrap().column(), Queued);
    assert_eq!(moved(queued(), Done).unwrap().task.status, TaskStatus::Cancelled);
    assert_eq!(moved(entry(false, false, 3), Done).unwrap().task.status, TaskStatus::Completed);
    assert_eq!(moved(entry(false, false, 3), Running).unwrap().column(), Running);
    let done = || moved(queued(), Done).unwrap();
    assert_eq!(moved(done(), Queued).unwrap().column(), Queued);
    assert_eq!(moved(done(), Backlog).unwrap().column(), Backlog);
    for refused in
        [moved(queued(), Running), moved(queued(), NeedsYou), moved(done(), NeedsYou), moved(done(), Running)]
    {
        assert!(!refused.unwrap_err().is_empty());
    }
    let mut running = queued();
    running.start(NOW);
    for to in [Backlog, Queued] {
        assert!(running.move_to(to, true, NOW).unwrap_err().contains("cancel"));
    }
}

#[derive(Clone, Debug)]
enum Happens {
    Start,
    Complete,
    Fail { retry: bool },
    Stop,
    Crash,
    EffectBegins,
    EffectEnds,
    Cancel,
    Retry,
    Allow(bool),
    Move(BoardColumn),
    Later,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => Just(Happens::Start),
        1 => Just(Happens::Complete),
        1 => any::<bool>().prop_map(|retry| Happens::Fail { retry }),
        1 => Just(Happens::Stop),
        1 => Just(Happens::Crash),
        2 => Just(Happens::EffectBegins),
        1 => Just(Happens::EffectEnds),
        1 => Just(Happens::Cancel),
        1 => Just(Happens::Retry),
        1 => any::<bool>().prop_map(Happens::Allow),
        1 => (0_usize..5).prop_map(|at| Happens::Move(BoardColumn::ALL[at])),
        2 => Just(Happens::Later),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever happens in whatever order: a task is in one state that fits its column, what has ended stays so until
    /// the person wants otherwise, and a change outside that was begun is never made again without a word.
    #[test]
    fn whatever_happens_the_rules_hold(
        agent: bool, held: bool, max_retries in 0_u32..3, steps in proptest::collection::vec(happens(), 1..60)
    ) {
        let mut task = entry(agent, held, max_retries);
        let mut lease: Option<Lease> = None;
        let (mut now, mut unanswered, mut changed) = (NOW, false, false);
        for step in steps {
            let was = task.clone();
            match step {
                Happens::Start if task.is_ready() => {
                    prop_assert!(!unanswered, "begun again without the person's word");
                    let mut taken = task.start(now);
                    prop_assert!(!changed || taken.run.is_some(), "what was changed would be changed again");
                    taken.run = taken.run.or(Some(RunId(Uuid::from_u128(9))));
                    lease = Some(taken);
                }
                Happens::EffectBegins => {
                    if let Some(lease) = &mut lease {
                        lease.open.push("changing it".to_owned());
                    }
                }
                Happens::EffectEnds => {
                    if let Some(lease) = &mut lease {
                        changed |= !lease.open.is_empty();
                        lease.done.extend(lease.open.pop());
                    }
                }
                Happens::Complete => {
                    if let Some(lease) = lease.take() {
                        task.end(&lease, End::Completed(TaskOutput::default()), 1, PAUSE, now);
                    }
                }
                Happens::Fail { retry } => {
                    if let Some(lease) = lease.take() {
                        task.end(&lease, failure(retry), 1, PAUSE, now);
                        unanswered = !lease.open.is_empty();
                    }
                }
                Happens::Stop | Happens::Crash => {
                    if let Some(lease) = lease.take() {
                        task.cut_off(&lease, matches!(step, Happens::Stop), now);
                        unanswered = !lease.open.is_empty();
                    }
                }
                Happens::Cancel => match &mut lease {
                    Some(lease) => lease.cancelled = true,
                    None => drop(task.cancel(now)),
                },
                Happens::Retry if matches!(task.task.status, TaskStatus::Failed | TaskStatus::Cancelled) => {
                    task.begin_anew(false, now);
                    (unanswered, changed) = (false, false);
                }
                Happens::Allow(repeat) => {
                    if task.allow_repeat(repeat, now).is_ok() {
                        unanswered = false;
                    }
                }
                Happens::Move(column) => {
                    if !(lease.is_some() && column == BoardColumn::Done) && task.move_to(column, lease.is_some(), now).is_ok() {
                        unanswered &= !was.task.status.is_final();
                        changed &= !was.task.status.is_final();
                    }
                }
                Happens::Later => now = Timestamp(now.0 + 7_200_000),
                Happens::Start | Happens::Retry => {}
            }
            task.settle(&Needs::Met, now);
            let status = task.task.status;
            prop_assert_eq!(lease.is_some(), status == TaskStatus::Running && task.task.agent.is_some());
            prop_assert_eq!(status.is_final(), task.task.completed.is_some());
            prop_assert_eq!(status.is_final(), task.column() == BoardColumn::Done);
            prop_assert!(task.task.retries <= task.task.max_retries);
            if status.is_final() {
                prop_assert!(task.task.waits.is_none() && task.resumes.is_none() && !task.held);
            }
            if was.task.status.is_final() && status != was.task.status {
                prop_assert!(matches!(step, Happens::Retry | Happens::Move(_)), "{:?} after {:?}", step, was.task.status);
            }
        }
    }
}
