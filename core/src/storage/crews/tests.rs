use std::collections::BTreeMap;

use super::*;
use crate::model::{CrewProcess, CrewRun, CrewRunId, CrewStep, PageRequest, TrashId};
use crate::storage::trash::{self, Deletion};
use crate::storage::{DbOptions, tables};

fn profile() -> ProfileId {
    ProfileId(Uuid::from_u128(1))
}

fn db(folder: &tempfile::TempDir) -> Db {
    Db::open(&folder.path().join("main.redb"), &tables::MAIN, DbOptions::default()).unwrap()
}

fn id(number: u128) -> CrewId {
    CrewId(Uuid::from_u128(number))
}

fn draft(name: &str) -> CrewDraft {
    let step = CrewStep {
        key: "a".to_owned(),
        title: "A".to_owned(),
        instructions: String::new(),
        agent: None,
        depends_on: Vec::new(),
        at: Some((1.0, 2.0)),
    };
    CrewDraft { name: name.to_owned(), steps: vec![step], ..CrewDraft::default() }
}

fn kept(number: u128, crew: CrewId) -> KeptRun {
    let run = CrewRun {
        id: CrewRunId(Uuid::from_u128(number)),
        number: 0,
        crew,
        crew_name: "Review".to_owned(),
        process: CrewProcess::Sequential,
        state: CrewRunState::Running,
        input: "x".to_owned(),
        variables: BTreeMap::new(),
        folder: Some("/a/b".into()),
        steps: Vec::new(),
        replay_of: None,
        offline: false,
        output: None,
        error: None,
        created: Timestamp(i64::try_from(number).unwrap()),
        ended: None,
    };
    KeptRun { run, members: Vec::new(), cancelling: false, revision: 0 }
}

fn no_rule_is_broken(main: &Db) {
    assert_eq!(broken(&main.read().unwrap()).unwrap(), Vec::<String>::new());
}

#[test]
fn crews_are_kept_by_name_and_come_back_from_the_trash() {
    let folder = tempfile::tempdir().unwrap();
    let main = db(&folder);
    create(&main, profile(), id(1), draft("Review"), Timestamp(5)).unwrap();
    assert!(create(&main, profile(), id(2), draft(" REVIEW"), Timestamp(5)).is_err());
    create(&main, profile(), id(2), draft("Alpha"), Timestamp(6)).unwrap();
    let names = |main: &Db| list(main, profile()).unwrap().into_iter().map(|c| c.settings.name).collect::<Vec<_>>();
    assert_eq!(names(&main), ["Alpha", "Review"]);
    update(&main, profile(), id(2), draft("Zeta"), Timestamp(7)).unwrap();
    assert_eq!(names(&main), ["Review", "Zeta"]);
    no_rule_is_broken(&main);
    let deletion = Deletion { id: TrashId(Uuid::from_u128(50)), at: Timestamp(8), days: 30 };
    let item = trash::crew(&main, profile(), id(1), deletion).unwrap();
    assert_eq!((item.title.as_str(), item.detail.as_str()), ("Review", "1 step"));
    assert!(get(&main, profile(), id(1)).is_err());
    no_rule_is_broken(&main);
    trash::restore(&main, profile(), item.id, 30).unwrap();
    assert_eq!(get(&main, profile(), id(1)).unwrap().settings, draft("Review"));
    no_rule_is_broken(&main);
}

#[test]
fn runs_are_numbered_counted_and_changed_only_by_who_saw_them() {
    let folder = tempfile::tempdir().unwrap();
    let main = db(&folder);
    create(&main, profile(), id(1), draft("Review"), Timestamp(5)).unwrap();
    for number in 1..=3 {
        let made = kept(number, id(1));
        let made = main.write(move |txn| add_run(txn, profile(), made.clone())).unwrap();
        assert_eq!(u128::from(made.run.number), number);
    }
    assert_eq!(open_runs(&main, profile()).unwrap().len(), 3);
    let mut next = run(&main, profile(), CrewRunId(Uuid::from_u128(2))).unwrap();
    next.revision += 1;
    next.run.state = CrewRunState::Completed;
    let put = |kept: &KeptRun| {
        let kept = kept.clone();
        main.write(move |txn| put_run(txn, profile(), &kept)).unwrap()
    };
    assert!(put(&next));
    assert!(!put(&next), "somebody changed it meanwhile");
    assert_eq!(open_runs(&main, profile()).unwrap().len(), 2);
    let crew = get(&main, profile(), id(1)).unwrap();
    assert_eq!((crew.runs, crew.completed, crew.last_run), (3, 1, Some(Timestamp(3))));
    let page = runs(&main, profile(), Some(id(1)), PageRequest { offset: 1, limit: 1 }).unwrap();
    assert_eq!((page.total, page.items[0].number), (3, 2));
    no_rule_is_broken(&main);
    main.write(|txn| remove_profile(txn, profile())).unwrap();
    assert_eq!(runs(&main, profile(), None, PageRequest::default()).unwrap().total, 0);
    no_rule_is_broken(&main);
}
