//! An approval is answered once, a rule is made once, and nothing of another profile or agent is touched.

use super::*;
use crate::model::ProposedAction;
use crate::storage::{DbOptions, tables};

fn open_db() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
    (folder, main)
}

fn approval(n: u128, task: u128) -> Approval {
    Approval {
        id: ApprovalId(Uuid::from_u128(n)),
        at: Timestamp(1),
        agent: AgentId(Uuid::from_u128(1)),
        agent_name: "Ada".to_owned(),
        task: Some(TaskId(Uuid::from_u128(task))),
        task_title: "Count".to_owned(),
        run: RunId(Uuid::from_u128(5)),
        tool: "write_file".to_owned(),
        title: "Write a".to_owned(),
        action: ProposedAction::Question { question: "?".to_owned(), choices: Vec::new() },
        always: Some("writes in /a".to_owned()),
        influenced_by: Vec::new(),
        state: ApprovalState::Waiting,
        answered: None,
    }
}

fn entry() -> AuditEntry {
    AuditEntry {
        at: Timestamp(2),
        who: "the person".to_owned(),
        kind: "approval.allowed".to_owned(),
        subject: "write_file".to_owned(),
        detail: String::new(),
    }
}

const PROFILE: ProfileId = ProfileId(Uuid::from_u128(1));

fn answered(main: &Db, n: u128, state: ApprovalState) -> Result<Answered, StorageError> {
    let rule = ApprovalRuleId(Uuid::from_u128(100 + n));
    answer(main, PROFILE, ApprovalId(Uuid::from_u128(n)), state, Timestamp(3), rule, entry())
}

#[test]
fn an_answer_counts_once_and_makes_one_rule_for_the_same_scope() {
    let (_folder, main) = open_db();
    for n in 1..=4 {
        ask(&main, PROFILE, approval(n, n % 2), (n < 4).then(|| "folder:/a".to_owned())).unwrap();
    }
    assert!(answered(&main, 9, ApprovalState::Allowed).is_err());
    assert!(answered(&main, 1, ApprovalState::Allowed).unwrap().rule.is_none());
    assert!(answered(&main, 1, ApprovalState::Denied { reason: String::new() }).is_err(), "it was answered");
    let first = answered(&main, 2, ApprovalState::AllowedAlways).unwrap().rule.unwrap();
    let second = answered(&main, 3, ApprovalState::AllowedAlways).unwrap().rule.unwrap();
    assert_eq!(first, second);
    assert_eq!(rules(&main, PROFILE).unwrap(), std::slice::from_ref(&first));
    assert!(answered(&main, 4, ApprovalState::AllowedAlways).is_err(), "without a scope");
    assert_eq!(waiting(&main, PROFILE).unwrap(), [ApprovalId(Uuid::from_u128(4))], "a refused answer changes nothing");
    let found = |agent, tool, scope| rule_for(&main, PROFILE, AgentId(Uuid::from_u128(agent)), tool, scope).unwrap();
    assert_eq!(found(1, "write_file", "folder:/a"), Some(first.clone()));
    for (agent, tool, scope) in
        [(2, "write_file", "folder:/a"), (1, "run_command", "folder:/a"), (1, "write_file", "folder:/a/b")]
    {
        assert_eq!(found(agent, tool, scope), None);
    }
    main.write(|txn| remove_agent(txn, PROFILE, AgentId(Uuid::from_u128(1)))).unwrap();
    assert!(rules(&main, PROFILE).unwrap().is_empty());
    assert!(remove_rule(&main, PROFILE, first.id, entry()).is_err());
}

#[test]
fn lists_are_by_task_and_state_and_a_reply_is_found_by_its_run() {
    let (_folder, main) = open_db();
    for n in 1..=4 {
        ask(&main, PROFILE, approval(n, n % 2), None).unwrap();
    }
    let ids = |waiting, task: Option<u128>, page| {
        let page = list(&main, PROFILE, waiting, task.map(Uuid::from_u128).map(TaskId), page).unwrap();
        (page.items.iter().map(|approval| approval.id.0.as_u128()).collect::<Vec<_>>(), page.total)
    };
    answered(&main, 2, ApprovalState::Replied { text: "Blue.".to_owned() }).unwrap();
    assert_eq!(ids(true, None, PageRequest::default()), (vec![1, 3, 4], 3));
    assert_eq!(ids(false, None, PageRequest { offset: 1, limit: 2 }), (vec![3, 2], 4));
    assert_eq!(ids(false, Some(0), PageRequest::default()), (vec![4, 2], 2));
    assert_eq!(ids(true, Some(0), PageRequest::default()), (vec![4], 1));
    let reply = |run| last_reply(&main, PROFILE, RunId(Uuid::from_u128(run))).unwrap();
    assert_eq!((reply(5).as_deref(), reply(6)), (Some("Blue."), None));
    let gone = main.write(|txn| withdraw_task(txn, PROFILE, TaskId(Uuid::from_u128(1)), Timestamp(9))).unwrap();
    assert_eq!(gone.len(), 2);
    assert_eq!(ids(true, None, PageRequest::default()), (vec![4], 1));
    main.write(|txn| remove_profile(txn, PROFILE)).unwrap();
    assert_eq!(ids(false, None, PageRequest::default()), (vec![], 0));
}
