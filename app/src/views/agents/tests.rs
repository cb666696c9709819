//! Tests of the agents page by accessible label.

use std::collections::BTreeMap;

use egui::Key;
use egui_kittest::kittest::Queryable;
use rspa_core::agents::types;
use rspa_core::api::ApiError;
use rspa_core::model::{
    Agent, AgentDatum, AgentDay, AgentId, AgentMetrics, AgentStatus, AgentTypeList, Permission, Timestamp, ToolEffect,
    ToolInfo, ToolRule,
};
use serde_json::json;

use super::AgentsView;
use crate::commands::pages::agents::AgentsCommand as C;
use crate::commands::pages::tasks::TasksCommand;
use crate::commands::{PickPurpose, UiCommand};
use crate::fixtures::{self, NOW, Stage, page};
use crate::state::pages::agents::Editing;
use crate::state::{AppState, Slot};

const SIZE: (f32, f32) = (1096.0, 774.0);

fn id(number: u128) -> AgentId {
    AgentId(uuid::Uuid::from_u128(number))
}

fn agent(number: u128, name: &str, kind: &str, status: AgentStatus) -> Agent {
    let mut settings = types::built_in(kind).unwrap().defaults;
    settings.name = name.to_owned();
    settings.tags = vec![kind.to_owned()];
    Agent {
        id: id(number),
        status,
        status_detail: String::new(),
        settings,
        completed: 9,
        failed: 1,
        worked_ms: 90_000,
        last_active: Some(Timestamp(NOW.0 - 3_600_000)),
        created: NOW,
        updated: NOW,
        sample: number == 3,
    }
}

fn tool(name: &str, effect: ToolEffect, profile: Option<Permission>) -> ToolInfo {
    ToolInfo {
        name: name.to_owned(),
        title: name.replace('_', " "),
        description: "What it does".to_owned(),
        effect,
        parameters: json!({"type": "object"}),
        default: Permission::Ask,
        profile,
        unavailable: None,
    }
}

fn state() -> AppState {
    let mut state = fixtures::state();
    let agents = &mut state.pages.agents;
    agents.list = Slot::with(vec![
        agent(1, "Analyst", "analytical", AgentStatus::Active),
        agent(2, "Operator", "automation", AgentStatus::Paused),
        agent(3, "Writer", "creative", AgentStatus::Inactive),
    ]);
    agents.types = Slot::with(AgentTypeList {
        types: types::built_ins().to_vec(),
        problems: Vec::new(),
        folder: "/home/ada/rspa/agents".into(),
    });
    agents.tools = Slot::with(vec![
        tool("read_file", ToolEffect::Reads, None),
        tool("write_file", ToolEffect::Writes, None),
        tool("run_command", ToolEffect::Executes, Some(Permission::Deny)),
    ]);
    state
}

fn chosen() -> AppState {
    let mut state = state();
    let agents = &mut state.pages.agents;
    agents.select(Some(id(1)));
    let day = |n: i64| AgentDay {
        at: Timestamp(NOW.0 - (13 - n) * 86_400_000),
        completed: u32::try_from(n % 4).unwrap(),
        failed: u32::from(n == 9),
        worked_ms: 4_000,
        tokens: 90,
    };
    agents.metrics = Slot::with(AgentMetrics { days: (0..14).map(day).collect(), uptime: 0.75 });
    agents.data = Slot::with(vec![AgentDatum { key: "seen".to_owned(), value: json!({"rows": 3}), updated: NOW }]);
    state
}

fn field<'a>(harness: &'a egui_kittest::Harness<'_, Stage<AgentsView>>, name: &'a str) -> egui_kittest::Node<'a> {
    harness.get_by_role_and_label(egui::Role::TextInput, name)
}

fn sent(harness: &egui_kittest::Harness<'_, Stage<AgentsView>>) -> Vec<C> {
    let own = |command: &UiCommand| match command {
        UiCommand::Agents(command) => Some(command.clone()),
        UiCommand::Confirm(question) => match &*question.then {
            UiCommand::Agents(command) => Some(command.clone()),
            _ => None,
        },
        _ => None,
    };
    harness.state().commands.iter().filter_map(own).collect()
}

