//! Tasks, schedules, questions, own data, activities, logs: what a tool asks of the program.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use super::World;
use crate::model::{
    Activity, ActivityId, BoardColumn, DocumentId, DocumentKind, DocumentText, Passage, PassageId, Priority,
    ProposedAction, SearchHit, SearchResults, SourceId, TaskId, Timestamp, Timing,
};
use crate::tools::testing::{NOW, agent};
use crate::tools::when;

#[test]
fn passages_are_numbered_and_read_on() {
    let world = World::new();
    let passage = Passage {
        symbols: Vec::new(),
        title: None,
        id: PassageId(7),
        document: DocumentId(Uuid::from_u128(1)),
        source: SourceId(Uuid::from_u128(2)),
        path: "/docs/bread.md".into(),
        kind: DocumentKind::Markdown,
        start_line: 3,
        end_line: 5,
        page: None,
        heading: Some("Oven".to_owned()),
        text: "220 degrees".to_owned(),
        document_hash: String::new(),
        origin: crate::model::Origin::File,
    };
    let hit = SearchHit {
        fusion: None,
        rerank: None,
        compared: None,
        passage,
        score: 0.5,
        keyword: None,
        static_vector: None,
        encoder_vector: None,
        snippet: String::new(),
        marks: Vec::new(),
    };
    let results = SearchResults {
        candidates: 0,
        rerank_ms: 0.0,
        compare_ms: 0.0,
        compared: 0,
        query: String::new(),
        hits: vec![hit; 2],
        searched: 9,
        ms: 1.0,
        keyword_ms: 0.0,
        vector_ms: 0.0,
    };
    *world.host.found.lock().unwrap() = Some(results);
    let output = world.call("search_knowledge", json!({"query": "oven"})).unwrap();
    assert!(output.text.starts_with("[1] /docs/bread.md:3-5 (Oven)\n220 degrees"), "{}", output.text);
    let data = output.data.unwrap();
    assert_eq!(
        (&data["hits"][1]["number"], &data["hits"][1]["passage"], &data["hits"][1]["end_line"]),
        (&json!(2), &json!(7), &json!(5))
    );
    let text = DocumentText {
        title: None,
        path: "/docs/bread.md".into(),
        kind: DocumentKind::Markdown,
        first_line: 1,
        lines: vec!["Oven".to_owned(), "220 degrees".to_owned()],
        total_lines: 9,
        changed: true,
    };
    *world.host.document.lock().unwrap() = Some(text);
    let read = json!({"path": "/docs/bread.md", "first_line": 2, "last_line": 3});
    assert_eq!(
        world.said("read_passage", read),
        "/docs/bread.md (9 lines; the file has changed since it was indexed)\n2: Oven\n3: 220 degrees"
    );
    assert!(
        world
            .refused("read_passage", json!({"path": "bread.md", "first_line": 1, "last_line": 2}))
            .contains("whole path")
    );
    assert!(world.refused("search_knowledge", json!({"query": "  "})).contains("empty"));
}

