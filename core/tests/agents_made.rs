//! Agents through core's one door: made from types, checked, changed, copied, carried, deleted and brought back.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail like the test itself")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rspa_core::api::request::activities::ListActivities;
use rspa_core::api::request::agents::{
    AddSampleData, CreateAgent, DeleteAgent, DuplicateAgent, ExportAgent, GetAgent, GetAgentMetrics, ImportAgent,
    ListAgentData, ListAgentTypes, ListAgents, ListTools, PutAgentDatum, RemoveSampleData, SetAgentStatus,
    SetToolPolicy, UpdateAgent,
};
use rspa_core::api::request::tasks::{CountTasks, ListTasks};
use rspa_core::api::request::trash::RestoreTrashed;
use rspa_core::api::{Call, Core, CoreOptions, ErrorCategory, Guard, Role};
use rspa_core::clock::SystemClock;
use rspa_core::model::{
    Activity, ActivityFilter, Agent, AgentDraft, AgentFilter, AgentStatus, AllowedFolder, PageRequest, Permission,
    TaskFilter, TaskSort, TypeOrigin,
};
use serde_json::json;

fn start(data: &Path) -> Core {
    Core::start(CoreOptions {
        role: Role::Command,
        data_folder: Some(data.join("data")),
        overrides: BTreeMap::new(),
        environment: BTreeMap::from([("HOME".to_owned(), data.display().to_string())]),
        console_level: None,
        chat_model: None,
        faults: None,
        clock: Arc::new(SystemClock),
    })
    .unwrap()
}

fn draft(core: &Core, kind: &str, name: &str) -> AgentDraft {
    let types = core.call(ListAgentTypes {}).wait().unwrap().types;
    let found = types.into_iter().find(|known| known.id == kind).unwrap();
    AgentDraft { name: name.to_owned(), ..found.defaults }
}

fn make(core: &Core, kind: &str, name: &str) -> Agent {
    core.call(CreateAgent { draft: draft(core, kind, name) }).wait().unwrap()
}

fn names(core: &Core) -> Vec<String> {
    let all = core.call(ListAgents { filter: AgentFilter::default() }).wait().unwrap();
    all.into_iter().map(|agent| agent.settings.name).collect()
}

fn activities(core: &Core, kind: &str) -> Vec<Activity> {
    let filter = ActivityFilter { kind: kind.to_owned(), ..ActivityFilter::default() };
    core.call(ListActivities { filter, page: PageRequest::default() }).wait().unwrap().items
}

#[test]
fn an_agent_is_made_checked_changed_copied_and_brought_back() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let agent = make(&core, "analytical", "Analyst");
    assert_eq!((agent.status, agent.settings.temperature), (AgentStatus::Active, 0.3));
    let taken = core.call(CreateAgent { draft: draft(&core, "creative", "ANALYST") }).wait().unwrap_err();
    assert_eq!(taken.category, ErrorCategory::Validation);
    assert!(taken.message.starts_with("name: "), "{taken}");

    let mut wrong = agent.settings.clone();
    wrong.folders = vec![AllowedFolder { path: folder.path().join("data"), write: false }];
    let refused = core.call(UpdateAgent { id: agent.id, draft: wrong }).wait().unwrap_err();
    assert!(refused.message.starts_with("folders: "), "{refused}");

    let work = folder.path().join("q4");
    std::fs::create_dir(&work).unwrap();
    let mut changed = agent.settings.clone();
    changed.folders = vec![AllowedFolder { path: work, write: true }];
    changed.description = "Reads the quarter".to_owned();
    let changed = core.call(UpdateAgent { id: agent.id, draft: changed }).wait().unwrap();
    assert!(changed.settings.folders[0].write);

    let copy = core.call(DuplicateAgent { id: agent.id }).wait().unwrap();
    assert_eq!((copy.status, copy.settings.name.as_str()), (AgentStatus::Inactive, "Analyst copy"));
    assert_eq!(core.call(DuplicateAgent { id: agent.id }).wait().unwrap().settings.name, "Analyst copy 2");

    let paused = core.call(SetAgentStatus { id: agent.id, status: AgentStatus::Paused }).wait().unwrap();
    assert_eq!(paused.status, AgentStatus::Paused);
    let filter = AgentFilter { status: Some(AgentStatus::Paused), ..AgentFilter::default() };
    assert_eq!(core.call(ListAgents { filter }).wait().unwrap().len(), 1);
    let metrics = core.call(GetAgentMetrics { id: agent.id, days: 7 }).wait().unwrap();
    assert!(metrics.days.len() == 7 && metrics.uptime <= 1.0);

    let value = Some(json!({ "rows": 3 }));
    core.call(PutAgentDatum { id: agent.id, key: "seen".to_owned(), value }).wait().unwrap();
    let item = core.call(DeleteAgent { id: agent.id }).wait().unwrap();
    assert_eq!(names(&core), ["Analyst copy", "Analyst copy 2"]);
    assert!(core.call(GetAgent { id: agent.id }).wait().is_err());
    core.call(RestoreTrashed { id: item.id }).wait().unwrap();
    assert_eq!(core.call(GetAgent { id: agent.id }).wait().unwrap().settings, changed.settings);
    assert_eq!(core.call(ListAgentData { id: agent.id }).wait().unwrap().len(), 1);
    for kind in ["agent.created", "agent.changed", "agent.status.changed", "agent.deleted"] {
        assert!(!activities(&core, kind).is_empty(), "{kind}");
    }
    core.shutdown();
}