#[test]
fn the_list_is_searched_and_an_agent_is_chosen() {
    let mut harness = page::<AgentsView>(state(), SIZE, true);
    harness.run();
    assert_eq!(harness.query_all_by_role(egui::Role::ListItem).count(), 3);
    harness.get_by_label("Search agents").focus();
    harness.run();
    harness.get_by_label("Search agents").type_text("oper");
    harness.run();
    assert_eq!(harness.query_all_by_role(egui::Role::ListItem).count(), 1);
    harness.get_by_label_contains("Operator, Paused, Automation, 10 tasks done").click();
    harness.run();
    assert!(sent(&harness).contains(&C::Select(Some(id(2)))));
    harness.get_by_label("Search agents").focus();
    harness.run();
    harness.get_by_label("Search agents").type_text("zzz");
    harness.run();
    harness.get_by_label("Clear the filter").click();
    harness.run();
    assert_eq!(harness.query_all_by_role(egui::Role::ListItem).count(), 3);
}

#[test]
fn the_detail_says_how_it_is_doing_and_gives_it_a_task() {
    let mut harness = page::<AgentsView>(chosen(), SIZE, true);
    harness.run();
    assert!(harness.query_all_by_label("90 %").count() >= 1);
    assert!(harness.query_all_by_label("75 %").count() >= 1);
    harness.get_by_label("90 days").click();
    harness.run();
    harness.get_by_label("New task").click();
    harness.run();
    harness.get_by_label("What is to be done").focus();
    harness.run();
    harness.get_by_label("What is to be done").type_text("Compare the quarters");
    harness.run();
    harness.get_by_label("Give it").click();
    harness.run();
    let task = harness.state().commands.iter().find_map(|command| match command {
        UiCommand::Tasks(TasksCommand::Create(draft)) => Some(draft.clone()),
        _ => None,
    });
    let task = task.expect("a task was made");
    assert_eq!((task.agent, task.title.as_str()), (Some(id(1)), "Compare the quarters"));
    harness.get_by_label("Delete").click();
    harness.run();
    let commands = sent(&harness);
    assert!(commands.contains(&C::ShowDays(90)) && commands.contains(&C::Delete(id(1))), "{commands:?}");
}

#[test]
fn the_status_is_set_from_its_menu() {
    let mut harness = page::<AgentsView>(chosen(), SIZE, true);
    harness.run();
    harness.get_by_role_and_label(egui::Role::Button, "Active").click();
    harness.run();
    harness.get_by_label("Paused").click();
    harness.run();
    assert!(sent(&harness).contains(&C::SetStatus { id: id(1), status: AgentStatus::Paused }));
}

#[test]
fn memory_is_seen_changed_and_removed_after_a_question() {
    let mut harness = page::<AgentsView>(chosen(), SIZE, true);
    harness.run();
    harness.get_by_label("Memory").click();
    harness.run();
    harness.get_by_role_and_label(egui::Role::ListItem, "seen").click();
    harness.run();
    harness.get_by_label("This is JSON.");
    harness.get_by_label("Save").click();
    harness.run();
    let value = Some(json!({"rows": 3}));
    assert!(sent(&harness).contains(&C::PutDatum { id: id(1), key: "seen".to_owned(), value }));
    harness.get_by_role_and_label(egui::Role::ListItem, "seen").click();
    harness.run();
    harness.get_by_label("Remove the entry").click();
    harness.run();
    assert!(sent(&harness).contains(&C::PutDatum { id: id(1), key: "seen".to_owned(), value: None }));
}