#[test]
fn tasks_are_made_listed_changed_and_handed_over() {
    let world = World::new();
    world.host.agents.lock().unwrap().push(agent("Research", Vec::new()));
    let arguments = json!({"title": "Pay the rent", "priority": "high", "due": "2026-03-05", "labels": ["home"]});
    let proposal = world.propose("create_task", arguments.clone()).unwrap();
    assert!(
        matches!(&proposal.action, ProposedAction::CreateTask { agent, .. } if agent == "the person"),
        "{proposal:?}"
    );
    assert!(world.host.tasks.lock().unwrap().is_empty() && !proposal.harmless);
    let output = world.call("create_task", arguments).unwrap();
    assert_eq!(output.changed, "made task #1 for the person");
    let made = world.host.tasks.lock().unwrap()[0].clone();
    assert_eq!((made.agent, made.priority, made.parent), (None, Priority::High, Some(TaskId(Uuid::from_u128(1)))));

    let output = world.call(
        "hand_over",
        json!({"agent": "research", "title": "Find sources", "instructions": "Three.", "context": "so far"}),
    );
    assert_eq!(output.unwrap().changed, "made task #2 for Research");
    let handed = world.host.tasks.lock().unwrap()[1].clone();
    assert_eq!((handed.agent.is_some(), handed.input), (true, json!({"from": "Ada", "text": "so far"})));
    assert!(
        world
            .refused("hand_over", json!({"agent": "Nobody", "title": "x", "instructions": "y"}))
            .contains("no such agent")
    );

    let listed = world.said("list_tasks", json!({}));
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines[0], "#1 Pay the rent (pending, high, due 2026-03-05 23:59)");
    assert!(lines[1].starts_with("#2 Find sources (pending, medium, "), "{listed}");
    world.task("Third");
    let change = json!({"number": 3, "priority": "urgent", "column": "done", "due": ""});
    assert!(matches!(world.propose("update_task", change.clone()).unwrap().action, ProposedAction::Other { .. }));
    world.call("update_task", change).unwrap();
    let changes = world.host.changes.lock().unwrap();
    assert_eq!(
        (changes[0].0.priority, changes[0].0.due, changes[0].1),
        (Some(Priority::Urgent), Some(None), Some(BoardColumn::Done))
    );
    assert!(world.refused("update_task", json!({"number": 3})).contains("nothing was given"));
    assert!(world.refused("update_task", json!({"number": 99, "title": "x"})).contains("no task #99"));
    assert!(world.refused("update_task", json!({"number": 1, "title": "x"})).contains("you work on"));
}

