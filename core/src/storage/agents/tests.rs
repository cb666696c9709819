//! Agents in a file: names, statuses, figures, data, the trash, other states.

use serde_json::{Value, json};

use super::*;
use crate::model::{Permission, TrashId};
use crate::storage::trash::{self, Deletion};
use crate::storage::{DbOptions, merge as merging, rules, tables};

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));
const OTHER: ProfileId = ProfileId(Uuid::from_u128(2));

fn open(folder: &std::path::Path, name: &str) -> Db {
    Db::open(&folder.join(name), &tables::MAIN, DbOptions::default()).unwrap()
}

fn fresh() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let main = open(folder.path(), "main.redb");
    (folder, main)
}

fn agent(number: u128, name: &str) -> Agent {
    Agent {
        id: AgentId(Uuid::from_u128(number)),
        status: AgentStatus::Active,
        status_detail: String::new(),
        settings: AgentDraft {
            name: name.to_owned(),
            description: String::new(),
            kind: "analytical".to_owned(),
            provider: "embedded".to_owned(),
            model: None,
            temperature: 0.3,
            max_tokens: 512,
            system_prompt: "Be exact.".to_owned(),
            tags: vec!["sales".to_owned()],
            avatar: String::new(),
            tools: BTreeMap::new(),
            folders: Vec::new(),
            budget: crate::model::Budget::default(),
            memory: crate::model::AgentMemory::default(),
            cache: true,
        },
        completed: 0,
        failed: 0,
        worked_ms: 0,
        last_active: None,
        created: Timestamp(1_000),
        updated: Timestamp(1_000),
        sample: false,
    }
}

fn names(main: &Db) -> Vec<String> {
    list(main, PROFILE).unwrap().into_iter().map(|agent| agent.settings.name).collect()
}

fn is_whole(main: &Db) {
    assert_eq!(rules::broken(&main.read().unwrap(), &tables::MAIN).unwrap(), Vec::<String>::new());
}

fn outcome(main: &Db, id: AgentId, completed: bool, at: i64) {
    main.write(move |txn| count_outcome(txn, PROFILE, id, completed, 250, 40, Timestamp(at))).unwrap();
}

fn deletion(number: u128) -> Deletion {
    Deletion { id: TrashId(Uuid::from_u128(number)), at: Timestamp(5), days: 30 }
}

#[test]
fn names_are_unique_whatever_the_case_within_a_profile() {
    let (_folder, main) = fresh();
    let ada = create(&main, PROFILE, agent(1, "Äda")).unwrap();
    create(&main, PROFILE, agent(2, "zoe")).unwrap();
    create(&main, OTHER, agent(3, "äda")).unwrap();
    let taken = create(&main, PROFILE, agent(4, " äDA ")).unwrap_err();
    assert!(taken.to_string().contains("already an agent named"), "{taken}");
    assert_eq!(names(&main), ["zoe", "Äda"]);
    let mut settings = ada.settings.clone();
    settings.name = "ZOE".to_owned();
    assert!(update(&main, PROFILE, ada.id, settings.clone(), Timestamp(2)).is_err());
    settings.name = "ÄDA".to_owned();
    assert_eq!(update(&main, PROFILE, ada.id, settings.clone(), Timestamp(2)).unwrap().settings.name, "ÄDA");
    settings.name = "Bob".to_owned();
    update(&main, PROFILE, ada.id, settings, Timestamp(3)).unwrap();
    assert_eq!(named(&main, PROFILE, "bOB").unwrap().unwrap().id, ada.id);
    assert_eq!(named(&main, PROFILE, "äda").unwrap(), None);
    assert!(get(&main, OTHER, ada.id).is_err());
    is_whole(&main);
}

