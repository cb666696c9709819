//! The page: its states, the switch, the form that speaks, history that opens tasks, background agents that ask.

use std::collections::BTreeMap;

use egui_kittest::kittest::Queryable;
use rspa_core::api::ApiError;
use rspa_core::model::{
    BackgroundAgent, BackgroundNeed, Missed, NextRun, Page as ListPage, Priority, Schedule, ScheduleDraft, ScheduleId,
    ScheduleOutcome, ScheduleRun, TaskId, TaskTemplate, Timing, TimingPreview,
};

use super::*;
use crate::fixtures::{NOW, page};
use crate::state::{AppState, Slot};

const SIZE: (f32, f32) = (1096.0, 700.0);
const HOUR: i64 = 3_600_000;

fn schedule(number: u128, name: &str) -> Schedule {
    let template = TaskTemplate {
        agent: None,
        title: "Report of {date}".to_owned(),
        description: String::new(),
        priority: Priority::Medium,
        input: serde_json::Value::Null,
        labels: Vec::new(),
        max_retries: None,
        time_limit_s: None,
    };
    Schedule {
        id: ScheduleId(uuid::Uuid::from_u128(number)),
        settings: ScheduleDraft {
            name: name.to_owned(),
            timing: Timing::Cron { expression: "0 7 * * 1-5".to_owned(), zone: "Europe/Berlin".to_owned() },
            template,
            variables: BTreeMap::new(),
            missed: Missed::RunOnce,
            enabled: true,
        },
        agent_name: "Reporter".to_owned(),
        words: "At 07:00 on Monday to Friday, Europe/Berlin time".to_owned(),
        last_run: Some(Timestamp(NOW.0 - 2 * HOUR)),
        last_outcome: Some(ScheduleOutcome::Ran { task: TaskId(uuid::Uuid::from_u128(9)), late: false }),
        next_run: Some(Timestamp(NOW.0 + 3 * HOUR)),
        runs: 12,
        problem: None,
        background: None,
        created: NOW,
        updated: NOW,
        sample: false,
    }
}

fn background(kind: &str, name: &str, needs: &[&str]) -> BackgroundAgent {
    let need = |name: &&str| BackgroundNeed {
        name: (*name).to_owned(),
        label: (*name).to_owned(),
        default: String::new(),
        is_path: false,
    };
    BackgroundAgent {
        kind: kind.to_owned(),
        name: name.to_owned(),
        description: "Looks after things.".to_owned(),
        needs: needs.iter().map(need).collect(),
        on: false,
        agent: None,
        schedule: None,
    }
}

fn state(list: Vec<Schedule>) -> AppState {
    let mut state = AppState { now: NOW, ..AppState::default() };
    let page = &mut state.pages.schedules;
    page.list = Slot::with(list);
    page.background =
        Slot::with(vec![background("digest", "Digest", &[]), background("research", "Research", &["Question"])]);
    page.agents = Slot::with(Vec::new());
    state
}

fn commands(harness: &mut egui_kittest::Harness<'_, crate::fixtures::Stage<SchedulesView>>) -> Vec<UiCommand> {
    harness.run();
    harness.state_mut().commands.drain(..).collect()
}

#[test]
fn every_state_says_what_it_is() {
    let mut harness = page::<SchedulesView>(state(Vec::new()), SIZE, true);
    harness.run();
    harness.get_by_label("No schedules yet");
    harness.get_by_label("Background agents");
    let mut harness = page::<SchedulesView>(AppState::default(), SIZE, false);
    harness.run();
    assert!(harness.get_all_by_label("Reading schedules").next().is_some());
    assert!(harness.state().commands.contains(&UiCommand::Schedules(SchedulesCommand::Refresh)));
    let mut failed = state(Vec::new());
    failed.pages.schedules.list = Slot::failed(ApiError::validation("it broke", "try"));
    let mut harness = page::<SchedulesView>(failed, SIZE, false);
    harness.run();
    harness.get_by_label("Try again").click();
    assert!(commands(&mut harness).contains(&UiCommand::Schedules(SchedulesCommand::Refresh)));
}

#[test]
fn a_row_is_chosen_and_switched() {
    let one = schedule(1, "Weekly report");
    let id = one.id;
    let mut harness = page::<SchedulesView>(state(vec![one]), SIZE, true);
    harness.run();
    harness.get_by_label("Weekly report on or off").click();
    let off = UiCommand::Schedules(SchedulesCommand::Enable { id, enabled: false });
    assert!(commands(&mut harness).contains(&off));
    harness.get_by_label("Weekly report").click();
    assert!(commands(&mut harness).contains(&UiCommand::Schedules(SchedulesCommand::Choose(Some(id)))));
}