#[test]
fn a_schedule_is_checked_before_it_is_shown() {
    let world = World::new();
    let arguments =
        json!({"name": "Morning", "title": "Digest of {date}", "cron": "0 7 * * 1-5", "zone": "Europe/Berlin"});
    let proposal = world.propose("create_schedule", arguments.clone()).unwrap();
    let ProposedAction::CreateSchedule { timing, task, .. } = &proposal.action else { panic!("{proposal:?}") };
    assert_eq!(
        (timing.as_str(), task.as_str()),
        ("by 0 7 * * 1-5, Europe/Berlin", "Digest of {date} (for the person)")
    );
    world.call("create_schedule", arguments).unwrap();
    assert!(matches!(world.host.schedules.lock().unwrap()[0].timing, Timing::Cron { .. }));
    for (odd, words) in [
        (json!({"name": "x", "title": "y"}), "exactly one"),
        (json!({"name": "x", "title": "y", "cron": "every day"}), "not understood"),
        (json!({"name": "x", "title": "y", "cron": "0 7 * * *", "zone": "Mars/Base"}), "no time zone"),
        (json!({"name": "x", "title": "y", "at": "2020-01-01"}), "has passed"),
        (json!({"name": "x", "title": "y", "at": "soon"}), "no time"),
        (json!({"name": "x", "title": "y", "every_minutes": 0}), "every_minutes"),
    ] {
        let said = world.refused("create_schedule", odd);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_question_waits_for_its_answer() {
    let world = World::new();
    let arguments = json!({"question": "Which one?", "choices": ["a", "b"]});
    let proposal = world.propose("ask_user", arguments.clone()).unwrap();
    assert!(matches!(&proposal.action, ProposedAction::Question { choices, .. } if choices.len() == 2));
    assert!(world.refused("ask_user", arguments.clone()).contains("not answered"));
    *world.host.reply.lock().unwrap() = Some("b".to_owned());
    assert_eq!(world.said("ask_user", arguments), "The person answered: b");
}

#[test]
fn an_agent_keeps_its_own_data() {
    let world = World::new();
    assert_eq!(world.said("store_put", json!({"key": "name", "value": "Ada"})), "Kept under \"name\".");
    assert_eq!(world.said("store_get", json!({"key": "name"})), "Ada");
    assert_eq!(world.said("store_get", json!({})), "1 keys are kept.\nname");
    world.call("store_put", json!({"key": "name"})).unwrap();
    assert!(world.said("store_get", json!({"key": "name"})).contains("Nothing is kept"));
    assert!(world.refused("store_put", json!({"key": "x", "value": "y".repeat(20_000)})).contains("16 KB"));
}

#[test]
fn activities_since_the_last_session_are_told() {
    let world = World::new();
    let activity = |id: u128, at: i64, kind: &str, title: &str| Activity {
        id: ActivityId(Uuid::from_u128(id)),
        at: Timestamp(at),
        kind: kind.to_owned(),
        title: title.to_owned(),
        description: String::new(),
        agent: Some("Ada".to_owned()),
        metadata: BTreeMap::new(),
    };
    *world.host.activities.lock().unwrap() = vec![
        activity(1, NOW - 7_200_000, "task.completed", "Old"),
        activity(2, NOW - 1_800_000, "task.failed", "Rent\nforged line"),
        activity(3, NOW - 60_000, "backup.finished", "Backup"),
    ];
    let said = world.said("list_activities", json!({}));
    let lines: Vec<_> = said.lines().collect();
    let at = |before: i64| when::show(Timestamp(NOW - before));
    assert!(lines[0].starts_with(&format!("Since the last session ({}): 2 activities.", at(3_600_000))), "{said}");
    let expected = [
        format!("{} backup.finished by Ada: Backup", at(60_000)),
        format!("{} task.failed by Ada: Rent forged line", at(1_800_000)),
    ];
    assert_eq!(lines[1..], expected);
    let said = world.said("list_activities", json!({"since": "7d", "kinds": ["task", "task.completed"]}));
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn processes_and_logs_are_looked_after() {
    let world = World::new();
    let noise: String = (0..60_000).map(|n| format!("line {n} fine\n")).collect();
    world.put("build.log", format!("{noise}ERROR one\nfine\nerror two\n"));
    let own = std::env::current_exe().unwrap();
    // The kernel keeps fifteen letters of a name.
    let own: String = own.file_name().unwrap().to_string_lossy().chars().take(15).collect();
    let said = world.said(
        "watch_report",
        json!({"processes": format!("{own}, no-such-process"), "path": "build.log, gone.log", "pattern": "error", "lines": 5}),
    );
    assert!(said.contains(&format!("process {own}: runs")), "{said}");
    assert!(said.contains("process no-such-process: does not run"), "{said}");
    assert!(
        said.contains("log build.log: 2 lines match in its last part; the last:\n  ERROR one\n  error two"),
        "{said}"
    );
    assert!(said.contains("log gone.log: gone.log does not exist"), "{said}");
    assert!(world.refused("watch_report", json!({"path": "../private/secret.txt"})).contains("not inside"));
    assert!(world.refused("watch_report", json!({})).contains("name `processes`"));
    assert_eq!(world.said("snapshot_session", json!({})), "The session was kept as \"Monday morning\".");
}

#[test]
fn files_are_found_by_name_and_by_text() {
    let world = World::new();
    world.put(".gitignore", "target/\n*.tmp\n");
    world.put("src/main.rs", "fn main() {\n    let needle = 1;\n}\n");
    world.put("src/lib.rs", "// nothing\n");
    world.put("target/out.rs", "needle\n");
    world.put("a.tmp", "needle\n");
    world.put(".hidden/x.rs", "needle\n");
    world.put(".ssh/config", "needle\n");
    world.put("big.bin", [0_u8, 1, 2].repeat(10));
    #[cfg(unix)]
    std::os::unix::fs::symlink(world.outer().join("private"), world.folder().join("way")).unwrap();
    let said = world.said("search_files", json!({"text": "NEEDLE"}));
    assert!(said.starts_with("1 lines found") && said.contains("src/main.rs:2: let needle = 1;"), "{said}");
    let said = world.said("search_files", json!({"name": "*.rs"}));
    assert_eq!(said.lines().skip(1).collect::<Vec<_>>(), ["src/lib.rs", "src/main.rs"]);
    let said = world.said("search_files", json!({"path": "src", "text": "^fn \\w+", "regex": true}));
    assert!(said.contains("src/main.rs:1: fn main() {"), "{said}");
    let said = world.said("search_files", json!({"text": "needle", "ignored": true}));
    assert!(said.starts_with("4 lines found") && !said.contains(".ssh"), "{said}");
    assert!(!world.said("search_files", json!({"text": "canary", "ignored": true})).contains("secret.txt"));
    for odd in [
        json!({}),
        json!({"text": "(", "regex": true}),
        json!({"text": "(a{500}){500}", "regex": true}),
        json!({"name": "[", "path": ""}),
    ] {
        assert!(world.call("search_files", odd).is_err());
    }
}
