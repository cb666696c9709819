//! Tests of the page "Dashboard" by accessible label.

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use rspa_core::api::ApiError;
use rspa_core::model::*;

use super::DashboardView;
use crate::commands::pages::approvals::ApprovalsCommand;
use crate::commands::pages::dashboard::DashboardCommand;
use crate::commands::{Action, UiCommand};
use crate::fixtures::{self, NOW, Stage, page, task};
use crate::state::{AppState, Slot};

const WIDE: (f32, f32) = (1096.0, 774.0);

fn overview() -> Overview {
    let recent = Happening::new("source.indexed", "Read ~/notes").kept(ActivityId(uuid::Uuid::nil()), NOW);
    Overview {
        at: NOW,
        sources: 3,
        documents: 751,
        passages: 9_014,
        problems: 0,
        chats: 2,
        questions: 214,
        questions_per_day: vec![10],
        model_seconds_per_day: vec![102.0],
        network: NetworkStatus {
            policy: NetworkPolicy::Nothing,
            forbid_cloud: false,
            active: false,
            bytes_sent: 0,
            hosts: vec![],
            requests_allowed: 0,
            requests_blocked: 0,
            bytes_received: 0,
        },
        ledger: vec![],
        recent: vec![recent],
        memory_bytes: 1,
        memory_total_bytes: 2,
        data_folder: "/home/ada/.local/share/rspa".into(),
        data_bytes: 61_000_000,
        disk_free_bytes: 81_000_000_000,
        degraded: vec![],
    }
}

fn figures() -> Dashboard {
    let point = |back: i64, completed, failed| TrendPoint {
        at: Timestamp(NOW.0 - back * 86_400_000),
        created: completed + failed + 1,
        completed,
        failed,
        execution_s: 90.0,
        model_s: 60.0,
        activities: 12,
    };
    let mut running = task(1, "Review the scheduler");
    (running.status, running.column) = (TaskStatus::Running, BoardColumn::Running);
    running.started = Some(Timestamp(NOW.0 - 102_000));
    running.progress = Some(TaskProgress { step: 3, most: 4, doing: "reading queue.rs".into() });
    let mut asks = task(5, "Write report.md");
    asks.column = BoardColumn::NeedsYou;
    let mut failed = task(7, "Fetch the feed");
    (failed.status, failed.column) = (TaskStatus::Failed, BoardColumn::Done);
    failed.error = Some(ApiError::validation("this profile allows no network", "Allow the host."));
    let mut done = task(8, "Clean the sales table");
    (done.status, done.column, done.execution_ms) = (TaskStatus::Completed, BoardColumn::Done, 45_000);
    Dashboard {
        at: NOW,
        agents: 6,
        agents_active: 4,
        tasks: TaskCounts {
            pending: 2,
            running: 1,
            completed: 38,
            failed: 2,
            cancelled: 0,
            needs_you: 1,
            paused: false,
        },
        success_rate: Some(0.962),
        success_rate_before: Some(0.948),
        execution_hours: 1.5,
        execution_hours_before: 1.0,
        completed: 38,
        completed_before: 34,
        model_s: 2_460.0,
        model_s_before: 2_674.0,
        activities_24h: 12,
        trend: vec![point(6, 3, 0), point(1, 5, 1), point(0, 4, 0)],
        running: vec![running],
        next: vec![task(2, "Sum up the interviews")],
        ended: vec![done, failed.clone()],
        schedules: vec![],
        approvals: vec![fixtures::approval(1, "Write report.md, 48 lines", fixtures::write_file(fixtures::DIFF))],
        needs_you: vec![asks, failed],
        problems: vec![],
    }
}

fn state(figures: Slot<Dashboard>) -> AppState {
    let mut state = fixtures::state();
    state.overview = Slot::with(overview());
    state.pages.dashboard.figures = figures;
    state
}