#[test]
fn the_chosen_one_is_run_deleted_and_its_history_opens_tasks() {
    let one = schedule(1, "Weekly report");
    let (id, task) = (one.id, TaskId(uuid::Uuid::from_u128(9)));
    let mut state = state(vec![one]);
    let runs = [ScheduleOutcome::Ran { task, late: false }, ScheduleOutcome::Missed { times: 3 }];
    let items: Vec<ScheduleRun> =
        runs.into_iter().map(|outcome| ScheduleRun { planned: Timestamp(NOW.0 - HOUR), at: NOW, outcome }).collect();
    state.pages.schedules.chosen = Some(id);
    state.pages.schedules.runs = Slot::with(ListPage { total: 2, items, offset: 0 });
    let mut harness = page::<SchedulesView>(state, SIZE, false);
    harness.run();
    for (label, command) in [
        ("Run now", SchedulesCommand::RunNow(id)),
        ("Delete", SchedulesCommand::Delete(id)),
        ("Close", SchedulesCommand::Choose(None)),
    ] {
        harness.get_by_label(label).click();
        assert!(commands(&mut harness).contains(&UiCommand::Schedules(command)), "{label}");
    }
    let when = crate::text::moment(Timestamp(NOW.0 - HOUR));
    harness.get_all_by_label(&when).next().unwrap().click();
    assert!(commands(&mut harness).contains(&UiCommand::OpenTask(task)));
}

#[test]
fn the_form_speaks_while_it_is_typed_and_saves() {
    let mut state = state(Vec::new());
    let timing = Timing::Cron { expression: "0 7 * * 1-5".to_owned(), zone: String::new() };
    state.pages.schedules.timing = Some(timing.clone());
    let next = NextRun { at: NOW, words: "tomorrow, Sat 21 Nov at 07:00".to_owned() };
    state.pages.schedules.preview =
        Slot::with(TimingPreview { words: "At 07:00 on Monday to Friday".to_owned(), next: vec![next] });
    state.pages.schedules.wants_form = true;
    let mut harness = page::<SchedulesView>(state, SIZE, true);
    harness.step();
    harness.state_mut().state.pages.schedules.wants_form = false;
    assert!(commands(&mut harness).contains(&UiCommand::Schedules(SchedulesCommand::FormOpened)));
    harness.get_by_label("At 07:00 on Monday to Friday");
    harness.get_by_label("tomorrow, Sat 21 Nov at 07:00");
    harness.get_by_role_and_label(egui::Role::TextInput, "Name").focus();
    harness.run();
    harness.get_by_role_and_label(egui::Role::TextInput, "Name").type_text("Morning");
    harness.run();
    harness.get_by_label("Each hour").click();
    let typed = Timing::Cron { expression: "0 * * * *".to_owned(), zone: String::new() };
    assert!(commands(&mut harness).contains(&UiCommand::Schedules(SchedulesCommand::Preview(typed.clone()))));
    harness.get_by_label("Save").click();
    let saved = commands(&mut harness);
    let draft = saved.iter().find_map(|command| match command {
        UiCommand::Schedules(SchedulesCommand::Save { id: None, draft }) => Some(draft),
        _ => None,
    });
    let draft = draft.unwrap_or_else(|| panic!("{saved:?}"));
    assert_eq!((draft.name.as_str(), draft.template.title.as_str()), ("Morning", "Morning"));
    assert_eq!(draft.timing, typed);
    // What was saved closes the form.
    harness.state_mut().state.pages.schedules.saved += 1;
    harness.run();
    harness.get_by_label("Background agents");
}

#[test]
fn background_agents_ask_for_what_they_need() {
    let mut harness = page::<SchedulesView>(state(vec![schedule(1, "Weekly report")]), SIZE, true);
    harness.run();
    harness.get_by_label("Digest on or off").click();
    let on = SchedulesCommand::Switch { kind: "digest".to_owned(), on: true, values: BTreeMap::new() };
    assert!(commands(&mut harness).contains(&UiCommand::Schedules(on)));
    harness.get_by_label("Research on or off").click();
    harness.run();
    let field = || (egui::Role::TextInput, "Question");
    harness.get_by_role_and_label(field().0, field().1).focus();
    harness.run();
    harness.get_by_role_and_label(field().0, field().1).type_text("rust");
    harness.run();
    harness.get_by_label("Switch on").click();
    let values = BTreeMap::from([("Question".to_owned(), "rust".to_owned())]);
    let on = SchedulesCommand::Switch { kind: "research".to_owned(), on: true, values };
    assert!(commands(&mut harness).contains(&UiCommand::Schedules(on)));
}

#[test]
fn many_schedules_and_long_names_are_drawn() {
    let long = "An endless name that goes on and on ".repeat(10);
    let list: Vec<Schedule> = (0..100_000).map(|n| schedule(n, &format!("{n} {long}"))).collect();
    let mut harness = page::<SchedulesView>(state(list), SIZE, true);
    harness.run();
    let begun = std::time::Instant::now();
    harness.step();
    assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
    let mut narrow = page::<SchedulesView>(state(vec![schedule(1, &long)]), (420.0, 500.0), false);
    narrow.run();
}

#[test]
fn the_next_time_is_said_as_people_do() {
    let at = |ms: i64| until(Timestamp(NOW.0 + ms), NOW);
    assert_eq!(at(-5), "now");
    assert_eq!(at(61_000), "in 2 min");
    assert!(at(9 * 24 * HOUR).len() > 8);
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "schedules_dark"), (false, "schedules_light")] {
        let (mut late, mut failed) = (schedule(2, "Look after the inbox"), schedule(3, "Nightly figures"));
        late.last_outcome = Some(ScheduleOutcome::Missed { times: 3 });
        failed.last_outcome = Some(ScheduleOutcome::Failed { why: "the folder is gone".to_owned() });
        failed.settings.enabled = false;
        failed.next_run = None;
        let mut harness =
            page::<SchedulesView>(state(vec![schedule(1, "Weekly report"), late, failed]), (1096.0, 420.0), dark);
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