#[test]
fn a_new_agent_takes_the_defaults_of_its_type_and_is_checked_while_it_is_typed() {
    let mut start = state();
    start.pages.agents.edit(Editing::New);
    let mut harness = page::<AgentsView>(start, (1096.0, 2400.0), true);
    harness.run();
    harness.get_by_role_and_label(egui::Role::RadioButton, "Analytical").click();
    harness.run();
    assert_eq!(field(&harness, "Temperature, 0.0 to 2.0").value().as_deref(), Some("0.3"));
    harness.get_by_label("Make agent").click();
    harness.run();
    assert!(harness.query_all_by_label("Give it a name").count() >= 1);
    assert!(sent(&harness).is_empty());
    field(&harness, "Name").focus();
    harness.run();
    field(&harness, "Name").type_text("analyst");
    harness.run();
    assert!(harness.query_all_by_label("Another agent has this name").count() >= 1);
    field(&harness, "Name").type_text(" of Q4");
    harness.run();
    harness.get_by_label("write file: Allow").click();
    harness.run();
    harness.state_mut().state.pages.agents.pick("/home/ada/q4".into());
    harness.run();
    harness.get_by_label("May write in /home/ada/q4").click();
    harness.run();
    harness.get_by_label("Make agent").click();
    harness.run();
    let commands = sent(&harness);
    let Some(C::Create(draft)) = commands.last() else { panic!("{commands:?}") };
    assert_eq!((draft.name.as_str(), draft.kind.as_str(), draft.temperature), ("analyst of Q4", "analytical", 0.3));
    assert_eq!(draft.tools["write_file"].permission, Permission::Allow);
    assert!(draft.folders.len() == 1 && draft.folders[0].write);
}

#[test]
fn the_profile_s_stricter_word_and_unknown_tools_are_shown() {
    let mut start = chosen();
    let list = start.pages.agents.list.get_mut().unwrap();
    let allow = |permission| ToolRule { permission, settings: BTreeMap::new() };
    list[0].settings.tools = BTreeMap::from([
        ("run_command".to_owned(), allow(Permission::Ask)),
        ("mind_reading".to_owned(), allow(Permission::Ask)),
    ]);
    start.pages.agents.edit(Editing::Change(id(1)));
    let mut harness = page::<AgentsView>(start, (1096.0, 2400.0), true);
    harness.run();
    harness.get_by_label("profile: Deny");
    harness.get_by_label("Take mind_reading away").click();
    harness.run();
    field(&harness, "Temperature, 0.0 to 2.0").focus();
    harness.run();
    field(&harness, "Temperature, 0.0 to 2.0").type_text("x");
    harness.run();
    harness.get_by_label("Save").click();
    harness.run();
    assert!(harness.query_all_by_label("It is no number").count() >= 1);
    assert!(sent(&harness).is_empty());
    harness.get_by_label("Cancel").click();
    harness.run();
    assert_eq!(sent(&harness), [C::CloseForm]);
}

#[test]
fn nothing_yet_errors_loading_and_long_lists_are_designed() {
    let mut empty = state();
    empty.pages.agents.list = Slot::with(Vec::new());
    let mut harness = page::<AgentsView>(empty, SIZE, true);
    harness.run();
    harness.get_by_label("Import…").click();
    harness.run();
    assert!(harness.state().commands.contains(&UiCommand::Pick(PickPurpose::AgentImport)));
    let mut failed = state();
    failed.pages.agents.list = Slot::failed(ApiError::validation("the database is closed", "Start again."));
    let mut harness = page::<AgentsView>(failed, SIZE, true);
    harness.run();
    harness.get_by_label("Try again").click();
    harness.run();
    assert_eq!(sent(&harness), [C::Refresh]);
    let mut loading = state();
    loading.pages.agents.list = Slot::default();
    let mut harness = page::<AgentsView>(loading, SIZE, true);
    harness.run();
    assert!(harness.query_all_by_label("Reading the agents").count() >= 1);
    let mut long = state();
    let many = (10..3_010).map(|n| agent(n, &format!("Agent {n}"), "research", AgentStatus::Active));
    long.pages.agents.list = Slot::with(many.collect());
    let mut harness = page::<AgentsView>(long, SIZE, true);
    harness.run();
    let drawn = harness.query_all_by_role(egui::Role::ListItem).count();
    assert!((5..40).contains(&drawn), "{drawn}");
    harness.key_press(Key::ArrowDown);
    harness.run();
    assert!(matches!(sent(&harness).last(), Some(C::Select(Some(_)))));
}

#[test]
fn pictures() {
    let mut results = egui_kittest::SnapshotResults::new();
    for (dark, name) in [(true, "agents_dark"), (false, "agents_light")] {
        let mut harness = page::<AgentsView>(chosen(), SIZE, dark);
        harness.remove_cursor();
        harness.run();
        harness.snapshot(name);
        results.extend_harness(&mut harness);
    }
}
