//! Profiles in a file: names, upgrade, the active one, and that deletion leaves no row behind.

use std::sync::Arc;

use super::*;
use crate::clock::ManualClock;
use crate::model::{ActivityId, Chat, ChatId, Happening, LedgerEntry, PageRequest, Source, SourceId};
use crate::storage::{DbOptions, encode, ledger, tables};

fn open(folder: &tempfile::TempDir) -> Db {
    Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap()
}

fn profile(number: u128, name: &str) -> Profile {
    Profile {
        id: ProfileId(uuid::Uuid::from_u128(number)),
        name: name.to_owned(),
        created: Timestamp(1),
        updated: Timestamp(1),
        network: ProfileNetwork::default(),
    }
}

#[test]
fn the_first_profile_is_made_once_and_the_active_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(&folder);
    let ids = Ids::seeded(Arc::new(ManualClock::at(Timestamp(1_000))), 7);
    let first = active_or_new(&main, &ids, Timestamp(1_000)).unwrap();
    assert_eq!(active_or_new(&main, &ids, Timestamp(2_000)).unwrap(), first);
    let work = create(&main, profile(u128::MAX, "Work")).unwrap();
    set_active(&main, work.id).unwrap();
    main.close();
    let main = open(&folder);
    assert_eq!(active_or_new(&main, &ids, Timestamp(3_000)).unwrap(), work);
    assert!(set_active(&main, ProfileId(uuid::Uuid::nil())).is_err());
}

#[test]
fn names_are_checked_and_unique_whatever_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(&folder);
    let work = create(&main, profile(1, "  Wörk ")).unwrap();
    assert_eq!(work.name, "Wörk");
    for name in ["WÖRK", "", "   ", "a\nb", "a\u{0}", &"x".repeat(61)] {
        assert!(create(&main, profile(2, name)).is_err(), "{name:?}");
    }
    create(&main, profile(2, &"x".repeat(60))).unwrap();
    assert!(rename(&main, ProfileId(uuid::Uuid::from_u128(2)), "wörk".to_owned(), Timestamp(2)).is_err());
    assert_eq!(rename(&main, work.id, "WÖRK".to_owned(), Timestamp(2)).unwrap().name, "WÖRK");
}

#[test]
fn a_profile_of_the_first_version_is_as_the_settings_say() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(&folder);
    let old = encode(&StoredProfileV1 { name: "Old".to_owned(), created: 1, updated: 2 }).unwrap();
    main.write(move |txn| {
        txn.table(PROFILES)?.insert(5, old.as_slice())?;
        Ok(())
    })
    .unwrap();
    let read = get(&main, ProfileId(uuid::Uuid::from_u128(5))).unwrap();
    assert_eq!((read.name.as_str(), read.updated, read.network), ("Old", Timestamp(2), ProfileNetwork::default()));
    let network = ProfileNetwork {
        policy: Some(NetworkPolicy::Listed),
        hosts: vec!["B.org".to_owned(), "a.org".to_owned(), "b.org".to_owned()],
        forbid_cloud: true,
    };
    set_network(&main, read.id, network, Timestamp(3)).unwrap();
    let read = get(&main, read.id).unwrap();
    assert_eq!(read.network.hosts, ["a.org", "b.org"]);
    assert!(read.network.forbid_cloud);
    let wrong = ProfileNetwork { hosts: vec!["https://a.org/x".to_owned()], ..ProfileNetwork::default() };
    assert!(set_network(&main, read.id, wrong, Timestamp(4)).is_err());
}

/// One row of this profile in each store.
fn fill(main: &Db, id: ProfileId, number: u128) {
    let now = Timestamp(5);
    let chat = Chat {
        id: ChatId(uuid::Uuid::from_u128(number)),
        profile: id,
        title: "t".to_owned(),
        created: now,
        updated: now,
        folder: String::new(),
        pinned: false,
        branched_from: None,
    };
    chats::create(main, chat).unwrap();
    chats::add_model_seconds(main, id, now, 1.0).unwrap();
    let source = Source {
        address: None,
        kind: crate::model::SourceKind::Folder,
        id: SourceId(uuid::Uuid::from_u128(number)),
        profile: id,
        path: "/x".into(),
        name: "x".to_owned(),
        sample: false,
        paused: false,
        created: now,
        updated: now,
    };
    knowledge::put_source(main, &source).unwrap();
    let entry = LedgerEntry {
        at: now,
        who: "t".to_owned(),
        destination: "https://a.org:443".to_owned(),
        purpose: "t".to_owned(),
        allowed: false,
        reason: "t".to_owned(),
        bytes_sent: 0,
        bytes_received: 0,
        profile: Some(id),
        profile_name: "Work".to_owned(),
    };
    main.write(move |txn| {
        let mut happening = Happening::new("k", "t");
        happening.agent = Some("a".to_owned());
        activities::insert(txn, id, &happening.kept(ActivityId(uuid::Uuid::from_u128(9)), now))?;
        ledger::insert(txn, &entry).map(drop)
    })
    .unwrap();
}

