//! What is told, once each, and what is not.

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::clock::ManualClock;
use crate::engine::tests::engine_with;
use crate::model::{
    ActivityId, ApprovalState, BoardColumn, Happening, PageRequest, Priority, ProposedAction, RunId, TaskOutput,
    Timestamp,
};

const NOW: Timestamp = Timestamp(1_760_000_000_000);

fn task(status: TaskStatus) -> Task {
    Task {
        id: TaskId(Uuid::from_u128(7)),
        number: 12,
        agent: Some(AgentId(Uuid::from_u128(8))),
        agent_name: "Analyst".to_owned(),
        title: "Sum up".to_owned(),
        description: String::new(),
        status,
        column: BoardColumn::Done,
        position: 0,
        priority: Priority::Medium,
        input: serde_json::Value::Null,
        output: Some(TaskOutput { text: "\nAll is well.\nMore.".to_owned(), ..TaskOutput::default() }),
        error: None,
        retries: 0,
        max_retries: 0,
        time_limit_s: 60,
        execution_ms: 5,
        not_before: None,
        due: None,
        labels: Vec::new(),
        depends_on: Vec::new(),
        schedule: None,
        parent: None,
        waits: None,
        progress: None,
        created: NOW,
        started: Some(NOW),
        completed: Some(NOW),
        updated: NOW,
        sample: false,
    }
}

#[test]
fn ends_of_tasks_are_news() {
    let (done, at) = of_task(&task(TaskStatus::Completed)).unwrap();
    assert_eq!(
        (done.kind, done.title.as_str(), done.detail.as_str(), at),
        (NotificationKind::Done, "“Sum up” is done", "Analyst: All is well.", NOW.0)
    );
    let mut failed = task(TaskStatus::Failed);
    failed.error = Some(ApiError::validation("the file is gone", "Put it back."));
    assert_eq!(of_task(&failed).unwrap().0.detail, "Analyst: the file is gone");
    assert!(of_task(&task(TaskStatus::Running)).is_none() && of_task(&task(TaskStatus::Cancelled)).is_none());
    let mut own = task(TaskStatus::Completed);
    own.agent = None;
    assert!(of_task(&own).is_none());
    let mut cut_off = task(TaskStatus::Pending);
    cut_off.waits = Some(Wait::Repeat { done: Vec::new() });
    assert_eq!(of_task(&cut_off).unwrap().0.kind, NotificationKind::NeedsYou);
}

#[test]
fn what_happens_is_told_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_with(folder.path(), Arc::new(ManualClock::at(NOW)), None);
    let ctx = engine.context().clone();
    let mut listener = ctx.events.listen();
    ctx.spawn_worker("notifications", run);
    let mut next = |wanted: usize| {
        let mut found = Vec::new();
        while found.len() < wanted {
            match listener.next() {
                Heard::Event(EventEnvelope { event: Event::NotificationAdded { notification }, .. }) => {
                    found.push(notification);
                }
                Heard::Event(_) | Heard::Gap(_) => {}
                Heard::Closed => panic!("closed"),
            }
        }
        found
    };
    // Said until the worker listens: it tells the first of them alone.
    ctx.notify(News::new(NotificationKind::Info, "Hello", "x".repeat(900)));
    assert_eq!(next(1)[0].detail.chars().count(), LONGEST + 1);
    let done = Event::TaskChanged { task: Box::new(task(TaskStatus::Completed)) };
    let ready = std::time::Instant::now();
    while notifications::list(ctx.databases.main(), ctx.profile, false, PageRequest::default()).unwrap().total < 2 {
        assert!(ready.elapsed().as_secs() < 30, "the worker does not listen");
        ctx.publish(done.clone());
        std::thread::yield_now();
    }
    let mut old = task(TaskStatus::Failed);
    old.completed = Some(Timestamp(NOW.0 - NEWS_MS));
    ctx.publish(Event::TaskChanged { task: Box::new(old) });
    let approval = Approval {
        id: ApprovalId(Uuid::from_u128(1)),
        at: NOW,
        agent: AgentId(Uuid::from_u128(8)),
        agent_name: "Analyst".to_owned(),
        task: None,
        task_title: "Sum up".to_owned(),
        run: RunId(Uuid::from_u128(3)),
        tool: "write_file".to_owned(),
        title: "Write report.md".to_owned(),
        action: ProposedAction::Question { question: "May I?".to_owned(), choices: Vec::new() },
        always: None,
        influenced_by: Vec::new(),
        state: ApprovalState::Waiting,
        answered: None,
    };
    ctx.publish(Event::ApprovalAsked { approval: Box::new(approval.clone()) });
    let missed = Happening::new("schedule.missed", "Digest was missed twice");
    ctx.publish(Event::ActivityCreated { activity: missed.kept(ActivityId(Uuid::from_u128(4)), NOW) });
    let told = next(3);
    let titles: Vec<&str> = told.iter().map(|told| told.title.as_str()).collect();
    assert_eq!(titles, ["“Sum up” is done", "Analyst asks: Write report.md", "Digest was missed twice"]);
    // An answer makes the question old.
    ctx.publish(Event::ApprovalEnded { approval: Box::new(approval) });
    loop {
        if let Heard::Event(EventEnvelope { event: Event::NotificationsChanged, .. }) = listener.next() {
            break;
        }
    }
    let unread = notifications::list(ctx.databases.main(), ctx.profile, true, PageRequest::default()).unwrap();
    assert_eq!(unread.total, 3);
    assert!(unread.items.iter().all(|told| told.approval.is_none()));
}