#[test]
fn only_an_active_agent_takes_tasks_and_says_why_not() {
    let (_folder, main) = fresh();
    let ada = create(&main, PROFILE, agent(1, "Ada")).unwrap();
    assert_eq!(takes_tasks(&main, PROFILE, ada.id).unwrap(), Ok(()));
    let set = |status, detail: &str| {
        set_status(&main, PROFILE, ada.id, status, detail.to_owned(), Timestamp(2_000)).unwrap().1
    };
    assert!(set(AgentStatus::Error, "its model is gone"));
    assert!(!set(AgentStatus::Error, "its model is gone"));
    assert_eq!(takes_tasks(&main, PROFILE, ada.id).unwrap(), Err("Ada has an error: its model is gone".to_owned()));
    assert_eq!(count(&main, PROFILE).unwrap(), BTreeMap::from([(AgentStatus::Error, 1)]));
    trash::agent(&main, PROFILE, ada.id, deletion(9)).unwrap();
    assert_eq!(takes_tasks(&main, PROFILE, ada.id).unwrap(), Err("its agent was deleted".to_owned()));
    assert!(count(&main, PROFILE).unwrap().is_empty());
    is_whole(&main);
}

#[test]
fn figures_add_up_by_day_and_uptime_is_the_share_of_active_time() {
    const HOUR: i64 = 3_600_000;
    let (_folder, main) = fresh();
    let mut new = agent(1, "Ada");
    new.created = Timestamp(0);
    let ada = create(&main, PROFILE, new).unwrap();
    outcome(&main, ada.id, true, HOUR);
    outcome(&main, ada.id, true, 5 * HOUR);
    outcome(&main, ada.id, false, 30 * HOUR);
    outcome(&main, AgentId(Uuid::from_u128(77)), true, HOUR);
    let now = get(&main, PROFILE, ada.id).unwrap();
    assert_eq!((now.completed, now.failed, now.worked_ms), (2, 1, 750));
    assert_eq!(now.last_active, Some(Timestamp(30 * HOUR)));
    set_status(&main, PROFILE, ada.id, AgentStatus::Paused, String::new(), Timestamp(12 * HOUR)).unwrap();
    set_status(&main, PROFILE, ada.id, AgentStatus::Active, String::new(), Timestamp(36 * HOUR)).unwrap();
    let days = [Timestamp(0), Timestamp(24 * HOUR), Timestamp(48 * HOUR)];
    let found = metrics(&main, PROFILE, ada.id, &days, Timestamp(48 * HOUR)).unwrap();
    let ended: Vec<(u32, u32, u64)> = found.days.iter().map(|day| (day.completed, day.failed, day.tokens)).collect();
    assert_eq!(ended, [(2, 0, 80), (0, 1, 40)]);
    assert!((found.uptime - 0.5).abs() < 1e-9, "{}", found.uptime);
}

