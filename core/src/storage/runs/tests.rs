//! Runs are listed newest first, cut off when the program ends, pruned, and gone with their profile.

use super::*;
use crate::model::StepKind;
use crate::storage::{DbOptions, tables};

fn open_db() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let main = Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap();
    (folder, main)
}

fn run(n: u128, agent: u128, task: u128, ended: Option<i64>) -> Run {
    Run {
        id: RunId(Uuid::from_u128(n)),
        agent: AgentId(Uuid::from_u128(agent)),
        task: Some(TaskId(Uuid::from_u128(task))),
        attempt: 1,
        model: "scripted".to_owned(),
        started: Timestamp(0),
        ended: ended.map(Timestamp),
        outcome: ended.map(|_| RunOutcome::Completed),
        steps: 0,
        prompt_tokens: 0,
        answer_tokens: 0,
        worked_ms: 0,
    }
}

fn step(index: u32) -> RunStep {
    RunStep { index, at: Timestamp(0), ms: 1, kind: StepKind::Note { text: index.to_string() } }
}

#[test]
fn runs_are_listed_by_agent_and_task_newest_first_and_steps_in_order() {
    let (_folder, main) = open_db();
    let profile = ProfileId(Uuid::from_u128(1));
    for n in 1..=6 {
        put(&main, profile, run(n, n % 2, n % 3, None), Some(step(0))).unwrap();
    }
    put(&main, ProfileId(Uuid::from_u128(2)), run(9, 0, 0, None), None).unwrap();
    let ids = |agent: Option<u128>, task: Option<u128>, page| {
        let (agent, task) = (agent.map(Uuid::from_u128).map(AgentId), task.map(Uuid::from_u128).map(TaskId));
        let page = list(&main, profile, agent, task, page).unwrap();
        (page.items.iter().map(|run| run.id.0.as_u128()).collect::<Vec<_>>(), page.total)
    };
    assert_eq!(ids(None, None, PageRequest { offset: 1, limit: 2 }), (vec![5, 4], 6));
    assert_eq!(ids(Some(0), None, PageRequest::default()), (vec![6, 4, 2], 3));
    assert_eq!(ids(None, Some(0), PageRequest::default()), (vec![6, 3], 2));
    assert_eq!(ids(Some(0), Some(0), PageRequest { offset: 0, limit: 1 }), (vec![6], 1));
    for index in 1..5 {
        put(&main, profile, run(6, 0, 0, None), Some(step(index))).unwrap();
    }
    let page = steps(&main, profile, RunId(Uuid::from_u128(6)), PageRequest { offset: 3, limit: 9 }).unwrap();
    assert_eq!((page.items, page.total), (vec![step(3), step(4)], 5));
    assert!(steps(&main, profile, RunId(Uuid::from_u128(9)), PageRequest::default()).is_err(), "of another profile");
}

#[test]
fn what_was_open_is_cut_off_and_what_is_old_goes_with_its_steps() {
    let (_folder, main) = open_db();
    let profile = ProfileId(Uuid::from_u128(1));
    put(&main, profile, run(1, 1, 1, Some(10)), Some(step(0))).unwrap();
    put(&main, profile, run(2, 1, 1, None), Some(step(0))).unwrap();
    assert_eq!(open(&main, profile).unwrap(), [RunId(Uuid::from_u128(2))]);
    assert_eq!(close_unfinished(&main, profile, Timestamp(50)).unwrap(), 1);
    assert_eq!(close_unfinished(&main, profile, Timestamp(60)).unwrap(), 0);
    let cut = get(&main, profile, RunId(Uuid::from_u128(2))).unwrap();
    assert_eq!((cut.outcome, cut.ended), (Some(RunOutcome::CutOff), Some(Timestamp(50))));
    assert_eq!(prune(&main, Timestamp(20)).unwrap(), 1);
    assert!(get(&main, profile, RunId(Uuid::from_u128(1))).is_err());
    assert!(all_steps(&main, profile, RunId(Uuid::from_u128(1))).unwrap().is_empty());
    main.write(move |txn| remove_profile(txn, profile)).unwrap();
    assert_eq!(list(&main, profile, None, None, PageRequest::default()).unwrap().total, 0);
    assert!(all_steps(&main, profile, RunId(Uuid::from_u128(2))).unwrap().is_empty());
}

#[test]
fn the_tokens_of_a_task_are_those_of_all_its_runs() {
    let (_folder, main) = open_db();
    let (profile, other) = (ProfileId(Uuid::from_u128(1)), ProfileId(Uuid::from_u128(2)));
    for (owner, n, task, tokens) in
        [(profile, 1, 7, 30), (profile, 2, 7, 12), (profile, 3, 8, 100), (other, 4, 7, 1_000)]
    {
        put(&main, owner, Run { answer_tokens: tokens, ..run(n, 1, task, Some(5)) }, None).unwrap();
    }
    let of = |task| main.write(move |txn| tokens(txn, profile, TaskId(Uuid::from_u128(task)))).unwrap();
    assert_eq!((of(7), of(8), of(9)), (42, 100, 0));
}