fn open(figures: Slot<Dashboard>, size: (f32, f32)) -> Harness<'static, Stage<DashboardView>> {
    let mut harness = page::<DashboardView>(state(figures), size, true);
    harness.run();
    harness
}

#[test]
fn figures_are_told_with_what_they_were_before() {
    let harness = open(Slot::with(figures()), WIDE);
    for words in ["38", "+12 %", "96.2 %", "+1.4", "41 m 00 s", "−8.0 %", "0 bytes", "policy: nothing", "214 in all"]
    {
        harness.get_by_label(words);
    }
    harness.get_by_label("Since yesterday: 9 tasks done, 1 failed, 1 needs you.");
}

#[test]
fn rows_lead_to_their_tasks() {
    let mut harness = open(Slot::with(figures()), WIDE);
    harness.get_by_label("Review the scheduler, Analyst, step 3 of 4 · reading queue.rs").click();
    harness.run();
    harness.get_by_label("Clean the sales table, Analyst, completed").click();
    harness.run();
    let opened: Vec<_> = harness.state().commands.iter().filter(|c| matches!(c, UiCommand::OpenTask(_))).collect();
    assert_eq!(opened, [&UiCommand::OpenTask(task(1, "").id), &UiCommand::OpenTask(task(8, "").id)]);
}

#[test]
fn what_needs_the_person_has_a_button() {
    let mut harness = open(Slot::with(figures()), WIDE);
    harness.get_by_label("Decide: Write report.md, 48 lines").click();
    harness.run();
    harness.get_by_label("Look: Fetch the feed").click();
    harness.run();
    // It stands there once, as the approval that it waits for.
    assert!(harness.query_by_label("Look: Write report.md").is_none());
    let commands = &harness.state().commands;
    let approval = fixtures::approval(1, "", fixtures::write_file(fixtures::DIFF)).id;
    assert!(commands.contains(&UiCommand::Approvals(ApprovalsCommand::Show(Some(approval)))));
    assert!(commands.contains(&UiCommand::OpenTask(task(7, "").id)));
}

#[test]
fn another_window_and_another_course_can_be_chosen() {
    let mut harness = open(Slot::with(figures()), WIDE);
    harness.get_by_label("30 days").click();
    harness.run();
    assert!(harness.state().commands.contains(&UiCommand::Dashboard(DashboardCommand::Window(30))));
    harness.get_by_label("Working time").click();
    harness.run();
    let images = || harness.query_all_by_role(egui::Role::Image).filter_map(|node| node.accesskit_node().label());
    assert!(images().any(|words| words.starts_with("Chart Working time")), "{:?}", images().collect::<Vec<_>>());
}

#[test]
fn a_new_profile_is_shown_how_to_begin() {
    let mut new = figures();
    (new.agents, new.tasks) = (0, TaskCounts::default());
    for list in [&mut new.running, &mut new.next, &mut new.ended, &mut new.needs_you] {
        list.clear();
    }
    new.approvals.clear();
    let mut harness = open(Slot::with(new), WIDE);
    harness.get_by_label("Add sample data").click();
    harness.run();
    harness.get_by_label("New agent").click();
    harness.run();
    let commands = &harness.state().commands;
    assert!(commands.contains(&UiCommand::Dashboard(DashboardCommand::AddSample)));
    assert!(commands.contains(&UiCommand::Run(Action::NewAgent)));
}

#[test]
fn what_could_not_be_read_is_said_and_small_windows_show_it_all() {
    let mut some = figures();
    some.problems = vec!["schedules: the disk is full".to_owned()];
    let harness = open(Slot::with(some), (480.0, 320.0));
    harness.get_by_label_contains("schedules: the disk is full");
    let failed = open(Slot::failed(ApiError::validation("The figures are away", "Wait.")), WIDE);
    failed.get_by_label_contains("The figures are away");
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "dashboard_dark"), (false, "dashboard_light")] {
        let mut harness = page::<DashboardView>(state(Slot::with(figures())), (1096.0, 900.0), dark);
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