#[test]
fn the_data_store_has_bounds() {
    let (_folder, main) = fresh();
    let ada = create(&main, PROFILE, agent(1, "Ada")).unwrap();
    let put = |name: &str, value: Option<Value>| put_datum(&main, PROFILE, ada.id, name, value.as_ref(), Timestamp(2));
    put("b", Some(json!({"rows": [1, 2]}))).unwrap();
    put("a", Some(json!("x"))).unwrap();
    let all = data(&main, PROFILE, ada.id).unwrap();
    assert_eq!(all.iter().map(|datum| datum.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(all[1].value, json!({"rows": [1, 2]}));
    for name in ["", "a\nb", &"k".repeat(LONGEST_KEY + 1)] {
        assert!(put(name, Some(json!(1))).is_err(), "{name:?}");
    }
    assert!(put("large", Some(json!("x".repeat(LARGEST_VALUE)))).is_err());
    // 63 values of 64 KiB and a little fit into 4 MiB, two more do not.
    let large = json!("x".repeat(LARGEST_VALUE - 2));
    for n in 0..63 {
        put(&format!("k{n}"), Some(large.clone())).unwrap();
    }
    assert!(put("one more", Some(large.clone())).is_err());
    put("k0", Some(large)).unwrap();
    put("k0", None).unwrap();
    put("not there", None).unwrap();
    main.write(move |txn| erase(txn, PROFILE, AgentId(Uuid::from_u128(1)))).unwrap();
    assert!(data(&main, PROFILE, ada.id).is_err());
    is_whole(&main);
}

#[test]
fn an_agent_comes_back_from_the_trash_unless_its_name_is_taken() {
    let (_folder, main) = fresh();
    let ada = create(&main, PROFILE, agent(1, "Ada")).unwrap();
    put_datum(&main, PROFILE, ada.id, "a", Some(&json!(1)), Timestamp(2)).unwrap();
    outcome(&main, ada.id, true, 10);
    let item = trash::agent(&main, PROFILE, ada.id, deletion(9)).unwrap();
    assert_eq!((item.title.as_str(), item.detail.as_str()), ("Ada", "1 task done"));
    assert!(names(&main).is_empty());
    is_whole(&main);
    let second = create(&main, PROFILE, agent(2, "ADA")).unwrap();
    let refused = trash::restore(&main, PROFILE, item.id, 30).unwrap_err();
    assert!(refused.to_string().contains("another agent is named"), "{refused}");
    main.write(move |txn| erase(txn, PROFILE, second.id)).unwrap();
    trash::restore(&main, PROFILE, item.id, 30).unwrap();
    let back = get(&main, PROFILE, ada.id).unwrap();
    assert_eq!((back.completed, back.settings.clone()), (1, ada.settings.clone()));
    assert_eq!(data(&main, PROFILE, ada.id).unwrap().len(), 1);
    let item = trash::agent(&main, PROFILE, ada.id, deletion(10)).unwrap();
    trash::erase(&main, PROFILE, item.id, 30).unwrap();
    let txn = main.read().unwrap();
    for table in TABLES {
        assert_eq!(table.raw_rows(&txn).unwrap().count(), 0, "{}", table.table_name());
    }
}

#[test]
fn a_merge_brings_back_what_is_missing_under_a_free_name() {
    let (folder, main) = fresh();
    create(&main, PROFILE, agent(1, "Ada")).unwrap();
    let other = open(folder.path(), "other.redb");
    create(&other, PROFILE, agent(2, "ada")).unwrap();
    put_datum(&other, PROFILE, AgentId(Uuid::from_u128(2)), "a", Some(&json!(1)), Timestamp(2)).unwrap();
    let merged = merging::merge(&main, &other).unwrap();
    let of = |kind| merged.iter().find(|merged| merged.kind == kind).map(|merged| merged.added);
    assert_eq!(of(crate::model::DataKind::Agents), Some(1));
    assert_eq!(of(crate::model::DataKind::AgentData), Some(1));
    assert_eq!(names(&main), ["Ada", "ada (restored)"]);
    is_whole(&main);
}

#[test]
fn the_profile_s_word_on_a_tool_is_kept_and_audited() {
    let (_folder, main) = fresh();
    set_policy(&main, PROFILE, "run_command", Some(Permission::Deny), Timestamp(1)).unwrap();
    set_policy(&main, PROFILE, "read_file", Some(Permission::Ask), Timestamp(2)).unwrap();
    assert!(policies(&main, OTHER).unwrap().is_empty());
    assert_eq!(policies(&main, PROFILE).unwrap()["run_command"], Permission::Deny);
    set_policy(&main, PROFILE, "run_command", None, Timestamp(3)).unwrap();
    assert_eq!(policies(&main, PROFILE).unwrap().len(), 1);
    let rows = crate::storage::audit::page(&main, crate::model::PageRequest::default()).unwrap();
    assert_eq!((rows.total, rows.items[0].kind.as_str()), (3, "tool.policy"));
}

#[test]
fn samples_go_and_nothing_else() {
    let (_folder, main) = fresh();
    create(&main, PROFILE, agent(1, "Ada")).unwrap();
    create(&main, PROFILE, Agent { sample: true, ..agent(2, "Sample") }).unwrap();
    assert_eq!(main.write(|txn| erase_samples(txn, PROFILE)).unwrap(), 1);
    assert_eq!(names(&main), ["Ada"]);
    is_whole(&main);
}