#[test]
fn an_agent_is_carried_as_a_file_and_grants_nothing_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let mut draft = draft(&core, "automation", "Operator");
    for rule in draft.tools.values_mut() {
        rule.permission = Permission::Allow;
    }
    let agent = core.call(CreateAgent { draft }).wait().unwrap();
    let text = core.call(ExportAgent { id: agent.id }).wait().unwrap();
    let imported = core.call(ImportAgent { text }).wait().unwrap();
    assert_eq!(imported.settings.name, "Operator 2");
    assert!(imported.settings.tools.values().all(|rule| rule.permission == Permission::Ask));
    let odd = "name: Far\nprovider: ollama\n".to_owned();
    let refused = core.call(ImportAgent { text: odd }).wait().unwrap_err();
    assert!(refused.message.starts_with("provider: "), "{refused}");
    let unknown = "name = \"Far\"\n[tools]\nmind_reading = \"allow\"\n".to_owned();
    assert!(core.call(ImportAgent { text: unknown }).wait().unwrap().settings.tools.contains_key("mind_reading"));
    core.shutdown();
}

#[test]
fn a_type_that_is_dropped_in_appears_at_once_and_a_broken_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let list = core.call(ListAgentTypes {}).wait().unwrap();
    assert!(list.problems.is_empty());
    let own = list.folder.join("invoice-checker");
    std::fs::create_dir_all(&own).unwrap();
    let text = "name = \"Invoice checker\"\n[tools]\nread_file = \"allow\"\n";
    std::fs::write(own.join("agent.toml"), text).unwrap();
    std::fs::write(own.join("prompt.md"), "You check invoices.").unwrap();
    std::fs::create_dir_all(list.folder.join("broken")).unwrap();
    std::fs::write(list.folder.join("broken/agent.toml"), "name = \"x\"\ntemperature = [").unwrap();
    let list = core.call(ListAgentTypes {}).wait().unwrap();
    let found = list.types.iter().find(|kind| kind.id == "invoice-checker").unwrap();
    assert_eq!(found.origin, TypeOrigin::Folder(own));
    assert!(list.problems.len() == 1 && list.problems[0].why.starts_with("line 2"), "{:?}", list.problems);
    let agent = make(&core, "invoice-checker", "Checker");
    assert_eq!(agent.settings.system_prompt, "You check invoices.");
    assert_eq!(agent.settings.tools["read_file"].permission, Permission::Ask);
    core.shutdown();
}

#[test]
fn the_profile_s_word_stands_beside_each_tool() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let tools = core.call(ListTools {}).wait().unwrap();
    let name = tools[0].name.clone();
    let set = SetToolPolicy { tool: name.clone(), permission: Some(Permission::Deny) };
    let tools = core.call(set).wait().unwrap();
    assert_eq!(tools.iter().find(|tool| tool.name == name).unwrap().profile, Some(Permission::Deny));
    let unknown = SetToolPolicy { tool: "mind_reading".to_owned(), permission: None };
    assert!(core.call(unknown).wait().is_err());
    core.shutdown();
}

#[test]
fn a_free_hand_needs_the_person_and_looking_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let mut draft = draft(&core, "creative", "Writer");
    draft.tools.retain(|_, rule| rule.permission == Permission::Allow);
    draft.tools.retain(|name, _| name.starts_with("read_") || name.starts_with("list_") || name.starts_with("search_"));
    let guard = |draft: &AgentDraft| CreateAgent { draft: draft.clone() }.into_request().guard();
    assert_eq!(guard(&draft), Guard::Open);
    let mut with_folder = draft.clone();
    with_folder.folders = vec![AllowedFolder { path: folder.path().into(), write: false }];
    assert!(matches!(guard(&with_folder), Guard::Person(words) if words.contains("these folders")));
    let mut free = draft;
    let rule = free.tools.values().next().unwrap().clone();
    free.tools.insert("write_file".to_owned(), rule);
    assert!(matches!(guard(&free), Guard::Person(words) if words.contains("write_file")));
    core.shutdown();
}

#[test]
fn sample_data_comes_marked_and_goes_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let core = start(folder.path());
    let own = make(&core, "research", "Mine");
    let added = core.call(AddSampleData {}).wait().unwrap();
    assert_eq!(core.call(AddSampleData {}).wait().unwrap(), added, "once more is the same again");
    assert_eq!(names(&core).len(), 5);
    let tasks = ListTasks { filter: TaskFilter::default(), sort: TaskSort::default(), page: PageRequest::default() };
    let tasks = core.call(tasks).wait().unwrap();
    assert!(tasks.total >= 8 && tasks.items.iter().all(|task| task.sample));
    let counts = core.call(CountTasks {}).wait().unwrap();
    assert!(counts.completed > 0 && counts.failed > 0 && counts.cancelled > 0 && counts.pending > 0, "{counts:?}");
    assert_eq!(counts.running, 0, "nobody runs a sample");
    let all = core.call(ListAgents { filter: AgentFilter::default() }).wait().unwrap();
    assert!(all.iter().any(|agent| agent.sample && agent.success_rate().is_some()));
    assert_eq!(core.call(RemoveSampleData {}).wait().unwrap(), added);
    assert_eq!(names(&core), [own.settings.name]);
    assert_eq!(core.call(CountTasks {}).wait().unwrap().completed, 0);
    assert!(activities(&core, "task").is_empty());
    assert_eq!(core.call(RemoveSampleData {}).wait().unwrap(), 0);
    core.shutdown();
}
