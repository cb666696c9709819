//! The dashboard and the notification centre through core's one door.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail like the test itself")]

use std::collections::BTreeMap;
use std::sync::Arc;

use rspa_core::api::request::agents::{AddSampleData, ListAgents};
use rspa_core::api::request::dashboard::GetDashboard;
use rspa_core::api::request::notifications::{ClearNotifications, ListNotifications, MarkRead};
use rspa_core::api::request::tasks::{CountTasks, CreateTasks, MoveTask};
use rspa_core::api::{Core, CoreOptions, ErrorCategory, Role};
use rspa_core::clock::ManualClock;
use rspa_core::model::{
    AgentFilter, AgentStatus, BoardColumn, Dashboard, NotificationId, PageRequest, TaskDraft, Timestamp,
};

fn start(folder: &std::path::Path) -> Core {
    Core::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(folder.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), folder.display().to_string())]),
        console_level: None,
        chat_model: None,
        faults: None,
        clock: Arc::new(ManualClock::at(Timestamp(1_760_000_000_000))),
    })
    .unwrap()
}

fn dashboard(core: &Core, days: u32) -> Dashboard {
    core.call(GetDashboard { days }).wait().unwrap()
}

#[test]
fn a_new_profile_has_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let new = dashboard(&core, 7);
    assert_eq!((new.agents, new.completed, new.success_rate, new.trend.len()), (0, 0, None, 7));
    assert!(new.running.is_empty() && new.next.is_empty() && new.ended.is_empty() && new.needs_you.is_empty());
    assert_eq!(new.problems, Vec::<String>::new());
    assert_eq!(dashboard(&core, 1).trend.len(), 24);
    assert_eq!(dashboard(&core, 10_000).trend.len(), 365, "the longest window");
}

#[test]
fn figures_are_those_of_the_families() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    assert!(core.call(AddSampleData {}).wait().unwrap() > 0);
    let own = core.call(CreateTasks { drafts: vec![TaskDraft::new(None, "Call Ada")] }).wait().unwrap().remove(0);
    let shown = dashboard(&core, 90);
    let agents = core.call(ListAgents { filter: AgentFilter::default() }).wait().unwrap();
    let active = agents.iter().filter(|agent| agent.status == AgentStatus::Active).count();
    assert_eq!((shown.agents, shown.agents_active), (agents.len() as u64, active as u64));
    assert_eq!(shown.tasks, core.call(CountTasks {}).wait().unwrap());
    let done: u64 = shown.trend.iter().map(|point| u64::from(point.completed)).sum();
    assert_eq!(shown.completed, done);
    let counted: u64 = agents.iter().map(|agent| agent.completed).sum();
    assert!(done > 0 && done + shown.completed_before <= counted, "{done} of {counted}");
    assert!(shown.success_rate.is_some_and(|rate| rate > 0.0 && rate <= 1.0));
    let seconds: f64 = shown.trend.iter().map(|point| point.execution_s).sum();
    assert!((shown.execution_hours - seconds / 3600.0).abs() < 1e-6 && seconds > 0.0);
    assert!(shown.trend.iter().map(|point| point.created).sum::<u32>() >= 1);
    assert!(shown.activities_24h > 0);
    // The person's own task moves through the lists.
    core.call(MoveTask { id: own.id, column: BoardColumn::Done, before: None }).wait().unwrap();
    let shown = dashboard(&core, 90);
    assert!(shown.ended.iter().any(|task| task.id == own.id));
    assert_eq!(shown.problems, Vec::<String>::new());
}

#[test]
fn notifications_are_listed_read_and_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let list = |unread| core.call(ListNotifications { unread, page: PageRequest::default() }).wait().unwrap();
    assert_eq!(list(false).total, 0);
    assert_eq!(core.call(MarkRead { id: None }).wait().unwrap(), 0);
    core.call(ClearNotifications { id: None }).wait().unwrap();
    let unknown = NotificationId(uuid::Uuid::from_u128(1));
    let error = core.call(ClearNotifications { id: Some(unknown) }).wait().unwrap_err();
    assert_eq!(error.category, ErrorCategory::Validation);
}