#[test]
fn deleting_removes_every_row_of_the_profile_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let main = open(&folder);
    let (personal, work) = (create(&main, profile(1, "Personal")).unwrap(), create(&main, profile(2, "Work")).unwrap());
    set_active(&main, personal.id).unwrap();
    fill(&main, personal.id, 1);
    fill(&main, work.id, 2);
    assert_eq!(counts(&main, work.id).unwrap(), ProfileCounts { sources: 1, chats: 1 });
    assert!(delete(&main, personal.id, "Personal".to_owned()).is_err(), "the active one");
    assert!(delete(&main, work.id, "work".to_owned()).is_err(), "another name");
    delete(&main, work.id, "Work".to_owned()).unwrap();
    assert_eq!(deleted(&main).unwrap(), [work.id]);
    assert!(get(&main, work.id).is_err());
    assert_eq!(counts(&main, work.id).unwrap(), ProfileCounts::default());
    assert!(activities::kinds(&main, work.id).unwrap().is_empty());
    assert_eq!(counts(&main, personal.id).unwrap(), ProfileCounts { sources: 1, chats: 1 });
    assert_eq!(activities::kinds(&main, personal.id).unwrap().len(), 1);
    // The ledger keeps the name.
    let rows = ledger::page(&main, PageRequest::default()).unwrap().items;
    assert_eq!((rows.len(), rows[0].profile_name.as_str()), (2, "Work"));
    forget_deleted(&main, work.id).unwrap();
    assert!(deleted(&main).unwrap().is_empty());
    assert!(delete(&main, personal.id, "Personal".to_owned()).is_err(), "the last one");
}

#[test]
fn every_table_is_cleared_with_its_profile_or_shared_by_all() {
    let cleared = [
        "profiles",
        "chats",
        "chats_by_update",
        "messages",
        "chat_messages",
        "unfinished_answers",
        "chat_activity",
        "sources",
        "retrieval_tests",
        "retrieval_runs",
        "retrieval_trials",
        "model_defaults",
        "activities",
        "activities_by_kind",
        "activities_by_agent",
        "activity_kinds",
        "trash",
        "credential_grants",
        "schedules",
        "schedule_names",
        "schedule_states",
        "schedules_due",
        "schedule_runs",
        "crews",
        "crews_by_name",
        "crew_runs",
        "crew_runs_by_crew",
        "crew_runs_open",
        "crew_numbers",
        "ui_state",
        "session_snapshots",
        "window_openings",
        "runs",
        "runs_by_agent",
        "runs_by_task",
        "runs_open",
        "run_steps",
        "approvals",
        "approvals_waiting",
        "approvals_by_task",
        "approvals_by_run",
        "approval_rules",
        "agents",
        "agents_by_name",
        "agents_by_status",
        "agent_statuses",
        "agent_data",
        "agent_counts",
        "agent_hours",
        "tool_policies",
        "notifications",
        "tasks",
        "tasks_by_status",
        "tasks_by_agent",
        "tasks_by_schedule",
        "tasks_by_label",
        "task_board",
        "task_queue",
        "task_times",
        "task_dependents",
        "task_numbers",
        "task_moments",
        "task_leases",
        "task_tally",
        "chat_parents",
        "chat_shown",
        "chat_texts",
        "chat_folders",
        "providers",
        "routing",
        "usage",
        "feature_use",
        "mcp_servers",
        "mcp_servers_by_name",
        "mcp_offers",
    ];
    // Of the file, of the computer, of all profiles together.
    let shared = [
        "active_profile",
        "deleted_profiles",
        "ledger",
        "ledger_totals",
        "model_speeds",
        "maintenance",
        "audit",
        "audit_head",
        "credentials",
        "vault_attempts",
    ];
    for table in tables::MAIN.tables.iter().copied().flatten() {
        let name = table.table_name();
        assert!(
            cleared.contains(&name) || shared.contains(&name),
            "the table {name} is new: let profiles::delete clear it, or say here that all profiles share it"
        );
    }
}
